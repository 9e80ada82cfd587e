#include <autograd/core/kernel_calls.hpp>
#include <autograd/tensor.hpp>

/// Calls of kernels by what is not made by `elementwise`.
namespace xgrad {

Array detail::divided(Array x, double by) {
  alignas(8) std::byte number[8];
  Number(by).store(x.dtype(), number);
  const auto loop = kernels::Loop<2>::row(x.size(), 1, 0);
  if (x.size() > 0)
    kernels::table().binary[int(kernels::Binary::divide)][int(x.dtype())](x.data(), number, x.data(), loop);
  return x;
}

}  // namespace xgrad
