#pragma once
#include <autograd/tensor.hpp>

namespace xgrad {

/// When it ends, the thread's random numbers go on from where they stood before it.
class RandomScope {
 public:
  RandomScope() = default;
  /// In it they go on from `state`.
  explicit RandomScope(RandomState state) { set_random_state(state); }
  ~RandomScope() { set_random_state(before_); }
  RandomScope(const RandomScope&) = delete;
  RandomScope& operator=(const RandomScope&) = delete;

 private:
  const RandomState before_ = random_state();
};

}  // namespace xgrad
