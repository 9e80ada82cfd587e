#pragma once
#include <autograd/factories.hpp>
#include <utility>

#pragma GCC visibility push(default)

/// Ops that move, choose and order elements, part of ops.hpp, which says what holds for all of them. Indices are i64,
/// negative ones count from the end, and those outside throw ValueError.
namespace xgrad {

// ---- order and scans (ops/ordering.cpp, ops/scan.cpp) ----

/// The i64 index of the first largest (smallest) element along an axis, the first NaN if there is one. Throws
/// ValueError on an axis of no elements.
Tensor argmax(const Operand& x, int axis);
Tensor argmin(const Operand& x, int axis);
struct Sorted {
  Tensor values, indices;
};
/// Stable; NaN comes last, or first if descending. indices are i64. Differentiable in the values.
Sorted sort(const Operand& x, int axis = -1, bool descending = false);
/// The k largest along the axis, largest first, NaN before all numbers. Throws ValueError unless 0 <= k <= the axis.
Sorted topk(const Operand& x, std::int64_t k, int axis = -1);
Tensor cumsum(const Operand& x, int axis);
Tensor cumprod(const Operand& x, int axis);

// ---- joining and cutting (ops/joining.cpp, ops/slicing.cpp) ----

Tensor concatenate(const std::vector<Tensor>& parts, int axis = 0, Place place = Place::here());
/// Equal shapes along a new axis.
Tensor stack(const std::vector<Tensor>& parts, int axis = 0, Place place = Place::here());
/// `sections` equal parts; the axis must divide evenly.
std::vector<Tensor> split(const Operand& x, std::int64_t sections, int axis = 0);
/// Elements start, start + step, ... before stop; negative bounds count from the end and bounds past it are cut, as in
/// NumPy; step may be negative (then stop = INT64_MIN runs through the first element). A slice of leading rows shares
/// storage.
Tensor slice(const Operand& x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step = 1);
/// What lies at position i of an axis, without that axis; i counts from the end if negative. Throws ValueError outside
/// of it. A selected row shares storage.
Tensor select(const Operand& x, int axis, std::int64_t i);
/// All of them along an axis: {select(x, axis, 0), ...}.
std::vector<Tensor> unbind(const Operand& x, int axis = 0);
/// (before, after) new elements of `value` for each axis.
Tensor pad(const Operand& x, const std::vector<std::pair<int, int>>& widths, Number value = 0);
/// Reverses the order along the axes.
Tensor flip(const Operand& x, const Axes& axes);
/// x repeated reps[i] times along axis i; reps may be longer than x has axes.
Tensor tile(const Operand& x, const std::vector<std::int64_t>& reps);

// ---- indexing (ops/indexing.cpp) ----

/// y[i][j] = x[index[i][j]][j] for axis 0, and likewise for others; x and index agree in every other axis.
Tensor gather(const Operand& x, int axis, const Operand& index);
/// The slices at `indices` (any shape, which replaces the axis).
Tensor take(const Operand& x, const Operand& indices, int axis = 0);
/// x with source's slices added at the 1-d indices; repeated indices add up.
Tensor index_add(const Operand& x, int axis, const Operand& indices, const Operand& source);
/// (...) classes -> (..., n), f32 zeros and a one; classes in [0, n).
Tensor one_hot(const Operand& classes, std::int64_t n);

}  // namespace xgrad
#pragma GCC visibility pop
