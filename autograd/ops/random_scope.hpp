#pragma once
#include <autograd/tensor.hpp>

/// A scope that restores the generator.
namespace xgrad {

/// Restores the thread's generator when it ends.
class RandomScope {
 public:
  RandomScope() = default;
  /// Starts the generator from `state`.
  explicit RandomScope(RandomState state) { set_random_state(state); }
  ~RandomScope() { set_random_state(before_); }
  RandomScope(const RandomScope&) = delete;
  RandomScope& operator=(const RandomScope&) = delete;

 private:
  const RandomState before_ = random_state();
};

}  // namespace xgrad
