#include <autograd/kernels/pooling.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/windows.hpp>
#include <autograd/primitive.hpp>

/// The largest and the mean elements of windows.
namespace xgrad {
namespace {

using kernels::Convolution;

void check_some(const OpScope& scope, const Operand& x) {
  for (int axis = 2; axis < x.ndim(); ++axis)
    if (x.shape()[axis] == 0) scope.fail("x is ", x.shape(), ", and axis ", axis, " has no elements to pool");
}

/// The windows of a pooling, each channel of each image being an image of its own.
Window windows_of(const OpScope& scope, const Operand& x, const Shape& kernel, const Shape& stride,
                  const Shape& padding) {
  Window window(scope, x);
  check_some(scope, x);
  const Shape sizes = window.each("kernel", kernel, 1), around = window.each("padding", padding, 0);
  window.set(&Convolution::kernel, sizes);
  window.set(&Convolution::stride, window.each("stride", stride.ndim() > 0 ? stride : kernel, 1));
  window.set(&Convolution::dilation, window.each("dilation", {1}, 1));
  for (int d = 0; d < window.axes(); ++d)
    if (2 * around[d] > sizes[d])
      scope.fail<ValueError>("the padding is ", padding, ", the kernel ", kernel,
                             "; it must be at most half the kernel");
  window.place(around);
  return window;
}

/// The geometry of planes (n channels, 1, ...).
Convolution planes_of(const Window& window) {
  Convolution c = window.geometry;
  c.images *= c.channels;
  c.channels = c.outputs = 1;
  return c;
}

/// The sums of windows, by a convolution with ones.
Tensor sums(const Tensor& x, const Convolution& c, int axes) {
  Shape planes{c.images, 1}, kernel{1, 1};
  for (int d = kernels::image_axes - axes; d < kernels::image_axes; ++d) {
    planes.push_back(c.in[d]);
    kernel.push_back(c.kernel[d]);
  }
  return convolved(reshape(x, planes), ones(kernel, {.dtype = x.dtype()}), {}, c, axes);
}

/// How many elements of x lie in each window: (1, 1, out...).
Tensor counts(Convolution c, int axes, Dtype dtype) {
  c.images = 1;
  return sums(ones({c.in_size()}, {.dtype = dtype}), c, axes);
}

/// (n, size): column j averages the elements from floor(j n / size) to ceil((j + 1) n / size).
Tensor averaging(std::int64_t n, std::int64_t size, Dtype dtype) {
  std::vector<double> weights(static_cast<std::size_t>(n * size));
  for (std::int64_t j = 0; j < size; ++j) {
    const std::int64_t first = j * n / size, last = ((j + 1) * n + size - 1) / size;
    for (std::int64_t i = first; i < last; ++i)
      weights[static_cast<std::size_t>(i * size + j)] = 1 / static_cast<double>(last - first);
  }
  return from_values(weights, {n, size}).to(dtype);
}

/// The transpose of picking the largest elements: zeros of shape `whole` with g at their places.
Tensor spread_out(const Tensor& g, const Tensor& index, const Shape& whole, const Convolution& c) {
  const auto forward = [&] {
    Array dx(g.dtype(), whole);
    if (dx.size() > 0)
      capturing::repeat(kernels::spread_maxima, c, g.dtype(), g.array().data(), index.data<std::int64_t>(), dx.data());
    return dx;
  };
  return primitive(
      "scatter_add", {g, index}, forward,
      [index, shape = g.shape(), in = c.in_size()](const Tensor& h) {
        return reshape(gathered(reshape(h, {index.shape()[0], in}), 1, index), shape);
      },
      not_differentiable);
}

/// Exchanges an axis and the last one.
Tensor swap_last(const Tensor& x, int axis) {
  if (axis == x.ndim() - 1) return x;
  std::vector<int> order(static_cast<std::size_t>(x.ndim()));
  for (int d = 0; d < x.ndim(); ++d) order[static_cast<std::size_t>(d)] = d;
  std::swap(order[static_cast<std::size_t>(axis)], order.back());
  return permute(x, order);
}

}  // namespace

Tensor max_pool(const Operand& x, const Shape& kernel, const MaxPoolOptions& options) {
  const OpScope scope("max_pool", x.place());
  const Window window = windows_of(scope, x, kernel, options.stride, options.padding);
  const Shape shape = window.result(x.shape()[1]);
  check_sizes(shape);
  const Convolution c = planes_of(window);
  const OperandRef input = x;
  const bool recorded = detail::recording(&input, 1);
  const Tensor index = recorded ? Tensor(Array(i64, {c.images, c.out_size()})) : Tensor();
  const auto forward = [&] {
    Array y(x.dtype(), shape);
    if (y.size() > 0)
      kernels::table().max_windows[int(x.dtype())](c, x.array().data(), y.data(),
                                                   recorded ? index.data<std::int64_t>() : nullptr);
    return y;
  };
  return primitive("max_pool", {x}, forward,
                   [index, whole = x.shape(), c](const Tensor& g) { return spread_out(g, index, whole, c); });
}

Tensor avg_pool(const Operand& x, const Shape& kernel, const AvgPoolOptions& options) {
  const OpScope scope("avg_pool", x.place());
  const Window window = windows_of(scope, x, kernel, options.stride, options.padding);
  const Shape shape = window.result(x.shape()[1]);
  check_sizes(shape);
  const Convolution c = planes_of(window);
  const Tensor total = reshape(sums(x.tensor(), c, window.axes()), shape);
  if (options.count_padding) return total / static_cast<double>(c.kernel_size());
  return total / counts(c, window.axes(), x.dtype());
}

Tensor adaptive_avg_pool(const Operand& x, const Shape& size) {
  const OpScope scope("adaptive_avg_pool", x.place());
  const Window window(scope, x);
  check_some(scope, x);
  const Shape sizes = window.each("size", size, 1);
  Tensor y = x.tensor();
  for (int axis = 2; axis < x.ndim(); ++axis) {
    const std::int64_t n = x.shape()[axis], wanted = sizes[axis - 2];
    if (wanted == 1) {
      y = mean(y, axis, true);
    } else if (wanted != n) {
      y = swap_last(matmul(swap_last(y, axis), averaging(n, wanted, x.dtype())), axis);
    }
  }
  return y;
}

}  // namespace xgrad
