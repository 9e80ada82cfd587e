#include <nn/modules/mode.hpp>

namespace xgrad::nn::detail {

ModeScope::ModeScope(Module& model, bool training, Place place) {
  for (const auto& e : model.walk("train", place))
    if (e.module) before_.emplace_back(e.module, e.module->is_training());
  for (const auto& [module, before] : before_) module->mode_.set(training);
}

ModeScope::~ModeScope() {
  for (const auto& [module, before] : before_) module->mode_.set(before);
}

}  // namespace xgrad::nn::detail
