#include <nn/modules/mode.hpp>
#include <nn/modules/registry.hpp>

namespace xgrad::nn::detail {

ModeScope::ModeScope(Module& model, bool training, Place place) {
  for (const auto& e : model.walk("train", place))
    if (e.module) before_.emplace_back(e.module, e.module->is_training());
  for (const auto& [module, before] : before_) module->mode_.set(training);
}

ModeScope::~ModeScope() {
  for (const auto& [module, before] : before_)
    if (is_registered(module)) module->mode_.set(before);  // a callback may have taken a layer away
}

}  // namespace xgrad::nn::detail
