#pragma once
#include <autograd/observer.hpp>
#include <vector>

namespace xgrad::mutations {

/// Counts the ops outside of rules, and sees those that are recorded.
class Counting : public Observer {
 public:
  void op_starts(const OpCall& call) override {
    if (!call.differentiating) open_.push_back(count_++);
  }
  void op_ends(const OpCall& call, const Tensor& result) override {
    if (call.differentiating) return;
    const int op = open_.back();
    open_.pop_back();
    if (result.defined() && result.requires_grad()) recorded(op, call, result);
  }

 protected:
  virtual void recorded(int op, const OpCall& call, const Tensor& result) = 0;

 private:
  int count_ = 0;
  std::vector<int> open_;
};

}  // namespace xgrad::mutations
