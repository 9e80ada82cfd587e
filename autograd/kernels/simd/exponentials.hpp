#pragma once
#include <autograd/kernels/simd/math.hpp>

/// Exponentials of elements, and of elements that are summed: the quickest of each instruction set, so that the last
/// bits of f64 differ too.
namespace xgrad::kernels::XGRAD_ISA {

/// y[i] = log(x[i]).
void logarithms(const double* x, double* y, Size n);

/// What powers of two are made with: `powers` is (2^f - 1) / f, highest power first. Adding `rounding` rounds a small
/// number to a whole one, or with AVX-512 to sixteenths; the lowest bits of the sum hold the biased exponent of its
/// power of two, or these sixteenths.
template <class T>
struct Power;
template <class T>
inline constexpr T log2_e = T(1.4426950408889634);

#ifdef __AVX512F__

// 0 <= f <= 1/16, for which few powers do: 2^(i/16) is looked up in registers. `squared` is (exp(r) - 1 - r) / r^2.
template <>
struct Power<float> {
  static constexpr float rounding = 0x1.8p19f, least = -104, log_2 = .693147182f, log_2_rest = -1.90465421e-9f;
  static constexpr float powers[] = {5.6672946768e-2f, .24018397722f, .69314761968f};
  static constexpr float squared[] = {.16667066f, .50001651f};
};
template <>
struct Power<double> {
  static constexpr double rounding = 0x1.8p48, least = -746, log_2 = .6931471805599453,
                          log_2_rest = 2.3190468138462996e-17;
  static constexpr double powers[] = {1.5736796664857254e-4, 1.3330732783866439e-3, 9.6181408678914071e-3,
                                      5.5504108417527299e-2, .24022650696149059,    .69314718055993762};
  static constexpr double squared[] = {1.3889133918801281e-3, 8.3334747090128641e-3, 4.1666666659365379e-2,
                                       .16666666664326557, .5000000000000006};
};

// clang-format off
template <class T>
alignas(64) inline constexpr T sixteenths[] = {
    T(1.),                 T(1.0442737824274138), T(1.0905077326652577), T(1.1387886347566917),
    T(1.1892071150027211), T(1.241857812073484),  T(1.2968395546510097), T(1.3542555469368927),
    T(1.414213562373095),  T(1.4768261459394993), T(1.5422108254079408), T(1.6104903319492543),
    T(1.6817928305074291), T(1.7562521603732995), T(1.8340080864093425), T(1.9152065613971473)};
// clang-format on

/// Two to the power of t rounded down to sixteenths, which are the lowest bits of `rounded`.
inline math::Floats rounded_power(math::Floats rounded, math::Floats t) {
  const __m512i sixteenth = _mm512_castps_si512(rounded);
  return _mm512_scalef_ps(_mm512_permutexvar_ps(sixteenth, _mm512_load_ps(sixteenths<float>)), t);
}
inline math::Doubles rounded_power(math::Doubles rounded, math::Doubles t) {
  const __m512i sixteenth = _mm512_castpd_si512(rounded);
  const __m512d low = _mm512_load_pd(sixteenths<double>), high = _mm512_load_pd(sixteenths<double> + 8);
  return _mm512_scalef_pd(_mm512_permutex2var_pd(low, sixteenth, high), t);
}

inline constexpr int down = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
/// a + b rounded down, and what t is above whole sixteenths.
inline math::Floats sum_down(math::Floats a, math::Floats b) { return _mm512_add_round_ps(a, b, down); }
inline math::Doubles sum_down(math::Doubles a, math::Doubles b) { return _mm512_add_round_pd(a, b, down); }
inline math::Floats above_sixteenths(math::Floats t) { return _mm512_reduce_ps(t, 4 << 4 | down); }
inline math::Doubles above_sixteenths(math::Doubles t) { return _mm512_reduce_pd(t, 4 << 4 | down); }

/// x / log 2 = f + whole sixteenths: f, and two to the power of these. At -inf f is 0, and so is the power, which is
/// subnormal for some x: for use where these count as 0.
template <class T>
Batch<T> split_power(Batch<T> x, Batch<T>& power) {
  const Batch<T> t = x * log2_e<T>;
  power = rounded_power(sum_down(t, Batch<T>(Power<T>::rounding)), t);
  return above_sixteenths(t);
}

/// exp(x) = 2^k (1 + r + r^2 q(r)) with |r| <= log(2) / 32, to within 1 ulp, for x <= 0.
template <class T>
Batch<T> exponential(Batch<T> x) {
  using P = Power<T>;
  using V = Batch<T>;
  const V rounded = math::fma(x, V(log2_e<T>), V(P::rounding)), k = rounded - P::rounding;
  const V r = math::fma(k, V(-P::log_2_rest), math::fma(k, V(-P::log_2), x));
  V q(P::squared[0]);
  for (std::size_t i = 1; i < std::size(P::squared); ++i) q = math::fma(q, r, V(P::squared[i]));
  const V power = rounded_power(rounded, k);
  return xsimd::select(x < V(P::least), V(T(0)), math::fma(math::fma(q, r * r, r), power, power));
}

#else

// |f| <= 1/2.
template <>
struct Power<float> {
  static constexpr float rounding = 0x1.8p23f + 127, infinite = rounding + 128, least = -86;
  static constexpr float powers[] = {1.5594700366e-4f,     1.3406643631522e-3f, 9.6176929043941e-3f,
                                     5.55031055235796e-2f, .24022652783373494f, .69314721496732246f};
};
template <>
struct Power<double> {
  static constexpr double rounding = 0x1.8p52 + 1023, infinite = rounding + 1024, least = -700;
  static constexpr double powers[] = {
      7.1117429414483523e-9, 1.0210505476056479e-7, 1.3215235719812038e-6, 1.5252647753282955e-5, 1.5403530800666101e-4,
      1.3333558246470232e-3, 9.6181291073808156e-3, 5.5504108664346657e-2, .24022650695910472,    .69314718055995161};
};

/// x / log 2 = f + a whole number: f, and two to the power of it.
template <class T>
Batch<T> split_power(Batch<T> x, Batch<T>& power) {
  using V = Batch<T>;
  using Bits = std::conditional_t<sizeof(T) == 4, math::Integers, math::Bits>;
  constexpr int mantissa = std::numeric_limits<T>::digits - 1;
  x = max_of(V(Power<T>::least), x);  // x second: a NaN passes
  const V rounded = math::fma(x, V(log2_e<T>), V(Power<T>::rounding)), k = rounded - Power<T>::rounding;
  const V exponent = min_of(rounded, V(Power<T>::infinite));
  power = bits_as<V>(bits_as<Bits>(exponent) << mantissa);
  return xsimd::fms(x, V(log2_e<T>), k);
}

template <class T>
Batch<T> exponential(Batch<T> x) {
  return math::exp(x);
}

#endif

/// sum + exp(x), x not large; one too small to count in a sum of about 1 or more is not zero. The relative error of
/// exp(x) grows with |x|, as the errors do with which numbers so far from others are known.
template <class T>
Batch<T> plus_exp(Batch<T> sum, Batch<T> x) {
  using V = Batch<T>;
  V power, p(Power<T>::powers[0]);
  const V f = split_power(x, power);
  for (std::size_t i = 1; i < std::size(Power<T>::powers); ++i) p = math::fma(p, f, V(Power<T>::powers[i]));
  return math::fma(math::fma(p, f, V(T(1))), power, sum);
}

}  // namespace xgrad::kernels::XGRAD_ISA
