#pragma once
#include <autograd/tensor.hpp>
#include <mutex>

/// How several rules of a node share one computation.
namespace xgrad {

/// The cotangents of an op's inputs where one computation gives them all: the first rule that is called with a
/// cotangent makes them, the others find theirs. What is not asked for is kept no longer than until the next pass, so
/// nothing that has a history may be left here: it could lead back to the node.
class SharedRule {
 public:
  /// The number of rules that will be stored.
  explicit SharedRule(int rules) : rules_(rules) {}

  /// Cotangent i of those that compute() makes of g.
  template <class Compute>
  Tensor take(std::size_t i, const Tensor& g, const Compute& compute) {
    const std::lock_guard lock(mutex_);
    if (!g_.same(g) || !parts_[i].defined()) {
      parts_ = compute();
      g_ = g;
      left_ = rules_;
    }
    Tensor part = std::move(parts_[i]);
    if (--left_ == 0) {
      parts_.clear();
      g_ = Tensor();
    }
    return part;
  }

 private:
  std::mutex mutex_;  // passes of several threads may meet at a node
  std::vector<Tensor> parts_;
  Tensor g_;
  const int rules_;
  int left_ = 0;
};

}  // namespace xgrad
