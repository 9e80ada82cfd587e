#include <autograd/ops/windows.hpp>
#include <autograd/primitive.hpp>
#include <memory>

/// Convolutions: three bilinear maps of x, w and y, of which each is the derivative of another, so that every order
/// exists.
namespace xgrad {
namespace {

using kernels::Convolution;

/// The geometry, and the shapes that it gives x, w and y.
struct Maps {
  Convolution c;
  Shape x, w, y;

  Maps(const Convolution& convolution, int axes)
      : c(convolution),
        x(with_axes(c.images, c.channels, c.in, axes)),
        w(with_axes(c.outputs, c.group_channels(), c.kernel, axes)),
        y(with_axes(c.images, c.outputs, c.out, axes)) {}

 private:
  static Shape with_axes(std::int64_t a, std::int64_t b, const std::int64_t (&sizes)[kernels::image_axes], int axes) {
    Shape shape{a, b};
    for (int d = kernels::image_axes - axes; d < kernels::image_axes; ++d) shape.push_back(sizes[d]);
    return shape;
  }
};
using MapsRef = std::shared_ptr<const Maps>;

Tensor forward(const Tensor& x, const Tensor& w, const Tensor& b, const MapsRef& maps);
Tensor transposed(const Tensor& y, const Tensor& w, const Tensor& b, const MapsRef& maps);
Tensor by_weights(const Tensor& x, const Tensor& y, const MapsRef& maps);

/// The derivative by a bias: g summed over all axes but the second.
Tensor sum_to_bias(const Tensor& g) {
  std::vector<int> axes{0};
  for (int d = 2; d < g.ndim(); ++d) axes.push_back(d);
  return sum(g, axes);
}

/// One of the three maps into an array of `shape`.
template <class Kernel, class... Rest>
Array run(Kernel kernel, const MapsRef& maps, const Shape& shape, const Tensor& a, const Tensor& b, Rest... rest) {
  Array result(a.dtype(), shape);
  if (result.size() > 0)
    capturing::repeat(kernel, maps->c, a.dtype(), a.array().data(), b.array().data(), rest..., result.data());
  return result;
}
const void* numbers_of(const Tensor& b) { return b.defined() ? b.array().data() : nullptr; }

/// x (*) w + b = y as an op of two inputs, or three if there is a b.
template <class Forward, class ToX, class ToW>
Tensor biased(const char* name, const Tensor& x, const Tensor& w, const Tensor& b, Forward run, ToX&& to_x,
              ToW&& to_w) {
  if (!b.defined()) return primitive(name, {x, w}, run, std::move(to_x), std::move(to_w));
  return primitive(name, {x, w, b}, run, std::move(to_x), std::move(to_w), sum_to_bias);
}

Tensor forward(const Tensor& x, const Tensor& w, const Tensor& b, const MapsRef& maps) {
  return biased(
      "conv", x, w, b, [&] { return run(kernels::convolve, maps, maps->y, x, w, numbers_of(b)); },
      [w = Saved(w), maps](const Tensor& g) { return transposed(g, w.tensor(), {}, maps); },
      [x = Saved(x), maps](const Tensor& g) { return by_weights(x.tensor(), g, maps); });
}

Tensor transposed(const Tensor& y, const Tensor& w, const Tensor& b, const MapsRef& maps) {
  return biased(
      "conv_transpose", y, w, b, [&] { return run(kernels::convolve_transposed, maps, maps->x, y, w, numbers_of(b)); },
      [w = Saved(w), maps](const Tensor& g) { return forward(g, w.tensor(), {}, maps); },
      [y = Saved(y), maps](const Tensor& g) { return by_weights(g, y.tensor(), maps); });
}

/// The derivative by the weights of each image: as many groups more as there are images, of a single one.
Tensor by_weights_of_each(const Tensor& x, const Tensor& y, const Maps& maps) {
  Convolution c = maps.c;
  c.groups *= c.images, c.channels *= c.images, c.outputs *= c.images;
  Shape shape = maps.w;
  shape.insert(0, c.images);
  c.images = 1;
  Array result(x.dtype(), shape);
  if (result.size() > 0)
    capturing::repeat(kernels::convolve_weights, c, x.dtype(), x.array().data(), y.array().data(), result.data());
  return Tensor(std::move(result));
}

Tensor by_weights(const Tensor& x, const Tensor& y, const MapsRef& maps) {
  if (WeightsOfEachImage::active()) return by_weights_of_each(x, y, *maps);
  return primitive(
      "conv_weights", {x, y}, [&] { return run(kernels::convolve_weights, maps, maps->w, x, y); },
      [y = Saved(y), maps](const Tensor& g) { return transposed(y.tensor(), g, {}, maps); },
      [x = Saved(x), maps](const Tensor& g) { return forward(x.tensor(), g, {}, maps); });
}

/// Throws unless dtypes agree and w has as many axes as x.
void check_operands(const OpScope& scope, const Operand& x, const Operand& w, const Tensor& b) {
  if (x.is_number() || w.is_number())
    scope.fail<ValueError>("an argument is a plain number; make it a tensor with tensor(...)");
  if (x.dtype() != w.dtype() || (b.defined() && b.dtype() != x.dtype()))
    scope.fail<DtypeError>("x is ", name_of(x.dtype()), ", w is ", name_of(w.dtype()),
                           b.defined() ? text(", b is ", name_of(b.dtype())) : "", "; convert with .to(...)");
  if (w.ndim() != x.ndim() && x.ndim() > 2)
    scope.fail("x is ", x.shape(), ", w is ", w.shape(), "; they must have equally many axes");
}

/// Sets the kernel, how it moves, and the groups, which must divide `divided`, the channels of x.
void set_moves(const OpScope& scope, Window& window, const Operand& w, const Shape& stride, const Shape& dilation,
               std::int64_t groups) {
  window.set(&Convolution::kernel, window.each("kernel", {w.shape().begin() + 2, w.shape().end()}, 1));
  window.set(&Convolution::stride, window.each("stride", stride, 1));
  window.set(&Convolution::dilation, window.each("dilation", dilation, 1));
  const std::int64_t channels = window.geometry.channels;
  if (groups < 1 || channels % groups != 0 || w.shape()[0] % groups != 0)
    scope.fail<ValueError>("there are ", groups, " groups, for ", channels, " channels and a w of shape ", w.shape(),
                           "; they must divide the channels and the first axis of w");
  window.geometry.groups = groups;
}

void check_bias(const OpScope& scope, const Tensor& b, std::int64_t outputs) {
  if (b.defined() && b.shape() != Shape{outputs})
    scope.fail("the bias is ", b.shape(), ", and there are ", outputs, " outputs; it needs shape (", outputs, ",)");
}

}  // namespace

thread_local constinit bool WeightsOfEachImage::active_ = false;

Tensor convolved(const Tensor& x, const Tensor& w, const Tensor& b, const Convolution& c, int axes) {
  return forward(x, w, b, std::make_shared<Maps>(c, axes));
}

Tensor conv(const Operand& x, const Operand& w, const Tensor& b, const ConvOptions& options) {
  const OpScope scope("conv", x.place());
  check_operands(scope, x, w, b);
  Window window(scope, x);
  Convolution& c = window.geometry;
  set_moves(scope, window, w, options.stride, options.dilation, options.groups);
  c.outputs = w.shape()[0];
  if (w.shape()[1] != c.group_channels())
    scope.fail("x is ", x.shape(), ", w is ", w.shape(), " with groups ", c.groups, "; x needs ",
               w.shape()[1] * c.groups, " channels");
  window.place(window.each("padding", options.padding.sizes(), 0), options.padding.is_same());
  check_bias(scope, b, c.outputs);
  check_sizes(window.result(c.outputs));
  return convolved(x.tensor(), w.tensor(), b, c, window.axes());
}

Tensor conv_transpose(const Operand& x, const Operand& w, const Tensor& b, const ConvTransposeOptions& options) {
  const OpScope scope("conv_transpose", x.place());
  check_operands(scope, x, w, b);
  Window window(scope, x);
  Convolution& c = window.geometry;
  set_moves(scope, window, w, options.stride, options.dilation, options.groups);
  if (w.shape()[0] != c.channels)
    scope.fail("x is ", x.shape(), ", w is ", w.shape(), "; x needs ", w.shape()[0], " channels");
  if (options.padding.is_same()) scope.fail<ValueError>("the padding Same has no transposed form; give it as a number");
  const Shape padding = window.each("padding", options.padding.sizes(), 0),
              more = window.each("output_padding", options.output_padding, 0);
  // What follows is the convolution that goes from the result to x.
  c.outputs = c.channels;
  c.channels = w.shape()[1] * c.groups;
  for (int d = 0; d < kernels::image_axes; ++d) {
    const int axis = d - (kernels::image_axes - window.axes());
    c.out[d] = c.in[d];
    if (axis < 0) continue;
    if (more[axis] > 0 && more[axis] >= std::max(c.stride[d], c.dilation[d]))
      scope.fail<ValueError>("the output_padding is ", options.output_padding,
                             "; it must be less than the stride or the dilation");
    c.before[d] = padding[axis];
    c.in[d] = (c.in[d] - 1) * c.stride[d] - 2 * padding[axis] + c.dilation[d] * (c.kernel[d] - 1) + 1 + more[axis];
    if (c.in[d] < 1)
      scope.fail("x is ", x.shape(), ", and axis ", axis + 2, " of the result would have ", c.in[d],
                 " elements; pad less");
  }
  check_bias(scope, b, c.channels);
  const auto maps = std::make_shared<Maps>(c, window.axes());
  check_sizes(maps->x);
  return transposed(x.tensor(), w.tensor(), b, maps);
}

}  // namespace xgrad
