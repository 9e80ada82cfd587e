#pragma once
#include <autograd/kernels/loop.hpp>

#pragma GCC visibility push(default)

/// Convolutions as kernels see them. Images are copied into planes, zeros around them, in which every tap of the kernel
/// is the whole plane shifted: so neither a matrix of all windows is made, nor does a kernel know of strides, padding,
/// dilation or the number of axes.
namespace xgrad::kernels {

inline constexpr int image_axes = 3;

/// y[n, o, p] = sum over c and k of w[o, c, k] x[n, c, stride p + dilation k - before], x being (images, channels, in),
/// w (outputs, channels / groups, kernel) and y (images, outputs, out); outside of x there are zeros. Outputs of a
/// group see the channels of theirs. Axes that are not there are of size 1 and come first.
struct Convolution {
  Size images, channels, outputs, groups;
  Size in[image_axes], kernel[image_axes], out[image_axes], stride[image_axes], before[image_axes],
      dilation[image_axes];

  Size in_size() const { return in[0] * in[1] * in[2]; }
  Size out_size() const { return out[0] * out[1] * out[2]; }
  Size kernel_size() const { return kernel[0] * kernel[1] * kernel[2]; }
  Size group_channels() const { return channels / groups; }
  Size group_outputs() const { return outputs / groups; }
};

/// What an instruction set computes of it: to[r, p] = bias[r] + sum over k of weights[k, r] source[offsets[k] + p] for
/// p < span, of each image. Rows of `to` are to_row apart, which is span and `slack` more: so much is written, and read
/// of the source.
struct Correlation {
  Size rows, taps, span, images;
  const Size* offsets;
  Size weights_row, to_row, to_image, source_image;
};
/// And of its derivative: sums[r, k] += the sum over images and p < span of g[r, p] source[offsets[k] + p]. Rows of g
/// are g_row apart and zero from span to the next multiple of widest_batch.
struct TapSums {
  Size rows, taps, span, images;
  const Size* offsets;
  Size g_row, g_image, source_image;
};
inline constexpr Size slack = 128, widest_batch = 16;

/// The same two sums for many rows, which then are the lanes, so that positions need no gaps: they are `length` from
/// each of the lines on. Rows, whole lines of memory of them, lie side by side in everything but the source.
/// to[p, r] = bias[r] + sum over k of weights[k, r] source[offsets[k] + p], and sums[k, r] += the sum over images and p
/// of g[p, r] source[offsets[k] + p]; positions of `to` and g are stored one after the other, image by image.
struct WideCorrelation {
  Size rows, taps, images;
  const Size *offsets, *lines;
  Size line_count, length, source_image;

  Size positions() const { return line_count * length; }
};

}  // namespace xgrad::kernels
#pragma GCC visibility pop
