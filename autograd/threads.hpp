#pragma once
#include <autograd/error.hpp>

#pragma GCC visibility push(default)

namespace xgrad {

/// How many threads large work is spread over, matrix products and all other kernels alike, in the whole process;
/// throws ValueError unless n >= 1. At first it is the number in the environment variable OMP_NUM_THREADS, or that of
/// the processors that the process may use. Work of less than about 40 us stays in the thread that asks for it.
///
/// The number of threads changes no bit of any result: how work is split follows from the shapes alone. The threads are
/// oneTBB's workers. They sleep when there is nothing to do, and the thread that asks for work does what none of them
/// has begun: on a busy machine two threads are no slower than one. Where xgrad is built without oneTBB they are
/// OpenMP's, or there is only the thread that asks.
///
/// A child of fork() has the calling thread only. If its parent has spread work before, the child computes on that one
/// thread and num_threads() is 1, whatever is set.
void set_num_threads(int n, Place place = Place::here());
int num_threads();

}  // namespace xgrad
#pragma GCC visibility pop
