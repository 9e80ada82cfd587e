#pragma once
#include <autograd/kernels/simd/power.hpp>

/// Remainders and rounded quotients of single elements. Integers of 0 are divided to 0, and wrap around.
namespace xgrad::kernels::XGRAD_ISA::math {

template <class T>
requires std::is_floating_point_v<T> T fmod(T a, T b) {
  return as_it_counts(std::fmod(as_it_counts(a), as_it_counts(b)));
}
inline std::int64_t fmod(std::int64_t a, std::int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }

/// fmod, moved to the side of zero on which b is.
template <class T>
T remainder(T a, T b) {
  const T rest = fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/// a / b rounded down. What is left of a without its remainder is a multiple of b, so the quotient is a whole number
/// but for its rounding.
template <class T>
requires std::is_floating_point_v<T> T floor_divide(T a, T b) {
  if (b == 0) return a / b;
  const T rest = fmod(a, b);
  const T quotient = (a - rest) / b - T(rest != 0 && (rest < 0) != (b < 0));
  return quotient == 0 ? std::copysign(T(0), a / b) : std::nearbyint(quotient);
}
inline std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return std::int64_t(0 - std::uint64_t(a));
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

}  // namespace xgrad::kernels::XGRAD_ISA::math
