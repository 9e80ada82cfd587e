#pragma once
#include <autograd/kernels/simd/exponentials.hpp>
#include <autograd/kernels/simd/power.hpp>

/// Powers of two, logarithms to other bases, the inverse of erf, and the gamma function's relatives.
namespace xgrad::kernels::XGRAD_ISA::math {

inline double exp2(double x) { return std::exp2(x); }
inline double log2(double x) { return std::log2(as_it_counts(x)); }
inline double log10(double x) { return std::log10(as_it_counts(x)); }
inline Floats log2(Floats x) { return xsimd::log2(x); }
inline Floats log10(Floats x) { return xsimd::log10(x); }

/// 2^k e^(r log 2) with x = k + r and |r| <= 1/2.
inline Floats exp2(Floats x) {
  x = min_of(Floats(129.f), max_of(Floats(-151.f), x));  // x second: a NaN passes
  const Floats k = xsimd::nearbyint(x);
  const ExpParts parts = exp_parts((x - k) * Floats(0.693147181f));
  return times_power_of_two(parts.expm1_r + Floats(1.f), k + parts.k);
}

/// |x|, at most so much that nothing is beyond it, and the standard normal's tail beyond that and its density there.
template <class V>
struct NormalTail {
  V size, tail, density;
};
/// For z = |x| the tail is exp(-z^2 / 2) (1 / 2 + u p(u)) with u = z / (z + 3): near 0, where the least may be lost,
/// u p(u) is small. p is fitted up to z = 14.5, past which the tail is 0.
inline NormalTail<Floats> normal_tail(Floats x) {
  const Floats z = min_of(Floats(15.f), abs(x));  // |x| second: a NaN passes
  const Floats e = exponential(z * z * Floats(-0.5f)), u = z / (z + Floats(3.f));
  Floats p(0.0258523244f);
  for (float c : {-0.0883078352f, 0.0770622343f, 0.0143259801f, 0.060006164f, -0.158236191f, -0.287033409f, 1.05315816f,
                  -1.19682658f, 0.5f})
    p = fma(p, u, Floats(c));
  return {z, e * p, e * Floats(0.39894228f)};
}

/// Giles, "Approximating the erfinv function", 2011: two polynomials of w = -log(1 - x^2).
inline Floats erfinv(Floats x) {
  const Floats one(1.f), w = -log((one - x) * (one + x));
  const auto middle = w < Floats(5.f);
  const Floats t = select(middle, w - Floats(2.5f), xsimd::sqrt(w) - Floats(3.f));
  constexpr float near_0[] = {2.81022636e-08f, 3.43273939e-07f, -3.5233877e-06f, -4.39150654e-06f, 0.00021858087f,
                              -0.00125372503f, -0.00417768164f, 0.246640727f,    1.50140941f};
  constexpr float near_1[] = {-0.000200214257f, 0.000100950558f, 0.00134934322f, -0.00367342844f, 0.00573950773f,
                              -0.0076224613f,   0.00943887047f,  1.00167406f,    2.83297682f};
  Floats p = select(middle, Floats(near_0[0]), Floats(near_1[0]));
  for (int i = 1; i < 9; ++i) p = fma(p, t, select(middle, Floats(near_0[i]), Floats(near_1[i])));
  return select(abs(x) == one, x * Floats(__builtin_inff()), p * x);
}

/// Winitzki's formula, to 2e-3, and two steps of Halley's method on erf, near 1 on erfc, which keeps the digits that
/// erf loses there.
inline double erfinv(double x) {
  const double size = abs(x);
  if (!(size < 1)) return size == 1 ? x * __builtin_inf() : __builtin_nan("");
  const double rest = 1 - size, l = log(rest * (1 + size)), a = 0.147, t = 2 / (3.14159265358979324 * a) + l / 2;
  double y = size < 1e-3 ? size * 0.88622692545275801 : std::sqrt(std::sqrt(t * t - l / a) - t);
  for (int i = 0; i < 2; ++i) {
    const double error = size < 0.5 ? erf(y) - size : rest - erfc(y);
    const double step = error / (1.1283791670955126 * exp(-y * y));  // 2 / sqrt(pi)
    y -= step / (1 + y * step);
  }
  return std::copysign(y, x);
}

/// log |Gamma(x)|.
inline double lgamma(double x) { return system::lgamma(as_it_counts(x)); }
inline float lgamma(float x) { return float(lgamma(double(as_it_counts(x)))); }

/// The derivative of log Gamma: psi(x) = psi(x + 1) - 1 / x up to where its asymptotic series holds, and
/// psi(x) = psi(1 - x) - pi / tan(pi x) below 0.
inline double digamma(double x) {
  if (x == 0) return std::copysign(__builtin_inf(), -x);
  if (x < 0) {
    const double fraction = x - std::nearbyint(x);
    return fraction == 0 ? __builtin_nan("")
                         : digamma(1 - x) - 3.14159265358979324 / std::tan(3.14159265358979324 * fraction);
  }
  double sum = 0;
  for (; x < 10; x += 1) sum -= 1 / x;
  const double z = 1 / (x * x);
  double p = 1 / 12.;
  for (double c : {-691 / 32760., 1 / 132., -1 / 240., 1 / 252., -1 / 120., 1 / 12.}) p = p * z + c;
  return sum + (std::log(x) - 0.5 / x - p * z);
}

/// The sum over k >= 0 of (x + k)^-s for a whole s > 1 and x > 0: the first terms, and Euler and Maclaurin's formula
/// for the others.
inline double hurwitz_zeta(double s, double x) {
  double sum = 0;
  for (; x < 10 + s / 2; x += 1) sum += std::pow(x, -s);
  const double power = std::pow(x, -s);
  sum += std::pow(x, 1 - s) / (s - 1) + power / 2;
  double term = power * s / x;  // s (s + 1) ... (s + 2k - 2) x^(-s - 2k + 1) / (2k)!, times B_2k in the sum
  constexpr double bernoulli[] = {1 / 12.,          -1 / 720.,
                                  1 / 30240.,       -1 / 1209600.,
                                  1 / 47900160.,    -691 / 1307674368000.,
                                  1 / 74724249600., -3617 / 10670622842880000.};
  double k = s;
  for (double b : bernoulli) {
    sum += b * term;
    term *= (k + 1) * (k + 2) / (x * x);
    k += 2;
  }
  return sum;
}

/// (-1)^(n+1) n! times the sum of (x + k)^-(n+1). Below 0 the terms whose x + k is negative are those of the sum from
/// the distance d in [0, 1) to the next whole number on, less those from 1 - x on; the others begin at 1 - d. From 171
/// on n! is no number of f64.
inline double polygamma(double n, double x) {
  if (!(n >= 0 && n <= 170) || n != std::floor(n)) return __builtin_nan("");
  if (n == 0) return digamma(x);
  double factorial = 1;
  for (double i = 2; i <= n; i += 1) factorial *= i;
  const bool odd = std::fmod(n, 2.) != 0;
  const double s = n + 1;
  double zeta;
  if (x > 0) {
    zeta = hurwitz_zeta(s, x);
  } else if (x == 0) {
    zeta = std::pow(x, -s);
  } else {
    const double distance = std::ceil(x) - x;  // keeps the digits of an x just below 0, which 1 + x has not
    const double between = distance == 0 ? 0 : hurwitz_zeta(s, distance) - hurwitz_zeta(s, 1 - x);
    zeta = (distance == 0 ? __builtin_inf() : hurwitz_zeta(s, 1 - distance)) + (odd ? between : -between);
  }
  return (odd ? factorial : -factorial) * zeta;
}
inline float polygamma(float n, float x) { return float(polygamma(double(n), double(as_it_counts(x)))); }

}  // namespace xgrad::kernels::XGRAD_ISA::math
