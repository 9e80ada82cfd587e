#pragma once
#include <autograd/ops.hpp>

/// What the ops that pick and place elements share. Indices here have been checked and count from the front.
namespace xgrad {

/// Throws DtypeError unless the index is i64; `what` names its elements.
void check_index_dtype(const Operand& index, const char* what, const OpScope& scope);
/// The index with negative entries counted from the end of an axis of `size`; throws for entries outside of it.
Tensor checked_index(const Operand& index, int axis, std::int64_t size, const OpScope& scope);

/// x's elements at an index of x's shape but for the axis.
Tensor gathered(const Tensor& x, int axis, const Tensor& index);
/// Zeros of shape `whole` with g added at the index: the transpose of `gathered`.
Tensor ungathered(const Tensor& g, int axis, const Tensor& index, const Shape& whole);
/// x's slices at the 1-d indices.
Tensor taken(const Tensor& x, int axis, const Tensor& indices);

}  // namespace xgrad
