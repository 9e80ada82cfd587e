#pragma once
#include <functional>

namespace bench {

/// Programs that make a chain of 1000 ops on 4 elements and differentiate its sum, which is what users' own small
/// models come down to.
struct Chains {
  static constexpr int length = 1000;

  std::function<void()> tensor_with_tensor;  // y * a and y + b in turn, a and b constants
  std::function<void()> tensor_with_scalar;  // y * 1.001 and y - 0.001 in turn
  std::function<void()> unary;               // sin(y)
};

}  // namespace bench
