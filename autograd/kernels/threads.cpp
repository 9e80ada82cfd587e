#include <autograd/kernels/pieces.hpp>
#include <autograd/threads.hpp>

/// The public functions of threads.hpp.
namespace xgrad {

void set_num_threads(int n, Place place) {
  const OpScope scope("set_num_threads", place);
  if (n < 1) scope.fail<ValueError>(n, " threads; expected at least 1");
  kernels::set_threads(n);
}

int num_threads() { return kernels::threads(); }

}  // namespace xgrad
