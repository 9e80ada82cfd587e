#include <autograd/ops/windows.hpp>

/// What ops with a moving window share.
namespace xgrad {

Window::Window(const OpScope& scope, const Operand& x) : scope_(scope), x_(x.shape()), count_(x.ndim() - 2) {
  check_floating(x);
  if (count_ < 1 || count_ > kernels::image_axes)
    scope.fail("x is ", x.shape(), "; it needs axes (n, channels) and 1 to 3 more");
  geometry.images = x_[0];
  geometry.channels = x_[1];
  geometry.groups = 1;
  set(&kernels::Convolution::in, {x_.begin() + 2, x_.end()});
}

Shape Window::each(const char* what, const Shape& sizes, std::int64_t least) const {
  Shape all = sizes;
  if (sizes.ndim() == 1)
    while (all.ndim() < count_) all.push_back(sizes[0]);
  if (all.ndim() != count_)
    scope_.fail("x is ", x_, " and the ", what, " ", sizes, "; give one number, or one for each of ", count_, " axes");
  for (const std::int64_t size : all)
    if (size < least) scope_.fail<ValueError>("the ", what, " is ", sizes, "; it must be at least ", least);
  return all;
}

void Window::place(const Shape& padding, bool is_same) {
  kernels::Convolution& c = geometry;
  for (int d = 0; d < kernels::image_axes; ++d) {
    const std::int64_t width = c.dilation[d] * (c.kernel[d] - 1) + 1;
    if (is_same) {
      c.out[d] = (c.in[d] + c.stride[d] - 1) / c.stride[d];
      const std::int64_t missing = (c.out[d] - 1) * c.stride[d] + width - c.in[d];
      c.before[d] = missing > 0 ? missing / 2 : 0;
      continue;
    }
    c.before[d] = axis(d) < 0 ? 0 : padding[axis(d)];
    const std::int64_t padded = c.in[d] + 2 * c.before[d];
    if (width > padded)
      scope_.fail("x is ", x_, ", ", padded, " elements with padding along axis ", axis(d) + 2,
                  ", and the kernel takes ", width, "; pad more, or take a smaller kernel");
    c.out[d] = (padded - width) / c.stride[d] + 1;
  }
}

Shape Window::result(std::int64_t channels) const {
  Shape shape{geometry.images, channels};
  for (int d = kernels::image_axes - count_; d < kernels::image_axes; ++d) shape.push_back(geometry.out[d]);
  return shape;
}

}  // namespace xgrad
