#include <nn/convolution.hpp>

#include <algorithm>
#include <autograd/grad_mode.hpp>
#include <nn/layers/common.hpp>

/// Convolutions and pooling as layers.
namespace xgrad::nn {
namespace {

using detail::sizes;

/// The sizes of each of `axes` axes. Throws for another count of them, and ValueError for one below `least`.
Shape each(const OpScope& scope, int axes, const char* what, const Shape& given, std::int64_t least) {
  Shape all = given;
  if (given.ndim() == 1)
    while (all.ndim() < axes) all.push_back(given[0]);
  if (all.ndim() != axes)
    scope.fail("the ", what, " is ", given, "; give one number",
               axes > 1 ? text(", or one for each of ", axes, " axes") : "");
  for (const std::int64_t size : given)
    if (size < least) scope.fail<ValueError>("the ", what, " is ", given, "; it must be at least ", least);
  return all;
}

template <class Options>
void check_options(const OpScope& scope, int axes, std::int64_t in, std::int64_t out, const Options& o) {
  if (in < 1 || out < 1)
    scope.fail<ValueError>("there are ", in, " input and ", out, " output channels; both must be at least 1");
  if (o.groups < 1 || in % o.groups != 0 || out % o.groups != 0)
    scope.fail<ValueError>("there are ", o.groups, " groups, for ", in, " input and ", out,
                           " output channels; they must divide both");
  each(scope, axes, "stride", o.stride, 1);
  each(scope, axes, "padding", o.padding.sizes(), 0);
  each(scope, axes, "dilation", o.dilation, 1);
}

/// What conv_transpose asks for, and conv does not.
void check_transposed(const OpScope& scope, int axes, const TransposedConvolutionOptions& o) {
  if (o.padding.is_same()) scope.fail<ValueError>("the padding Same has no transposed form; give it as a number");
  const Shape stride = each(scope, axes, "stride", o.stride, 1),
              dilation = each(scope, axes, "dilation", o.dilation, 1),
              more = each(scope, axes, "output_padding", o.output_padding, 0);
  for (int d = 0; d < axes; ++d)
    if (more[d] > 0 && more[d] >= std::max(stride[d], dilation[d]))
      scope.fail<ValueError>("the output_padding is ", o.output_padding,
                             "; it must be less than the stride or the dilation");
}

/// A weight (rows, columns, kernel...), of which an initialiser is asked for (kernel..., fan_in, fan_out): its fans are
/// in front of what is left of them by the kernel.
Tensor initial(const init::Initializer& init, std::int64_t fan_in, std::int64_t fan_out, const Shape& kernel,
               bool out_first, Dtype dtype) {
  const NoGrad guard;
  Shape shape = kernel;
  shape.push_back(fan_in);
  shape.push_back(fan_out);
  const int axes = kernel.ndim();
  std::vector<int> order{out_first ? axes + 1 : axes, out_first ? axes : axes + 1};
  for (int d = 0; d < axes; ++d) order.push_back(d);
  return permute(init(shape, {.dtype = dtype}), order);
}

std::string described(const char* kind, const Tensor& w, std::int64_t in, std::int64_t out, const Shape& stride,
                      const Padding& padding, const Shape& dilation, std::int64_t groups) {
  const auto unlike = [](const Shape& s, std::int64_t usual) {
    for (const std::int64_t size : s)
      if (size != usual) return true;
    return false;
  };
  std::string s =
      text(kind, w.ndim() - 2, "d ", in, " -> ", out, ", ", sizes({w.shape().begin() + 2, w.shape().end()}));
  if (unlike(stride, 1)) s += text(", stride ", sizes(stride));
  if (padding.is_same()) s += ", same";
  if (unlike(padding.sizes(), 0)) s += text(", padding ", sizes(padding.sizes()));
  if (unlike(dilation, 1)) s += text(", dilation ", sizes(dilation));
  if (groups > 1) s += text(", ", groups, " groups");
  return s;
}

void check_axes(const OpScope& scope, const Operand& x, int axes) {
  if (x.ndim() != axes + 2)
    scope.fail("x is ", x.shape(), "; it needs axes (n, channels", axes == 1 ? ", length)" : ", height, width)");
}

/// The call of a pooling layer.
template <class Pool>
Tensor pooled(const char* name, const Operand& x, int axes, Pool pool) {
  const OpScope scope(name, x.place());
  check_axes(scope, x, axes);
  return pool(x);
}

}  // namespace

detail::Convolution::Convolution(int axes, std::int64_t in, std::int64_t out, const Shape& kernel,
                                 const ConvolutionOptions& o, Place place)
    : options_{o.stride, o.padding, o.dilation, o.groups} {
  constexpr const char* names[] = {"Conv1d", "Conv2d", "Conv3d"};
  const OpScope scope(names[axes - 1], place);
  check_options(scope, axes, in, out, o);
  const Shape sizes = each(scope, axes, "kernel", kernel, 1);
  weight = Parameter(initial(o.weight_init, in / o.groups, out, sizes, true, o.dtype));
  if (o.bias) bias = Parameter(o.bias_init({out}, {.dtype = o.dtype}));
}

Tensor detail::Convolution::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) { return conv(input, weight, bias, options_); });
}

void detail::Convolution::members(Visitor& visit) {
  visit("weight", weight);
  visit("bias", bias);
}

std::string detail::Convolution::describe() const {
  if (!weight.defined()) return "Conv (moved from)";
  const ConvOptions& o = options_;
  return described("Conv", weight, weight.shape()[1] * o.groups, weight.shape()[0], o.stride, o.padding, o.dilation,
                   o.groups);
}

detail::TransposedConvolution::TransposedConvolution(int axes, std::int64_t in, std::int64_t out, const Shape& kernel,
                                                     const TransposedConvolutionOptions& o, Place place)
    : options_{o.stride, o.padding, o.dilation, o.groups, o.output_padding} {
  constexpr const char* names[] = {"ConvTranspose1d", "ConvTranspose2d"};
  const OpScope scope(names[axes - 1], place);
  check_options(scope, axes, in, out, o);
  check_transposed(scope, axes, o);
  const Shape sizes = each(scope, axes, "kernel", kernel, 1);
  weight = Parameter(initial(o.weight_init, in, out / o.groups, sizes, false, o.dtype));
  if (o.bias) bias = Parameter(o.bias_init({out}, {.dtype = o.dtype}));
}

Tensor detail::TransposedConvolution::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) { return conv_transpose(input, weight, bias, options_); });
}

void detail::TransposedConvolution::members(Visitor& visit) {
  visit("weight", weight);
  visit("bias", bias);
}

std::string detail::TransposedConvolution::describe() const {
  if (!weight.defined()) return "ConvTranspose (moved from)";
  const ConvTransposeOptions& o = options_;
  return described("ConvTranspose", weight, weight.shape()[0], weight.shape()[1] * o.groups, o.stride, o.padding,
                   o.dilation, o.groups);
}

template <class Options>
detail::Pooling<Options>::Pooling(const char* name, const char* op, Pool* pool, int axes, const Shape& kernel,
                                  const Options& o, Place place)
    : name_(name), op_(op), pool_(pool), axes_(axes), kernel_(kernel), options_(o) {
  const OpScope scope(name, place);
  const Shape width = each(scope, axes, "kernel", kernel, 1), padding = each(scope, axes, "padding", o.padding, 0);
  if (o.stride.ndim() > 0) each(scope, axes, "stride", o.stride, 1);
  for (int d = 0; d < axes; ++d)
    if (2 * padding[d] > width[d])
      scope.fail<ValueError>("the padding is ", o.padding, ", the kernel ", kernel,
                             "; it must be at most half the kernel");
}

template <class Options>
Tensor detail::Pooling<Options>::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) {
    return pooled(op_, input, axes_, [this](const Operand& in) { return pool_(in, kernel_, options_); });
  });
}

template <class Options>
std::string detail::Pooling<Options>::describe() const {
  return text(name_, " ", sizes(kernel_));
}

template class detail::Pooling<MaxPoolOptions>;
template class detail::Pooling<AvgPoolOptions>;

AdaptiveAvgPool2d::AdaptiveAvgPool2d(const Shape& size, Place place) : size_(size) {
  const OpScope scope("AdaptiveAvgPool2d", place);
  each(scope, 2, "size", size, 1);
}

Tensor AdaptiveAvgPool2d::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) {
    return pooled("adaptive_avg_pool", input, 2, [this](const Operand& in) { return adaptive_avg_pool(in, size_); });
  });
}
std::string AdaptiveAvgPool2d::describe() const { return text("AdaptiveAvgPool2d ", sizes(size_)); }

Dropout2d::Dropout2d(double p, Place place) : p_(p) {
  const OpScope scope("Dropout2d", place);
  detail::check_share(scope, "probability", p);
}

Tensor Dropout2d::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) {
    const OpScope scope("dropout", input.place());
    if (input.ndim() < 2) scope.fail("x is ", input.shape(), "; it needs axes (n, channels) and perhaps more");
    if (!is_training() || p_ == 0) return input.tensor();
    Shape each{input.shape()[0], input.shape()[1]};
    const Tensor keep = bernoulli(each, 1 - p_);
    while (each.ndim() < input.ndim()) each.push_back(1);
    return detail::dropped(input, broadcast_to(reshape(keep, each), input.shape()), p_);
  });
}

std::string Dropout2d::describe() const { return text("Dropout2d ", p_); }

}  // namespace xgrad::nn
