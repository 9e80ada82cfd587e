#pragma once
#include <nn/module.hpp>

namespace xgrad::nn::detail {

/// Training mode, or evaluation mode, for a while.
class ModeScope {
 public:
  ModeScope(Module& model, bool training) : model_(model), before_(model.is_training()) { model_.train(training); }
  ~ModeScope() { model_.train(before_); }
  ModeScope(const ModeScope&) = delete;
  ModeScope& operator=(const ModeScope&) = delete;

 private:
  Module& model_;
  const bool before_;
};

}  // namespace xgrad::nn::detail
