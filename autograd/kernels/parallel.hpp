#pragma once
#include <autograd/kernels/table.hpp>

/// The table of kernels that spread large work over threads.
namespace xgrad::kernels {

/// A table that spreads large work over threads and has each piece done by `serial`, which must be the same table in
/// every call. Small work goes straight through.
///
/// How work is cut into pieces, and the order in which their results are put together, follow from the problem alone:
/// every number of threads, one included, gives the same bits. A piece takes 20 us or more, several times what it costs
/// to wake a thread. Inside a piece, and while another thread has work spread, pieces are done one after the other:
/// there are no more threads at work than were asked for.
Table parallel(const Table& serial);

}  // namespace xgrad::kernels
