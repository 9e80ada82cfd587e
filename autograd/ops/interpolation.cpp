#include <autograd/ops/windows.hpp>

/// Resizing, axis by axis.
namespace xgrad {
namespace {

/// For each of `size` elements of the result the two of n that it lies between, and how near the second is.
struct Neighbours {
  std::vector<std::int64_t> low, high;
  std::vector<double> share;

  Neighbours(std::int64_t n, std::int64_t size, bool align_corners) {
    const double from = static_cast<double>(n), to = static_cast<double>(size);
    for (std::int64_t i = 0; i < size; ++i) {
      const double at = align_corners ? (size > 1 ? static_cast<double>(i) * (from - 1) / (to - 1) : 0)
                                      : std::max((static_cast<double>(i) + .5) * (from / to) - .5, 0.);
      low.push_back(std::min(static_cast<std::int64_t>(at), n - 1));
      high.push_back(std::min(low.back() + 1, n - 1));
      share.push_back(at - static_cast<double>(low.back()));
    }
  }
};

Tensor nearest(const Tensor& x, int axis, std::int64_t size) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < size; ++i) places.push_back(i * x.shape()[axis] / size);
  return take(x, from_values(places), axis);
}

Tensor linear(const Tensor& x, int axis, std::int64_t size, bool align_corners) {
  const Neighbours at(x.shape()[axis], size, align_corners);
  Shape along{size};
  for (int d = axis + 1; d < x.ndim(); ++d) along.push_back(1);
  const Tensor share = from_values(at.share, along).to(x.dtype());
  return take(x, from_values(at.low), axis) * (1 - share) + take(x, from_values(at.high), axis) * share;
}

}  // namespace

Tensor interpolate(const Operand& x, const InterpolateOptions& options) {
  const OpScope scope("interpolate", x.place());
  const Window window(scope, x);
  if (options.size.ndim() == 0) scope.fail<ValueError>("no size is given; say how large each axis is to be");
  const Shape sizes = window.each("size", options.size, 1);
  if (options.align_corners && options.mode == Interpolation::nearest)
    scope.fail<ValueError>("align_corners is about the mode linear, and the mode is nearest; leave it out");
  Tensor y = x.tensor();
  for (int axis = 2; axis < x.ndim(); ++axis) {
    const std::int64_t n = x.shape()[axis], size = sizes[axis - 2];
    if (n == 0) scope.fail("x is ", x.shape(), ", and axis ", axis, " has no elements to make others of");
    if (size == n) continue;
    y = options.mode == Interpolation::nearest ? nearest(y, axis, size) : linear(y, axis, size, options.align_corners);
  }
  return y;
}

}  // namespace xgrad
