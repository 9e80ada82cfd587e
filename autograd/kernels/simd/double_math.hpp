#pragma once
#include <autograd/kernels/simd/lanes.hpp>

/// Functions of f64 to within 1 ulp, by the same operations and so with the same bits on every instruction set. They
/// are for files in which the compiler fuses no a * b + c (cmake/Library.cmake says which do).
namespace xgrad::kernels::XGRAD_ISA::math {

using Doubles = Batch<double>;
using Bits = xsimd::batch<std::uint64_t>;

/// Adding this rounds a number below 2^51 to a whole one, which the lowest bits of the sum then hold.
inline constexpr double rounding = 0x1.8p52;

/// As two polynomials of x^2, which the processor adds up at the same time.
template <std::size_t n>
Doubles polynomial(Doubles x, const double (&highest_first)[n]) {
  const Doubles square = x * x;
  Doubles a(highest_first[0]), b(highest_first[1]);
  for (std::size_t i = 2; i + 1 < n; i += 2) {
    a = a * square + highest_first[i];
    b = b * square + highest_first[i + 1];
  }
  return n % 2 ? a * square + highest_first[n - 1] + b * x : a * x + b;
}

/// 2^k for the whole k, -1022 <= k <= 1023, that was rounded to `k + rounding`.
inline Doubles power_of_two(Doubles k_and_rounding) {
  return bits_as<Doubles>((bits_as<Bits>(k_and_rounding) + Bits(1023)) << 52);
}

/// x = k log 2 + hi - lo, |hi - lo| <= log(2) / 2, where k and the long part of log 2 multiply without rounding
/// (fdlibm's e_exp.c). 2^k in two steps: 2^1024 and 2^-1074 are out of range for one.
inline Doubles exp(Doubles x) {
  x = min_of(Doubles(710.), max_of(Doubles(-746.), x));  // x second: a NaN passes
  const Doubles k = (x * 1.4426950408889634 + rounding) - rounding;
  const Doubles hi = x - k * 6.93147180369123816490e-01, lo = k * 1.90821492927058770002e-10;
  const Doubles r = hi - lo;
  const Doubles p =
      polynomial(r, {2.0911236630261545e-09, 2.510038549551032e-08, 2.755728296954995e-07, 2.7557268459997064e-06,
                     2.4801587317144498e-05, 1.9841269863053618e-4, 1.3888888888886552e-3, 8.333333333330062e-3,
                     4.1666666666666664e-2, 1.6666666666666669e-1, 0.5});
  const Doubles y = (hi - (lo - r * r * p)) + 1.;
  const Doubles half = k * 0.5 + rounding;
  return y * power_of_two(half) * power_of_two((k - (half - rounding)) + rounding);
}

/// x = 2^k (1 + f), 1/sqrt(2) <= 1 + f < sqrt(2), and the series of log(1 + f) in s = f / (2 + f), put together so that
/// its first terms are not rounded (fdlibm's e_log.c).
inline Doubles log(Doubles x) {
  const auto tiny = x < Doubles(0x1p-1022);
  const Doubles normal = xsimd::select(tiny, x * 0x1p54, x);
  // Subtracting 1/sqrt(2) carries into the exponent of what lies above it.
  const Bits bits = bits_as<Bits>(normal) + Bits(0x3FF0000000000000 - 0x3FE6A09E667F3BCD);
  const Doubles k = bits_as<Doubles>((bits >> 52) | Bits(0x4330000000000000)) -
                    xsimd::select(tiny, Doubles(0x1p52 + 1023 + 54), Doubles(0x1p52 + 1023));
  const Doubles f = bits_as<Doubles>((bits & Bits(0x000FFFFFFFFFFFFF)) + Bits(0x3FE6A09E667F3BCD)) - 1.;
  const Doubles s = f / (f + 2.), z = s * s, half = f * f * 0.5;
  const Doubles p =
      polynomial(z, {1.4616449685043406e-1, 1.5331721600556042e-1, 1.8182889125261723e-1, 2.222221113479508e-1,
                     2.8571428625975487e-1, 3.9999999999899505e-1, 6.66666666666667e-1});
  const Doubles y =
      k * 6.93147180369123816490e-01 - ((half - (s * (half + z * p) + k * 1.90821492927058770002e-10)) - f);
  const Doubles infinity(__builtin_inf()), zero(0.);
  // Asked for 0 < x < inf at once, clang 19 looks at the bits, by which no subnormal number is the zero that it may
  // count as.
  const Doubles special = xsimd::select(x == zero, -infinity, Doubles(__builtin_nan("")));
  return xsimd::select(x > zero, xsimd::select(x == infinity, x, y), special);
}

/// The sine and the cosine of `turns` whole circles, 0 <= turns < 1.
inline void sine_and_cosine(Doubles turns, Doubles& sine, Doubles& cosine) {
  const Doubles k = turns * 4. + rounding, a = (turns - (k - rounding) * 0.25) * 6.283185307179586;
  const Doubles z = a * a;
  const Doubles s = a + a * z *
                            polynomial(z, {1.5918129294866608e-10, -2.5051131845003624e-08, 2.755731610255244e-06,
                                           -1.9841269836758574e-4, 8.333333333330948e-3, -1.6666666666666666e-1});
  const Doubles c =
      1. - z * (0.5 - z * polynomial(z, {-1.1382632425521717e-11, 2.08761462684032e-09, -2.7557317271729793e-07,
                                         2.480158729876569e-05, -1.3888888888887398e-3, 4.1666666666666664e-2}));
  const Bits quarter = bits_as<Bits>(k), one(1), two(2);
  const Doubles exchange = (s ^ c) & bits_as<Doubles>(Bits(0) - (quarter & one));
  sine = s ^ exchange ^ bits_as<Doubles>((quarter & two) << 62);
  cosine = c ^ exchange ^ bits_as<Doubles>(((quarter + one) & two) << 62);
}

}  // namespace xgrad::kernels::XGRAD_ISA::math
