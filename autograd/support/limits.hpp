#pragma once
#include <limits>

/// The f64 that are no finite numbers.
namespace xgrad::detail {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace xgrad::detail
