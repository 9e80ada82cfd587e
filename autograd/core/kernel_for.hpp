#pragma once
#include <autograd/error.hpp>
#include <autograd/kernels/table.hpp>

/// Kernels of the table by dtype, for ops that are not made by `elementwise`.
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

}  // namespace xgrad::detail
