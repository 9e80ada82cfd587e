#pragma once
#include <nn/module.hpp>
#include <vector>

namespace xgrad::nn::detail {

/// Training mode, or evaluation mode, for a model and all in it for a while; then each module is in the mode in which
/// it was.
class ModeScope {
 public:
  ModeScope(Module& model, bool training, Place place);
  ~ModeScope();
  ModeScope(const ModeScope&) = delete;
  ModeScope& operator=(const ModeScope&) = delete;

 private:
  std::vector<std::pair<Module*, bool>> before_;
};

}  // namespace xgrad::nn::detail
