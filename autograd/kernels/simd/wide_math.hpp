#pragma once
#include <autograd/kernels/simd/math.hpp>

/// Functions of f32 that are computed in f64, where a rounding is no matter: results are within half an ulp and a
/// little, and all instruction sets give the same ones where nothing is fused.
namespace xgrad::kernels::XGRAD_ISA::math {

/// f of the batches' halves, in f64.
template <class F, class... V>
Floats in_double(F f, V... x) {
  constexpr std::size_t half = Doubles::size;
  alignas(64) float from[sizeof...(x)][Floats::size], to[Floats::size];
  std::size_t k = 0;
  (x.store_aligned(from[k++]), ...);
  for (std::size_t j = 0; j < Floats::size; j += half) {
    if constexpr (sizeof...(x) == 1)
      narrowed(f(widened(from[0] + j)), to + j);
    else
      narrowed(f(widened(from[0] + j), widened(from[1] + j)), to + j);
  }
  return Floats::load_aligned(to);
}

/// log2 of x > 0 that is neither tiny nor infinite in f64: x = 2^e m with m around 1, and the series of
/// 2 artanh((m - 1) / (m + 1)), to 1e-12.
inline Doubles log2_wide(Doubles x) {
  const Bits bits = xsimd::bitwise_cast<Bits>(x);
  Doubles e = xsimd::bitwise_cast<Doubles>((bits >> 52) | Bits(0x4330000000000000)) - Doubles(0x1p52 + 1023);
  Doubles m = xsimd::bitwise_cast<Doubles>((bits & Bits(0x000FFFFFFFFFFFFF)) | Bits(0x3FF0000000000000));
  const auto large = m > Doubles(1.4142135623730951);
  m = xsimd::select(large, m * 0.5, m);
  e = xsimd::select(large, e + 1.0, e);
  const Doubles s = (m - 1.0) / (m + 1.0), z = s * s;
  Doubles p(1. / 15);
  for (double c : {1. / 13, 1. / 11, 1. / 9, 1. / 7, 1. / 5, 1. / 3, 1.}) p = p * z + c;
  return e + s * p * 2.885390081777927;  // 2 / log(2)
}

/// 2^t for |t| < 1000: 2^k e^r, |r| <= log(2) / 2, by its series.
inline Doubles exp2_wide(Doubles t) {
  const Doubles shifter(0x1.8p52), shifted = t + shifter;  // rounds t to a whole k, which its lowest bits then hold
  const Doubles r = (t - (shifted - shifter)) * 0.6931471805599453;
  Doubles p(1. / 3628800);
  for (double c : {1. / 362880, 1. / 40320, 1. / 5040, 1. / 720, 1. / 120, 1. / 24, 1. / 6, 1. / 2, 1., 1.})
    p = p * r + c;
  return xsimd::bitwise_cast<Doubles>(xsimd::bitwise_cast<Bits>(p) + (xsimd::bitwise_cast<Bits>(shifted) << 52));
}

/// a^b by C's rules. Powers too large or too small for f32 become infinite or zero where the result is narrowed.
inline Doubles pow_wide(Doubles a, Doubles b) {
  const Doubles size = xsimd::abs(a), zero(0.), one(1.);
  Doubles log = log2_wide(size);
  // Beyond whatever b could make of it.
  const auto infinite = size > Doubles(1e39);
  log = xsimd::select(size == zero, Doubles(-1e50), xsimd::select(infinite, Doubles(1e50), log));
  const Doubles limited = xsimd::min(Doubles(1e30), xsimd::max(Doubles(-1e30), b));
  const Doubles t = xsimd::min(Doubles(200.), xsimd::max(Doubles(-200.), limited * log));
  Doubles y = exp2_wide(t);
  const auto whole = xsimd::floor(b) == b;
  const auto odd = whole & (xsimd::floor(b * 0.5) != b * 0.5);
  y = xsimd::select(odd, y | xsimd::bitofsign(a), y);
  y = xsimd::select((a < zero) & !infinite & !whole, Doubles(__builtin_nan("")), y);
  y = xsimd::select(xsimd::isnan(a) | xsimd::isnan(b), a + b, y);
  return xsimd::select((b == zero) | (a == one), one, y);
}

inline double pow(double a, double b) { return std::pow(a, b); }
inline Floats pow(Floats a, Floats b) {
  return in_double([](Doubles x, Doubles y) { return pow_wide(x, y); }, a, b);
}

}  // namespace xgrad::kernels::XGRAD_ISA::math
