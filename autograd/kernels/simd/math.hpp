#pragma once
#include <autograd/kernels/simd/double_math.hpp>
#include <autograd/support/system_math.hpp>
#include <cmath>

/// Functions that the kernels' expressions are made of, for Batch<float> and for double (and the rare ones for float).
/// f64 is libm's or double_math.hpp's, so that all instruction sets give the same bits. f32 is xsimd's where that is
/// accurate everywhere and the lanes do not influence each other; the other functions are here.
namespace xgrad::kernels::XGRAD_ISA::math {

using Floats = Batch<float>;
using Integers = xsimd::batch<std::int32_t>;

inline double abs(double x) { return std::fabs(x); }
inline double erf(double x) { return std::erf(x); }
inline double erfc(double x) { return std::erfc(x); }
inline double exp(double x) { return std::exp(x); }
inline double expm1(double x) { return system::expm1(x); }
inline double log(double x) { return std::log(x); }
inline double log1p(double x) { return std::log1p(x); }
inline double tanh(double x) { return std::tanh(x); }
inline std::int64_t abs(std::int64_t x) { return x < 0 ? std::int64_t(0 - std::uint64_t(x)) : x; }
template <class T>
requires std::is_arithmetic_v<T> T select(bool mask, T a, T b) { return mask ? a : b; }

inline Doubles abs(Doubles x) { return xsimd::abs(x); }
inline Doubles select(xsimd::batch_bool<double> mask, Doubles a, Doubles b) { return xsimd::select(mask, a, b); }

inline Floats abs(Floats x) { return xsimd::abs(x); }
inline Floats erf(Floats x) { return xsimd::erf(x); }
inline Floats erfc(Floats x) { return xsimd::erfc(x); }
inline Floats log(Floats x) { return xsimd::log(x); }
inline Floats tanh(Floats x) { return xsimd::tanh(x); }
inline Floats select(xsimd::batch_bool<float> mask, Floats a, Floats b) { return xsimd::select(mask, a, b); }

/// Rounded to whole numbers, halves to even, with the sign of x also where that gives zero, which SSE2's does not.
inline std::int64_t floor(std::int64_t x) { return x; }
inline std::int64_t ceil(std::int64_t x) { return x; }
inline std::int64_t round(std::int64_t x) { return x; }
template <class T>
Batch<T> floor(Batch<T> x) {
  return xsimd::copysign(xsimd::floor(x), x);
}
template <class T>
Batch<T> ceil(Batch<T> x) {
  return xsimd::copysign(xsimd::ceil(x), x);
}
template <class T>
Batch<T> round(Batch<T> x) {
  return xsimd::copysign(xsimd::nearbyint(x), x);
}

/// a b + c, rounded once where the processor can.
inline Floats fma(Floats a, Floats b, Floats c) {
#if defined __AVX512F__  // xsimd up to 10 rounds the product, and compilers may fuse another one
  return _mm512_fmadd_ps(a, b, c);
#else
  return xsimd::fma(a, b, c);
#endif
}
inline Doubles fma(Doubles a, Doubles b, Doubles c) {
#if defined __AVX512F__
  return _mm512_fmadd_pd(a, b, c);
#else
  return xsimd::fma(a, b, c);
#endif
}

/// c - a b rounded once, or all but: what a root or a quotient lost in rounding.
inline Floats remainder(Floats c, Floats a, Floats b) {
#if defined __AVX512F__
  return _mm512_fnmadd_ps(a, b, c);
#elif defined __FMA__
  return xsimd::fnma(a, b, c);
#elif defined __aarch64__  // xsimd's fnma rounds the product
  return xsimd::fma(-a, b, c);
#else
  const auto x = widened(a), y = widened(b), z = widened(c);
  return narrowed(z[0] - x[0] * y[0], z[1] - x[1] * y[1]);
#endif
}

/// x = k log 2 + r with |r| <= log(2) / 2, and expm1(r): the polynomial of Cephes' expf.
struct ExpParts {
  Floats k, expm1_r;
};
inline ExpParts exp_parts(Floats x) {
  const Floats k = xsimd::nearbyint(x * Floats(1.44269504f));
  Floats r = xsimd::fnma(k, Floats(0.693359375f), x);
  r = xsimd::fnma(k, Floats(-2.12194440e-4f), r);
  Floats p(1.3997796e-3f);
  for (float c : {8.3955629e-3f, 4.1665401e-2f, 1.6666277e-1f, 0.5f}) p = fma(p, r, Floats(c));
  return {k, fma(p, r * r, r)};
}
/// 2^k for -126 <= k <= 127.
inline Floats power_of_two(Integers k) { return bits_as<Floats>((k + Integers(127)) << 23); }
/// v 2^k for -252 <= k <= 254 and a whole k.
inline Floats times_power_of_two(Floats v, Floats k) {
#ifdef __AVX512F__
  return _mm512_scalef_ps(v, k);
#else
  const Integers n = xsimd::to_int(k), half = n >> 1;  // in two steps: 2^128 and 2^-149 are out of range for one
  return v * power_of_two(half) * power_of_two(n - half);
#endif
}

/// xsimd's exp is infinite from 88.38 and zero up to -87.3, where the true one is neither.
inline Floats exp(Floats x) {
  x = min_of(Floats(89.f), max_of(Floats(-104.f), x));  // x second: a NaN passes
  const ExpParts parts = exp_parts(x);
  return times_power_of_two(parts.expm1_r + Floats(1.f), parts.k);
}

/// 2^k expm1(r) + (2^k - 1), times one half until the end, for 2^128. Below -25 it is -1 to the last bit. Beside 0 it
/// is x, half of which might be too small for a number.
inline Floats expm1(Floats x) {
  const Floats c = min_of(Floats(89.f), max_of(Floats(-25.f), x));
  const ExpParts parts = exp_parts(c);
  const Floats half = power_of_two(xsimd::to_int(parts.k) - Integers(1));
  const Floats y = fma(parts.expm1_r, half, half - Floats(0.5f));
  return select(abs(x) < Floats(1e-8f), x, y + y);
}

inline Floats log1p(Floats x) { return select(x == Floats(0.f), x, xsimd::log1p(x)); }

/// sigmoid'(x) = sigmoid(x) sigmoid(-x), which y (1 - y) loses where y = sigmoid(x) is near 1.
template <class V>
V sigmoid_slope(V x) {
  const V e = exp(-abs(x)), s = V(1) + e;
  return e / (s * s);
}
/// tanh'(x) = 1 / cosh(x)^2 = 4 sigmoid'(2 x).
template <class V>
V tanh_slope(V x) {
  return V(4) * sigmoid_slope(x + x);
}

/// log(1 + exp(-|x|)): what softplus and its relatives add to their linear part, for any x without overflow.
inline double log1p_exp(double x) { return log1p(exp(-abs(x))); }
/// 1 + e, which lies between 1 and 2, is 2^k (1 + r) with k 0 or 1 and |r| <= sqrt(2) - 1, and r is all but exact: the
/// polynomial of Cephes' logf.
inline Floats log1p_exp(Floats x) {
  const Floats e = exp(-abs(x));
  const auto upper = e > Floats(0.414213562f);
  const Floats r = select(upper, (e - Floats(1.f)) * Floats(0.5f), e), z = r * r;
  Floats p(7.0376836292e-2f);
  for (float c : {-1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f, -1.6668057665e-1f,
                  2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f})
    p = fma(p, r, Floats(c));
  const Floats y = fma(z, fma(p, r, Floats(-0.5f)), r);
  return y + select(upper, Floats(0.693147181f), Floats(0.f));
}

}  // namespace xgrad::kernels::XGRAD_ISA::math
