#pragma once
#include <autograd/kernels/simd/math.hpp>

/// Loops for softmax.cpp. Those over f32 stand where the compiler fuses a * b + c, those over f64 where it does not.
namespace xgrad::kernels::XGRAD_ISA {

/// y[i] = exp(x[i] - shift), or exp(x[i] - shift[i]).
void exponentials(const float* x, float shift, float* y, Size n);
void exponentials(const float* x, const float* shift, float* y, Size n);
void exponentials(const double* x, double shift, double* y, Size n);
void exponentials(const double* x, const double* shift, double* y, Size n);
/// y[i] = log(x[i]).
void logarithms(const double* x, double* y, Size n);

/// Their loop.
template <bool one, class T>
void shifted_exponentials(const T* x, const T* shift, T* y, Size n) {
  using V = Batch<T>;
  constexpr Size width = Lanes<V>::width;
  const V same(*shift);
  Size i = 0;
  for (; i + width <= n; i += width)
    math::exp(V::load_unaligned(x + i) - (one ? same : V::load_unaligned(shift + i))).store_unaligned(y + i);
  if (i < n) store_few(y + i, math::exp(load_few(x + i, n - i) - (one ? same : load_few(shift + i, n - i))), n - i);
}

}  // namespace xgrad::kernels::XGRAD_ISA
