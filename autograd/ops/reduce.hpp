#pragma once
#include <autograd/ops.hpp>
#include <autograd/ops/walk.hpp>

/// What the reductions share.
namespace xgrad {

/// The axes of a reduction, and the shapes that follow from them.
struct Reduction {
  Shape from, kept, result;          // of the input; of the result with the axes as size 1; of the result
  std::int64_t count = 1;            // elements that make one
  bool along[Shape::max_ndim] = {};  // whether an axis is reduced

  Reduction(const Operand& x, const std::vector<int>& axes, bool keepdims);

  /// The axes in order.
  std::vector<int> axes() const;

  /// Reduces the runs of neighbouring axes one after another, innermost first. Throws DtypeError where there is no
  /// kernel.
  Array run(kernels::Reduce kind, const Array& x) const;
};

/// A reduction's result, or its cotangent, with the reduced axes as size 1, so that it broadcasts against the input.
inline Tensor with_axes(const Tensor& t, const Shape& kept) {
  return t.ndim() == 0 || t.shape() == kept ? t : reshape(t, kept);
}

/// The order of axes that puts `last` (sorted) behind the others, and the order that undoes it.
struct AxesLast {
  std::vector<int> order, back;
  AxesLast(int ndim, const std::vector<int>& last);
};

/// Throws DtypeError unless x is f32 or f64.
void check_floating(const Operand& x);

/// The product of the other elements before (after, for `reverse`) each one along an axis.
Tensor exclusive_cumprod(const Operand& x, int axis, bool reverse);

}  // namespace xgrad
