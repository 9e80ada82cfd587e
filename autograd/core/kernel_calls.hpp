#pragma once
#include <autograd/array.hpp>
#include <autograd/error.hpp>
#include <autograd/kernels/table.hpp>

/// Calls of kernels by what is not made by `elementwise`.
namespace xgrad::detail {

[[noreturn]] inline void fail_undefined_for(Dtype dtype) {
  fail<DtypeError>("not defined for ", name_of(dtype), "; convert with .to(f32)");
}

/// The kernel for elements of `dtype`; throws DtypeError if the table has none.
template <class Kernel>
Kernel kernel_for(const Kernel (&kernels)[dtype_count], Dtype dtype) {
  const Kernel kernel = kernels[int(dtype)];
  if (!kernel) fail_undefined_for(dtype);
  return kernel;
}

/// x / by, in place.
Array divided(Array x, double by);

}  // namespace xgrad::detail
