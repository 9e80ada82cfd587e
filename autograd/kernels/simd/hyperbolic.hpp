#pragma once
#include <autograd/kernels/simd/math.hpp>

/// sinh and cosh of f32.
namespace xgrad::kernels::XGRAD_ISA::math {

inline double sinh(double x) { return std::sinh(x); }
inline double cosh(double x) { return std::cosh(x); }

/// |x| = k log 2 + r as in exp_parts, and the halves of cosh(k log 2) and sinh(k log 2): 2^k may be out of range where
/// the result is not.
struct HyperbolicParts {
  Floats sum, difference;   // of 2^k / 4 and 2^-k / 4
  Floats lost;              // by rounding the sum
  Floats r, sinh_r_less_r;  // sinh r - r
  Floats cosh_r_less_1;     // cosh r - 1
};
inline HyperbolicParts hyperbolic_parts(Floats x) {
  const Floats size = min_of(Floats(89.5f), abs(x));  // |x| second: a NaN passes
  const Floats k = xsimd::nearbyint(size * Floats(1.44269504f));
  const Floats r = (size - k * Floats(0.693359375f)) + k * Floats(2.12194440e-4f);
  const Floats z = r * r;
  const Floats s = fma(z, Floats(1.99051268e-4f), Floats(8.33328906e-3f));
  const Floats c = fma(z, Floats(1.39464485e-3f), Floats(4.16662656e-2f));
  const Integers n = xsimd::to_int(k);
  const Floats grown = power_of_two(n - Integers(2));
  const Floats shrunk = power_of_two(xsimd::max(Integers(-126), Integers(-2) - n));
  const Floats sum = grown + shrunk;
  return {sum,
          grown - shrunk,
          (grown - sum) + shrunk,
          r,
          r * z * fma(z, s, Floats(1.66666672e-1f)),
          z * fma(z, c, Floats(0.5f))};
}

/// a + b r + rest, doubled. What the sum of the first two lost in rounding is put back.
inline Floats doubled(Floats a, Floats b, Floats r, Floats rest) {
  const Floats most = fma(b, r, a), half = most + (rest - remainder(most - a, b, r));
  return half + half;
}

/// sinh(k log 2) cosh r + cosh(k log 2) sinh r. Near 0, where k is 0, so is all but the second.
inline Floats sinh(Floats x) {
  const HyperbolicParts p = hyperbolic_parts(x);
  const Floats rest = fma(p.difference, p.cosh_r_less_1, p.sum * p.sinh_r_less_r);
  return doubled(p.difference, p.sum, p.r, rest) ^ xsimd::bitofsign(x);
}

/// cosh(k log 2) cosh r + sinh(k log 2) sinh r.
inline Floats cosh(Floats x) {
  const HyperbolicParts p = hyperbolic_parts(x);
  const Floats rest = fma(p.sum, p.cosh_r_less_1, fma(p.difference, p.sinh_r_less_r, p.lost));
  return doubled(p.sum, p.difference, p.r, rest);
}

}  // namespace xgrad::kernels::XGRAD_ISA::math
