#pragma once
#include <chrono>

namespace xgrad::nn::detail {

/// Seconds on a clock that nobody sets.
inline double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace xgrad::nn::detail
