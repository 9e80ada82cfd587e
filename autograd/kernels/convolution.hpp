#pragma once
#include <autograd/dtype.hpp>
#include <autograd/kernels/windows.hpp>

/// Convolutions: they pack images and weights, and cut the work into pieces, as matrix products do.
namespace xgrad::kernels {

/// y from x and w, plus bias[o] where there is one.
void convolve(const Convolution& c, Dtype dtype, const void* x, const void* w, const void* bias, void* y);
/// The transposed map: x from y and w, plus bias[c] where there is one.
void convolve_transposed(const Convolution& c, Dtype dtype, const void* y, const void* w, const void* bias, void* x);
/// The derivative by w of the sum of convolve(x, w) times y. Sums of f32 over images are put together in f64.
void convolve_weights(const Convolution& c, Dtype dtype, const void* x, const void* y, void* w);

}  // namespace xgrad::kernels
