#pragma once
#include <autograd/kernels/simd/math.hpp>

/// Sums of exponentials, term by term. For files in which the compiler fuses a * b + c.
namespace xgrad::kernels::XGRAD_ISA {

/// What powers of two are made with: `powers` is (2^f - 1) / f, highest power first, and adding `rounding` to a small
/// number leaves the lowest bits of the sum whole, or with AVX-512 sixteenths.
template <class T>
struct Power;

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

template <class T>
alignas(64) inline constexpr T sixteenths[] = {T(1.),
                                               T(1.0442737824274138),
                                               T(1.0905077326652577),
                                               T(1.1387886347566917),
                                               T(1.1892071150027211),
                                               T(1.241857812073484),
                                               T(1.2968395546510097),
                                               T(1.3542555469368927),
                                               T(1.414213562373095),
                                               T(1.4768261459394993),
                                               T(1.5422108254079408),
                                               T(1.6104903319492543),
                                               T(1.6817928305074291),
                                               T(1.7562521603732995),
                                               T(1.8340080864093425),
                                               T(1.9152065613971473)};

/// t = f + whole sixteenths: f, and two to the power of these. At -inf f is 0, and so is the power.
inline math::Floats split_power(math::Floats t, math::Floats& power) {
  const __m512 rounded =
      _mm512_add_round_ps(t, _mm512_set1_ps(Power<float>::rounding), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  power = _mm512_scalef_ps(_mm512_permutexvar_ps(_mm512_castps_si512(rounded), _mm512_load_ps(sixteenths<float>)), t);
  return _mm512_reduce_ps(t, 4 << 4 | _MM_FROUND_TO_NEG_INF);
}
inline math::Doubles split_power(math::Doubles t, math::Doubles& power) {
  const __m512d rounded =
      _mm512_add_round_pd(t, _mm512_set1_pd(Power<double>::rounding), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  power = _mm512_scalef_pd(_mm512_permutex2var_pd(_mm512_load_pd(sixteenths<double>), _mm512_castpd_si512(rounded),
                                                  _mm512_load_pd(sixteenths<double> + 8)),
                           t);
  return _mm512_reduce_pd(t, 4 << 4 | _MM_FROUND_TO_NEG_INF);
}

#else

// |f| <= 1/2.
template <>
struct Power<float> {
  static constexpr float rounding = 0x1.8p23f + 127, least = -124, most = 127;
  static constexpr float powers[] = {1.5594700366e-4f,     1.3406643631522e-3f, 9.6176929043941e-3f,
                                     5.55031055235796e-2f, .24022652783373494f, .69314721496732246f};
};
template <>
struct Power<double> {
  static constexpr double rounding = 0x1.8p52 + 1023, least = -1010, most = 1023;
  static constexpr double powers[] = {
      7.1117429414483523e-9, 1.0210505476056479e-7, 1.3215235719812038e-6, 1.5252647753282955e-5, 1.5403530800666101e-4,
      1.3333558246470232e-3, 9.6181291073808156e-3, 5.5504108664346657e-2, .24022650695910472,    .69314718055995161};
};

/// t = f + a whole number: f, and two to the power of it. What is too small to count in a sum is not zero.
template <class T>
Batch<T> split_power(Batch<T> t, Batch<T>& power) {
  using V = Batch<T>;
  using Bits = std::conditional_t<sizeof(T) == 4, math::Integers, math::Bits>;
  constexpr int mantissa = std::numeric_limits<T>::digits - 1;
  t = xsimd::min(V(Power<T>::most), xsimd::max(V(Power<T>::least), t));  // t second: a NaN passes
  const V rounded = t + Power<T>::rounding;
  power = xsimd::bitwise_cast<V>(xsimd::bitwise_cast<Bits>(rounded) << mantissa);
  return t - (rounded - Power<T>::rounding);
}

#endif

/// sum + exp(x). The relative error of exp(x) grows with |x|, as the errors do with which numbers so far from others
/// are known.
template <class T>
Batch<T> plus_exp(Batch<T> sum, Batch<T> x) {
  Batch<T> power, p(Power<T>::powers[0]);
  const Batch<T> f = split_power(x * T(1.4426950408889634), power);
  for (std::size_t i = 1; i < std::size(Power<T>::powers); ++i) p = p * f + Power<T>::powers[i];
  return (p * f + T(1)) * power + sum;
}

}  // namespace xgrad::kernels::XGRAD_ISA
