#pragma once
#include <autograd/error.hpp>
#include <autograd/kernels/table.hpp>

/// Kernels of the table by dtype, for ops that are not made by `elementwise`.
namespace xgrad::detail {

/// The kernel for elements of `dtype`; throws DtypeError if the table has none.
template <class Kernel>
Kernel kernel_for(const Kernel (&kernels)[dtype_count], Dtype dtype) {
  const Kernel kernel = kernels[int(dtype)];
  if (!kernel) fail<DtypeError>("not defined for ", name_of(dtype), "; convert with .to(f32)");
  return kernel;
}

}  // namespace xgrad::detail
