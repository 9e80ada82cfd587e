#pragma once
#include <autograd/kernels/simd/math.hpp>

/// pow and atan2. What is of f64 here may be fused as compilers like: it is rounded to f32 in the end.
namespace xgrad::kernels::XGRAD_ISA::math {

/// x for a function of libm that looks at bits, which do not show that a subnormal number counts as zero now.
template <class T>
T as_it_counts(T x) {
  return x == 0 ? std::copysign(T(0), x) : x;
}

inline double pow(double a, double b) { return std::pow(as_it_counts(a), as_it_counts(b)); }
/// By squaring, modulo 2^64. Below 0 the exponent leaves the whole part of the quotient; 0 where that would divide by
/// 0.
inline std::int64_t pow(std::int64_t a, std::int64_t b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
  std::uint64_t result = 1, factor = std::uint64_t(a);
  for (; b > 0; b >>= 1, factor *= factor)
    if (b & 1) result *= factor;
  return std::int64_t(result);
}
template <class T>
T atan2(T y, T x) {
  return std::atan2(as_it_counts(y), as_it_counts(x));
}

/// log2(1 + f) for 1/sqrt(2) <= 1 + f < sqrt(2), to 2^-33 of it.
inline Doubles log2_plus_1(Doubles f) {
  return f *
         polynomial(f, {-8.6346077184993653e-2, 1.5485759406909091e-1, -1.5698226566982868e-1, 1.5900148687596649e-1,
                        -1.79046951922366e-1, 2.0609625672405196e-1, -2.4050417410412572e-1, 2.8854064355736048e-1,
                        -3.606728005504003e-1, 4.8089832072929523e-1, -7.2134752521312995e-1, 1.4426950409393449});
}

/// 2^t to 2^-29 of it; t may be any number, and is beyond 200 as good as there.
inline Doubles rough_exp2(Doubles t) {
#ifndef __AVX512F__
  t = min_of(Doubles(200.), max_of(Doubles(-200.), t));
#endif
  const Doubles k = xsimd::nearbyint(t), r = t - k;
  const Doubles y = 1. + r * polynomial(r, {1.5353360766504802e-4, 1.3398874460209575e-3, 9.6184373613510277e-3,
                                            5.5503324709427995e-2, 2.4022647913611964e-1, 6.9314720285529119e-1});
#ifdef __AVX512F__
  return _mm512_scalef_pd(y, k);
#else
  return y * power_of_two(k + rounding);
#endif
}

/// x^y / 2^(y scale) for normal positive x and finite y, as 2^(y log2 x). The errors of the logarithm count as often as
/// the result has factors of 2, so that it must be of f64.
inline Floats power(Floats x, Floats y, Floats scale) {
  // x = 2^k (1 + f)
  const Integers bits = bits_as<Integers>(x), k = (bits - Integers(0x3F3504F3)) >> 23;
  const Floats f = bits_as<Floats>(bits - (k << 23)) - Floats(1.f);
  const auto wide_k = widened(xsimd::to_float(k) - scale), wide_f = widened(f), wide_y = widened(y);
  return narrowed(rough_exp2(wide_y[0] * (wide_k[0] + log2_plus_1(wide_f[0]))),
                  rough_exp2(wide_y[1] * (wide_k[1] + log2_plus_1(wide_f[1]))));
}

/// a^b by C's rules, for numbers of any kind.
inline Floats any_power(Floats a, Floats b) {
  const Floats zero(0.f), one(1.f), infinity(__builtin_inff());
  const Floats size = abs(a);
  const auto tiny = size < Floats(0x1p-126f), infinite = size == infinity, whole = xsimd::floor(b) == b;
  Floats y = power(select(tiny, size * Floats(0x1p24f), size), b, select(tiny, Floats(24.f), zero));
  const Floats of_zero = select(b < zero, infinity, zero), of_infinity = select(b < zero, zero, infinity);
  y = select(size == zero, of_zero, select(infinite, of_infinity, select(size == one, one, y)));
  const Floats half = b * Floats(0.5f);
  y = select(whole & (xsimd::floor(half) != half), y | xsimd::bitofsign(a), y);
  y = select((a < zero) & !infinite & !whole, Floats(__builtin_nanf("")), y);
  y = select(xsimd::isnan(a) | xsimd::isnan(b), a + b, y);
  return select((b == zero) | (a == one), one, y);
}
inline Floats pow(Floats a, Floats b) {
  const Floats infinity(__builtin_inff());
  const auto plain = (a >= Floats(0x1p-126f)) & (a < infinity) & (abs(b) < infinity);
  return xsimd::all(plain) ? power(a, b, Floats(0.f)) : any_power(a, b);
}

}  // namespace xgrad::kernels::XGRAD_ISA::math
