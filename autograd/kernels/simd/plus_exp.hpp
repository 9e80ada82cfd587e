#pragma once
#include <autograd/kernels/simd/math.hpp>

/// Sums of exponentials, term by term. For files in which the compiler fuses a * b + c.
namespace xgrad::kernels::XGRAD_ISA {

/// What powers of two are made with: `powers` is (2^f - 1) / f, highest power first. Adding `rounding` rounds a small
/// number to a whole one, or with AVX-512 to sixteenths; the lowest bits of the sum hold the biased exponent of its
/// power of two, or these sixteenths.
template <class T>
struct Power;
template <class T>
inline constexpr T log2_e = T(1.4426950408889634);

#ifdef __AVX512F__

// 0 <= f <= 1/16, for which few powers do: 2^(i/16) is looked up in registers.
template <>
struct Power<float> {
  static constexpr float rounding = 0x1.8p19f, powers[] = {5.6672946768e-2f, .24018397722f, .69314761968f};
};
template <>
struct Power<double> {
  static constexpr double rounding = 0x1.8p48,
                          powers[] = {1.5736796664857254e-4, 1.3330732783866439e-3, 9.6181408678914071e-3,
                                      5.5504108417527299e-2, .24022650696149059,    .69314718055993762};
};

// clang-format off
template <class T>
alignas(64) inline constexpr T sixteenths[] = {
    T(1.),                 T(1.0442737824274138), T(1.0905077326652577), T(1.1387886347566917),
    T(1.1892071150027211), T(1.241857812073484),  T(1.2968395546510097), T(1.3542555469368927),
    T(1.414213562373095),  T(1.4768261459394993), T(1.5422108254079408), T(1.6104903319492543),
    T(1.6817928305074291), T(1.7562521603732995), T(1.8340080864093425), T(1.9152065613971473)};
// clang-format on

/// x / log 2 = f + whole sixteenths: f, and two to the power of these. At -inf f is 0, and so
/// is the power, which is subnormal for some x: for use where these count as 0.
inline math::Floats split_power(math::Floats x, math::Floats& power) {
  constexpr int down = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
  const math::Floats t = x * log2_e<float>;
  const __m512i rounded = _mm512_castps_si512(_mm512_add_round_ps(t, math::Floats(Power<float>::rounding), down));
  power = _mm512_scalef_ps(_mm512_permutexvar_ps(rounded, _mm512_load_ps(sixteenths<float>)), t);
  return _mm512_reduce_ps(t, 4 << 4 | down);
}
inline math::Doubles split_power(math::Doubles x, math::Doubles& power) {
  constexpr int down = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
  const math::Doubles t = x * log2_e<double>;
  const __m512i rounded = _mm512_castpd_si512(_mm512_add_round_pd(t, math::Doubles(Power<double>::rounding), down));
  const __m512d low = _mm512_load_pd(sixteenths<double>), high = _mm512_load_pd(sixteenths<double> + 8);
  power = _mm512_scalef_pd(_mm512_permutex2var_pd(low, rounded, high), t);
  return _mm512_reduce_pd(t, 4 << 4 | down);
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
  const V t = xsimd::max(V(Power<T>::least), x) * log2_e<T>;  // x second: a NaN passes
  const V rounded = t + Power<T>::rounding, exponent = xsimd::min(rounded, V(Power<T>::infinite));
  power = xsimd::bitwise_cast<V>(xsimd::bitwise_cast<Bits>(exponent) << mantissa);
  return t - (rounded - Power<T>::rounding);
}

#endif

/// sum + exp(x), x not large; one too small to count in a sum of about 1 or more is not zero. The relative error of
/// exp(x) grows with |x|, as the errors do with which numbers so far from others are known.
template <class T>
Batch<T> plus_exp(Batch<T> sum, Batch<T> x) {
  Batch<T> power, p(Power<T>::powers[0]);
  const Batch<T> f = split_power(x, power);
  for (std::size_t i = 1; i < std::size(Power<T>::powers); ++i) p = p * f + Power<T>::powers[i];
  return (p * f + T(1)) * power + sum;
}

}  // namespace xgrad::kernels::XGRAD_ISA
