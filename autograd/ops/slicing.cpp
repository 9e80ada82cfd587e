#include <algorithm>
#include <autograd/ops.hpp>
#include <autograd/ops/walk.hpp>
#include <autograd/primitive.hpp>
#include <limits>

/// The ops that cut slices out.
namespace xgrad {
namespace {

/// `count` elements of an axis: first, first + step, ...
struct Range {
  std::int64_t first, step, count;
};

/// NumPy's reading of start:stop:step on an axis of `size` elements.
Range range_of(std::int64_t start, std::int64_t stop, std::int64_t step, std::int64_t size) {
  step = std::max(step, -std::numeric_limits<std::int64_t>::max());
  const bool forward = step > 0;
  const auto cut = [&](std::int64_t bound) {
    if (bound < 0) bound += size;
    return forward ? std::clamp<std::int64_t>(bound, 0, size) : std::clamp<std::int64_t>(bound, -1, size - 1);
  };
  start = cut(start);
  stop = cut(stop);
  const std::int64_t length = forward ? stop - start : start - stop;
  return {start, step, length > 0 ? (length - 1) / (forward ? step : -step) + 1 : 0};
}

Tensor sliced(const Tensor& x, int axis, const Range& range);

/// Zeros of shape `whole` with g in the range: the transpose of `sliced`.
Tensor unsliced(const Tensor& g, const Shape& whole, int axis, const Range& range) {
  const auto forward = [&] {
    const Array result = zeros(whole, {.dtype = g.dtype()}).array();
    Shape to = detail::strides_of(whole);
    const std::int64_t offset = g.size() > 0 ? range.first * to[axis] : 0;
    if (range.count > 1) to[axis] *= range.step;
    if (g.size() > 0)
      kernels::table().copy[int(g.dtype())](g.array().data(), result.viewed({}, offset).data(),
                                            loop_over(g.shape(), to, detail::strides_of(g.shape())));
    return result;
  };
  return primitive("unslice", {g}, forward, [axis, range](const Tensor& h) { return sliced(h, axis, range); });
}

Tensor sliced(const Tensor& x, int axis, const Range& range) {
  Shape shape = x.shape();
  shape[axis] = range.count;
  Shape from = detail::strides_of(x.shape());
  const std::int64_t offset = range.count > 0 ? range.first * from[axis] : 0;
  const bool leading_rows = (range.step == 1 || range.count < 2) && x.shape().product(0, axis) == 1;
  from[axis] *= range.count > 1 ? range.step : 1;
  return primitive(
      "slice", {x},
      [&] { return leading_rows ? x.array().viewed(shape, offset) : strided_copy(x.array(), shape, from, offset); },
      [whole = x.shape(), axis, range](const Tensor& g) { return unsliced(g, whole, axis, range); });
}

}  // namespace

Tensor slice(const Operand& x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step) {
  const OpScope scope("slice", x.place());
  axis = checked_axis(axis, x.shape());
  if (step == 0) scope.fail<ValueError>("the step is 0; pass a positive or negative one");
  return sliced(x.tensor(), axis, range_of(start, stop, step, x.shape()[axis]));
}

Tensor select(const Operand& x, int axis, std::int64_t i) {
  const OpScope scope("select", x.place());
  axis = checked_axis(axis, x.shape());
  return squeeze(sliced(x.tensor(), axis, {checked_position(i, axis, x.shape()), 1, 1}), axis);
}

std::vector<Tensor> unbind(const Operand& x, int axis) {
  const OpScope scope("unbind", x.place());
  axis = checked_axis(axis, x.shape());
  std::vector<Tensor> parts;
  for (std::int64_t i = 0; i < x.shape()[axis]; ++i) parts.push_back(select(x, axis, i));
  return parts;
}

Tensor Tensor::operator[](Index i) const { return select({*this, i.place}, 0, i.value); }

Tensor Tensor::element(const std::int64_t* indices, int count, Place place) const {
  const OpScope scope("at", place);
  if (count != ndim())
    scope.fail(count, count == 1 ? " index" : " indices", " for a tensor of shape ", shape(),
               "; give one for each axis, or take rows by x[i]");
  std::int64_t flat = 0;
  for (int axis = 0; axis < count; ++axis) flat = flat * shape()[axis] + checked_position(indices[axis], axis, shape());
  return reshape(sliced(reshape(*this, {-1}), 0, {flat, 1, 1}), Shape());
}

Tensor pad(const Operand& x, const std::vector<std::pair<int, int>>& widths, Number value) {
  const OpScope scope("pad", x.place());
  if (static_cast<int>(widths.size()) != x.ndim())
    scope.fail(widths.size(), " pairs of widths for an input of shape ", x.shape(), "; give one for each axis");
  Shape shape = x.shape();
  std::int64_t offset = 0;
  for (int d = 0; d < x.ndim(); ++d) {
    const auto [before, after] = widths[static_cast<std::size_t>(d)];
    if (before < 0 || after < 0)
      scope.fail<ValueError>("widths (", before, ", ", after, ") of axis ", d,
                             " are negative; cut the axis with slice instead");
    shape[d] += std::int64_t{before} + after;
  }
  check_sizes(shape);
  if (!Number(value).fits(x.dtype()))
    scope.fail<DtypeError>("the number ", value, " is no ", name_of(x.dtype()), "; convert the tensor with .to(f64)");
  const Shape to = detail::strides_of(shape);
  for (int d = 0; d < x.ndim(); ++d) offset += widths[static_cast<std::size_t>(d)].first * to[d];
  const auto forward = [&] {
    const Array result = full(shape, value, {.dtype = x.dtype()}).array();
    if (x.size() > 0)
      kernels::table().copy[int(x.dtype())](x.array().data(), result.viewed({}, offset).data(),
                                            loop_over(x.shape(), to, detail::strides_of(x.shape())));
    return result;
  };
  return primitive("pad", {x}, forward, [widths, inside = x.shape()](Tensor g) {
    for (int d = 0; d < inside.ndim(); ++d) {
      const std::int64_t before = widths[static_cast<std::size_t>(d)].first;
      if (inside[d] != g.shape()[d]) g = slice(g, d, before, before + inside[d]);
    }
    return g;
  });
}

Tensor flip(const Operand& x, const Axes& axes) {
  const OpScope scope("flip", x.place());
  const std::vector<int> along = checked_axes(axes, x.shape());
  Shape from = detail::strides_of(x.shape());
  std::int64_t first = 0;
  for (int axis : along) {
    first += (x.shape()[axis] - 1) * from[axis];
    from[axis] = -from[axis];
  }
  return primitive(
      "flip", {x}, [&] { return strided_copy(x.array(), x.shape(), from, first); },
      [along](const Tensor& g) { return flip(g, along); });
}

}  // namespace xgrad
