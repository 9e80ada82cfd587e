#pragma once
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

/// Ops on images and other signals, part of ops.hpp, which says what holds for all ops. x is (n, channels, axes...)
/// with one to three axes that a window moves along. Sizes of the window and how it moves are one number for all of
/// these axes, or braces of one for each: `{.stride = 2}`, `{.stride = {2, 1}}`. Sizes and strides are at least 1.
namespace xgrad {

/// `.padding = Same{}`, in layers `nn::same`: zeros on both sides, one more behind where they are odd, so that stride 1
/// keeps an axis' size and stride s divides it by s, rounded up.
struct Same {};
/// How many elements are put before and behind each axis.
class Padding {
 public:
  template <detail::Integer I>
  Padding(I size) : sizes_(size) {}
  Padding(std::initializer_list<std::int64_t> sizes) : sizes_(sizes) {}
  Padding(const Shape& sizes) : sizes_(sizes) {}
  Padding(Same) : sizes_(0), is_same_(true) {}
  const Shape& sizes() const { return sizes_; }
  bool is_same() const { return is_same_; }

 private:
  Shape sizes_;
  bool is_same_ = false;
};

// ---- convolutions ----

struct ConvOptions {
  Shape stride{1};
  Padding padding = 0;
  Shape dilation{1};        // elements of x from one tap of the kernel to the next
  std::int64_t groups = 1;  // outputs of one see the channels of one; channels = depthwise
};
/// y[n, o, p] = b[o] + sum over c and k of w[o, c, k] x[n, c, stride p + dilation k - padding], the kernel not flipped:
/// w is (outputs, channels / groups, kernel...), b (outputs) or undefined, and an axis of y has (size + 2 padding -
/// dilation (kernel - 1) - 1) / stride + 1 elements. Throws ShapeError where shapes do not fit, also for a kernel
/// larger than the padded x; ValueError for other strides, dilations, paddings and groups than there can be.
Tensor conv(const Operand& x, const Operand& w, const Tensor& b = {}, const ConvOptions& options = {});

struct ConvTransposeOptions {
  Shape stride{1};
  Padding padding = 0;  // what a conv of y would have; not Same
  Shape dilation{1};
  std::int64_t groups = 1;
  Shape output_padding{0};  // more elements behind y, below the stride or the dilation
};
/// The transposed map of conv, its derivative by x, plus b: x is (n, channels, ...), w (channels, outputs / groups,
/// kernel...), b (outputs) or undefined, and an axis of y has (size - 1) stride - 2 padding + dilation (kernel - 1) + 1
/// + output_padding elements. Throws as conv does.
Tensor conv_transpose(const Operand& x, const Operand& w, const Tensor& b = {},
                      const ConvTransposeOptions& options = {});

// ---- pooling ----

struct MaxPoolOptions {
  Shape stride{};  // the kernel, if none is given
  Shape padding{0};
};
/// The largest element of each window, NaN if there is one; the first of equal ones gets the gradient. Padding, at most
/// half the kernel, is never the largest. Throws as conv does.
Tensor max_pool(const Operand& x, const Shape& kernel, const MaxPoolOptions& options = {});

struct AvgPoolOptions {
  Shape stride{};  // the kernel, if none is given
  Shape padding{0};
  bool count_padding = true;  // divide by the window's size also where it reaches beyond x
};
/// The mean of each window. Padding, at most half the kernel, is zeros. Throws as conv does.
Tensor avg_pool(const Operand& x, const Shape& kernel, const AvgPoolOptions& options = {});
/// The means of `size` windows along each axis, from floor(i n / size) to ceil((i + 1) n / size) of n: {1} is the mean
/// of all.
Tensor adaptive_avg_pool(const Operand& x, const Shape& size);

// ---- resizing ----

enum class Interpolation { nearest, linear };
struct InterpolateOptions {
  Shape size{};  // of each axis of the result
  Interpolation mode = Interpolation::nearest;
  bool align_corners = false;  // of linear: the outer elements, not the outer edges, lie on each other
};
/// x resized along its axes. nearest takes element floor(i n / size) of n; linear, along each axis in turn, means of
/// two neighbours by their distance from (i + 1/2) n / size - 1/2 (of 2 axes: bilinear). As PyTorch's interpolate.
/// Throws ShapeError for an axis of no elements.
Tensor interpolate(const Operand& x, const InterpolateOptions& options);

}  // namespace xgrad
#pragma GCC visibility pop
