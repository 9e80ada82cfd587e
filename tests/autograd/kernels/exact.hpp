#pragma once
#include <cmath>

#include "support.hpp"

/// What elementwise kernels compute, in long double.
namespace kernels_support {

inline Real sigmoid(Real x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
inline Real softplus(Real x) { return std::fmax(x, Real(0)) + std::log1p(std::exp(-std::fabs(x))) + (x != x ? x : 0); }
inline Real slope(Real x) { return std::exp(-std::fabs(x)) / std::pow(1 + std::exp(-std::fabs(x)), Real(2)); }
inline Real positive(Real x) { return x <= 0 ? 0 : x; }

inline Real inverse_erf(Real x) {
  const Real size = std::fabs(x), pi = std::acos(Real(-1));
  if (!(size < 1)) return size == 1 ? x * inf : NaN;
  if (size < 1e-5) return x * std::sqrt(pi) / 2 * (1 + pi * x * x / 12);
  Real low = 0, high = 8;
  for (int i = 0; i < 90; ++i) {
    const Real middle = (low + high) / 2;
    const bool below = size < .5 ? std::erf(middle) < size : std::erfc(middle) > 1 - size;
    (below ? low : high) = middle;
  }
  return std::copysign(low, x);
}
inline Real bell(Real x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::acos(Real(-1))); }
inline Real gelu_slope(Real x) { return std::erfc(-x / std::sqrt(Real(2))) / 2 + x * bell(x); }
inline Real log_of_sum(Real a, Real b) {
  return std::fmax(a, b) + std::log1p(std::exp(a == b ? 0 : -std::fabs(a - b))) + (a != a || b != b ? Real(NaN) : 0);
}
inline Real floored_rest(Real a, Real b) {
  const Real rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
inline Real floored_quotient(Real a, Real b) {
  if (std::isinf(b) && std::isfinite(a)) return a != 0 && (a < 0) != (b < 0) ? -1 : 0;
  return std::isinf(a) && b != 0 ? Real(NaN) : std::floor(a / b);
}
/// By its recurrence up to 200, and the first terms of its series from there.
inline Real exact_polygamma(Real n, Real x) {
  Real sum = 0, factorial = 1;
  for (Real k = 2; k <= n; ++k) factorial *= k;
  const Real sign = std::fmod(n, Real(2)) != 0 ? 1 : -1;
  for (; x < 200; ++x) sum += sign * factorial * std::pow(x, -n - 1);
  const Real z = 1 / (x * x);
  if (n == 0) return sum + std::log(x) - 1 / (2 * x) - z / 12 + z * z / 120 - z * z * z / 252;
  const Real series = 1 / n + 1 / (2 * x) + (n + 1) * z / 12 - (n + 1) * (n + 2) * (n + 3) * z * z / 720 +
                      (n + 1) * (n + 2) * (n + 3) * (n + 4) * (n + 5) * z * z * z / 30240;
  return sum + sign * factorial * std::pow(x, -n) * series;
}

inline Real bce(Real z, Real t) {
  const Real factor = (z > 0 ? 1 : 0) - t;
  return (factor == 0 ? 0 : z * factor) + std::log1p(std::exp(-std::fabs(z)));
}
inline Real least(Real a, Real b) { return a != a || a < b ? a : b; }

}  // namespace kernels_support
