#pragma once
#include <autograd/kernels/loop.hpp>
#include <autograd/support/function_ref.hpp>

/// The library that threads come from: workers_tbb.cpp, or workers_openmp.cpp where there is no oneTBB.
namespace xgrad::kernels::workers {

/// How many processors this process may use; 1 if there is nothing to spread work with.
int processors();

/// Calls piece(i), which throws nothing, for each i < count in the calling thread and up to `threads` - 1 others, which
/// round as it does. Only one thread may be in here at a time.
void spread(int threads, Size count, xgrad::detail::FunctionRef<void(Size)> piece);

}  // namespace xgrad::kernels::workers
