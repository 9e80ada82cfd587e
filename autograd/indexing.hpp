#pragma once
#include <autograd/factories.hpp>
#include <utility>

#pragma GCC visibility push(default)

/// Ops that move, choose and order elements, part of ops.hpp, which says what holds for all of them. Indices are i64,
/// negative ones count from the end, and those outside throw ValueError.
namespace xgrad {

// ---- order and scans ----

/// The i64 index of the first largest (smallest) element along an axis, the first NaN if there is one. Throws
/// ValueError on an axis of no elements. Without an axis the place among all elements in row-major order.
Tensor argmax(const Operand& x, int axis, bool keepdims = false);
Tensor argmin(const Operand& x, int axis, bool keepdims = false);
Tensor argmax(const Operand& x);
Tensor argmin(const Operand& x);
struct Sorted {
  Tensor values, indices;
};
/// Stable; NaN comes last, or first if descending. indices are i64. Differentiable in the values.
Sorted sort(const Operand& x, int axis = -1, bool descending = false);
/// The k largest along the axis, largest first, NaN before all numbers. Throws ValueError unless 0 <= k <= the axis.
Sorted topk(const Operand& x, std::int64_t k, int axis = -1);
/// The sum (product) of all elements up to each place along the axis. Of booleans as i64, as sum and prod.
Tensor cumsum(const Operand& x, int axis);
Tensor cumprod(const Operand& x, int axis);
/// The largest (smallest) element up to each place along the axis, NaN from the first one on, as NumPy's
/// maximum.accumulate. The gradient goes to the element that it is, the last one where several are equal.
Tensor cummax(const Operand& x, int axis);
Tensor cummin(const Operand& x, int axis);
/// x[1:] - x[:-1] along the axis, n times.
Tensor diff(const Operand& x, int n = 1, int axis = -1);
/// The number below which the share q of the elements lies: of n in order, what stands at place q (n - 1), between two
/// places on the line between their elements (NumPy's method "linear"), which never falls as q grows. NaN if there is
/// one. Throws ValueError on no elements and unless 0 <= q <= 1.
Tensor quantile(const Operand& x, double q, const Axes& axes = {}, bool keepdims = false);
/// quantile(x, 0.5), as NumPy's: of an even count the mean of the two in the middle. (PyTorch's takes the lower one.)
Tensor median(const Operand& x, const Axes& axes = {}, bool keepdims = false);
/// Where each value belongs in `sorted`, as i64: before the first element that is not smaller, or for `right` behind
/// the last that is not larger; NaN counts as the largest number. `sorted` is 1-d, or (..., n) for values (..., m).
Tensor searchsorted(const Operand& sorted, const Operand& values, bool right = false);

// ---- joining and cutting ----

/// One behind the other along an axis; all others are alike.
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
/// What pad continues an axis (1 2 3) with: reflect 3 2 (1 2 3) 2 1, replicate 1 1 (1 2 3) 3 3, circular
/// 2 3 (1 2 3) 1 2.
enum class PadMode { reflect, replicate, circular };
/// The same with copies of x's own elements. Throws ValueError where the axis has too few: reflect needs more than a
/// width, circular as many, replicate one.
Tensor pad(const Operand& x, const std::vector<std::pair<int, int>>& widths, PadMode mode);
/// All windows of `size` elements along an axis, `step` apart: axis n becomes (n - size) / step + 1 windows, whose
/// elements are a new last axis. Throws ValueError unless step >= 1 and 0 <= size <= n.
Tensor unfold(const Operand& x, int axis, std::int64_t size, std::int64_t step = 1);
/// Reverses the order along the axes.
Tensor flip(const Operand& x, const Axes& axes);
/// Moves elements `shift` places along the axis, those past its end to its beginning: y[i] = x[i - shift].
Tensor roll(const Operand& x, std::int64_t shift, int axis);
/// x repeated reps[i] times along axis i; reps may be longer than x has axes.
Tensor tile(const Operand& x, const std::vector<std::int64_t>& reps);
/// Each element along the axis n times in a row; n is a number, or 1-d i64 with one for each element. A captured step,
/// whose shapes are fixed, takes a number only.
Tensor repeat_interleave(const Operand& x, const Operand& n, int axis);
/// Each 1-d part along an axis of its own, and broadcast along the others' axes: result k at [i0, i1, ...] is
/// parts[k][ik]. (NumPy's indexing = "ij", as PyTorch's.)
std::vector<Tensor> meshgrid(const std::vector<Tensor>& parts, Place place = Place::here());

// ---- diagonals; number d of them is d places to the right of the main one ----

/// x (..., m, n) with zeros above (below) the diagonal.
Tensor tril(const Operand& x, std::int64_t diagonal = 0);
Tensor triu(const Operand& x, std::int64_t diagonal = 0);
/// The elements of a diagonal of two axes, which become one, the last.
Tensor diagonal(const Operand& x, std::int64_t offset = 0, int axis_a = 0, int axis_b = 1);
/// Of a 1-d x the square matrix with x on a diagonal and zeros elsewhere; of a 2-d x its diagonal.
Tensor diag(const Operand& x, std::int64_t offset = 0);
/// The sum of a diagonal of the first two axes.
Tensor trace(const Operand& x, std::int64_t offset = 0);

// ---- indexing ----

/// y[i][j] = x[index[i][j]][j] for axis 0, and likewise for others; x and index agree in every other axis.
Tensor gather(const Operand& x, int axis, const Operand& index);
/// The slices at `indices` (any shape, which replaces the axis). For axis 0 of a leaf, as a table of vectors is, the
/// gradient that backward leaves there is kept as the slices' own, and costs what these do until grad() asks for it;
/// see optim/optimizer.hpp.
Tensor take(const Operand& x, const Operand& indices, int axis = 0);
/// x with source's slices, times alpha, added at the 1-d indices; repeated indices add up.
Tensor index_add(const Operand& x, int axis, const Operand& indices, const Operand& source, Number alpha = 1);
/// x with source's elements added where `gather` would read them: y[index[i][j]][j] += source[i][j] for axis 0.
/// Repeated indices add up. index and source have one shape, which agrees with x's in every other axis.
Tensor scatter_add(const Operand& x, int axis, const Operand& index, const Operand& source);
/// x with y[i, j] = values, or += values if `accumulate`, for indices of the leading axes that broadcast against one
/// another; values broadcasts to their shape followed by x's other axes. Of several values for one place the last one
/// stays, and takes the gradient. By a mask: where(mask, values, x).
Tensor index_put(const Operand& x, const std::vector<Tensor>& indices, const Operand& values, bool accumulate = false);
/// The indices of the elements that are not zero, in row-major order, as (count, axes). How many there are is known
/// only when it is computed, so a captured step throws GraphError.
Tensor nonzero(const Operand& x);
/// Those of x where the boolean mask is true, in row-major order, 1-d; the two broadcast. Not captured, as nonzero.
Tensor masked_select(const Operand& x, const Operand& mask);
struct EmbeddingOptions {
  std::int64_t padding_index = -1;  // a row whose gradient stays zero; -1 for none
};
/// The rows of a weight (count, features...) at the indices: take along axis 0.
Tensor embedding(const Operand& weight, const Operand& indices, EmbeddingOptions options = {});
/// (...) classes -> (..., n), f32 zeros and a one; classes in [0, n).
Tensor one_hot(const Operand& classes, std::int64_t n);

}  // namespace xgrad
#pragma GCC visibility pop
