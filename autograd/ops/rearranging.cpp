#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/walk.hpp>
#include <autograd/primitive.hpp>
#include <limits>

/// The ops that repeat elements and move them around.
namespace xgrad {
namespace {

/// x's elements `by` places further along the axis, in a circle; 0 <= by < the axis.
Tensor rolled(const Operand& x, std::int64_t by, int axis) {
  const auto forward = [&] {
    const Array& from = x.array();
    const Array result(x.dtype(), x.shape());
    const AxisView view(x.shape(), axis);
    const std::int64_t line = view.count * view.inner;
    const auto copy = [&](std::int64_t source, std::int64_t target, std::int64_t count) {
      const std::int64_t run = count * view.inner;
      if (view.outer * run > 0)
        kernels::table().copy[int(x.dtype())](from.viewed({}, source * view.inner).data(),
                                              result.viewed({}, target * view.inner).data(),
                                              loop_over({view.outer, run}, {line, 1}, {line, 1}));
    };
    copy(0, by, view.count - by);
    copy(view.count - by, 0, by);
    return result;
  };
  return primitive("roll", {x}, forward,
                   [by, axis, n = x.shape()[axis]](const Tensor& g) { return rolled(g, by == 0 ? 0 : n - by, axis); });
}

/// The windows of an axis: `size` elements each, `count` of them, `step` apart.
struct Windows {
  int axis;
  std::int64_t size, step, count;

  /// The shape of the windows of `whole`, and the strides by which they are walked there.
  Shape shape(const Shape& whole) const {
    Shape result = whole;
    result[axis] = count;
    result.push_back(size);
    return result;
  }
  Shape strides(const Shape& whole) const {
    Shape result = detail::strides_of(whole);
    const std::int64_t along = result[axis];
    result[axis] = along * step;
    result.push_back(along);
    return result;
  }
};

Tensor unfolded(const Operand& x, const Windows& w);

/// Zeros with the windows added where they come from.
Tensor folded(const Tensor& g, const Shape& whole, const Windows& w) {
  const auto forward = [&] {
    const Array result = zeros(whole, {.dtype = g.dtype()}).array();
    Shape shape = w.shape(whole), to = w.strides(whole), from = detail::strides_of(shape);
    // Elements of one window lie apart, as do those of one place in all windows, so that each pass adds to an element
    // at most once; of the two ways the one of fewer passes.
    const int along = w.size < w.count ? shape.ndim() - 1 : w.axis;
    const std::int64_t passes = std::exchange(shape[along], 1);
    for (std::int64_t i = 0; i < passes && g.size() > 0; ++i)
      kernels::table().accumulate[int(g.dtype())](g.array().viewed({}, i * from[along]).data(),
                                                  result.viewed({}, i * to[along]).data(), loop_over(shape, to, from));
    return result;
  };
  return primitive("fold", {g}, forward, [w](const Tensor& h) { return unfolded(h, w); });
}

Tensor unfolded(const Operand& x, const Windows& w) {
  return primitive(
      "unfold", {x}, [&] { return strided_copy(x.array(), w.shape(x.shape()), w.strides(x.shape())); },
      [w, whole = x.shape()](const Tensor& g) { return folded(g, whole, w); });
}

/// How many elements pad can continue an axis of n with.
std::int64_t widest(std::int64_t n, PadMode mode) {
  if (mode == PadMode::replicate) return n > 0 ? std::numeric_limits<int>::max() : 0;
  return mode == PadMode::reflect && n > 0 ? n - 1 : n;
}

/// Where pad finds the elements of an axis of n that it makes longer.
std::vector<std::int64_t> sources(std::int64_t n, std::int64_t before, std::int64_t after, PadMode mode) {
  std::vector<std::int64_t> result;
  for (std::int64_t i = -before; i < n + after; ++i) {
    switch (mode) {
      case PadMode::reflect:
        result.push_back(i < 0 ? -i : i < n ? i : 2 * (n - 1) - i);
        break;
      case PadMode::replicate:
        result.push_back(std::clamp<std::int64_t>(i, 0, n - 1));
        break;
      case PadMode::circular:
        result.push_back(i < 0 ? i + n : i < n ? i : i - n);
        break;
    }
  }
  return result;
}

}  // namespace

Tensor roll(const Operand& x, std::int64_t shift, int axis) {
  const OpScope scope("roll", x.place());
  axis = checked_axis(axis, x.shape());
  const std::int64_t n = x.shape()[axis], by = n > 0 ? shift % n : 0;
  return rolled(x, by < 0 ? by + n : by, axis);
}

Tensor unfold(const Operand& x, int axis, std::int64_t size, std::int64_t step) {
  const OpScope scope("unfold", x.place());
  axis = checked_axis(axis, x.shape());
  const std::int64_t n = x.shape()[axis];
  if (step < 1) scope.fail<ValueError>("the step is ", step, "; expected at least 1");
  if (size < 0 || size > n)
    scope.fail<ValueError>("the size is ", size, ", and axis ", axis, " of shape ", x.shape(), " has ", n,
                           " elements; expected 0 <= size <= ", n);
  const Windows windows{axis, size, step, (n - size) / step + 1};
  check_sizes(windows.shape(x.shape()));
  return unfolded(x, windows);
}

Tensor pad(const Operand& x, const std::vector<std::pair<int, int>>& widths, PadMode mode) {
  const OpScope scope("pad", x.place());
  if (static_cast<int>(widths.size()) != x.ndim())
    scope.fail(widths.size(), " pairs of widths for an input of shape ", x.shape(), "; give one for each axis");
  Tensor y = x.tensor();
  for (int d = 0; d < x.ndim(); ++d) {
    const auto [before, after] = widths[static_cast<std::size_t>(d)];
    if (before == 0 && after == 0) continue;
    const std::int64_t n = x.shape()[d], most = widest(n, mode);
    if (std::min(before, after) < 0 || std::max(before, after) > most)
      scope.fail<ValueError>("widths (", before, ", ", after, ") of axis ", d, ", which has ", n,
                             n == 1 ? " element" : " elements", "; expected 0 to ", most, " in this mode");
    y = taken(y, d, from_values(sources(n, before, after, mode)));
  }
  return y;
}

Tensor repeat_interleave(const Operand& x, const Operand& n, int axis) {
  const OpScope scope("repeat_interleave", x.place());
  axis = checked_axis(axis, x.shape());
  const std::int64_t size = x.shape()[axis];
  if (n.is_number()) {
    if (!n.number().fits(i64) || n.number().integer() < 0)
      scope.fail<ValueError>("elements are to be repeated ", n.number(), " times; expected an integer of at least 0");
    Shape shape = x.shape();
    const std::int64_t times = n.number().integer();
    if (__builtin_mul_overflow(size, times, &shape[axis]))
      scope.fail("axis ", axis, " of shape ", x.shape(), " repeated ", times,
                 " times has more elements than can be counted");
    check_sizes(shape);
    const AxisView view(x.shape(), axis);
    const std::int64_t outer = view.outer * size;
    return reshape(broadcast_to(reshape(x, {outer, 1, view.inner}), {outer, times, view.inner}), shape);
  }
  check_index_dtype(n, "counts", scope);
  if (n.shape() != Shape{size})
    scope.fail("the counts are ", n.shape(), "; expected a number, or one for each element, ", Shape{size});
  capturing::refuse();
  std::vector<std::int64_t> from;
  const auto* const times = n.array().data<std::int64_t>();
  for (std::int64_t i = 0; i < size; ++i) {
    if (times[i] < 0)
      scope.fail<ValueError>("element ", i, " is to be repeated ", times[i], " times; expected at least 0");
    from.insert(from.end(), static_cast<std::size_t>(times[i]), i);
  }
  return taken(x.tensor(), axis, from_values(from));
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& parts, Place place) {
  const OpScope scope("meshgrid", place);
  if (parts.empty()) scope.fail<ValueError>("expected at least one tensor, got an empty list");
  Shape shape;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Operand part(parts[i], place);
    if (part.ndim() != 1) scope.fail("tensor ", i, " is ", part.shape(), "; expected one axis");
    shape.push_back(part.size());
  }
  std::vector<Tensor> grids;
  for (int d = 0; d < shape.ndim(); ++d) {
    Shape along = shape;
    for (int k = 0; k < shape.ndim(); ++k)
      if (k != d) along[k] = 1;
    const Operand part(parts[static_cast<std::size_t>(d)], place);
    grids.push_back(broadcast_to(reshape(part, along), shape));
  }
  return grids;
}

}  // namespace xgrad
