#include <autograd/error.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/threads.hpp>

namespace xgrad {

void set_num_threads(int n) {
  if (n < 1) throw ValueError(text("set_num_threads: ", n, " threads; expected at least 1"));
  kernels::set_threads(n);
}

int num_threads() { return kernels::threads(); }

}  // namespace xgrad
