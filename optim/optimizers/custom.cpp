#include <algorithm>
#include <autograd/grad_mode.hpp>
#include <optim/custom.hpp>

namespace xgrad::optim {

Tensor& State::operator[](std::string_view name) {
  for (auto& [known, t] : entries_)
    if (known == name) return t;
  return entries_.emplace_back(name, zeros(like_.shape(), {.dtype = like_.dtype()})).second;
}

bool State::contains(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry.first == name; });
}

namespace detail {

bool CustomOptimizer::change_parameters(const OpScope& scope) {
  const NoGrad guard;
  bool any = false;
  for (Slot& slot : slots_) {
    const Tensor g = slot.parameter.grad();
    if (!g.defined()) continue;
    any = true;
    check_state(scope, slot);
    const Tensor parameter = slot.parameter.detach();
    Tensor written = parameter;
    State state(slot.state, parameter);
    {
      const DetachedScope users_own;
      update_one(written, g, state, slot.group, slot.steps + 1);
    }
    take_over(scope, parameter, written, slot);
    ++slot.steps;
  }
  return any;
}

/// What `update` left: p may be another tensor now, and a state may be the gradient itself, which others overwrite.
void CustomOptimizer::take_over(const OpScope& scope, const Tensor& parameter, const Tensor& written,
                                Slot& slot) const {
  for (auto& [name, t] : slot.state) {
    if (!t.defined() || t.dtype() != parameter.dtype() || t.shape() != parameter.shape())
      scope.fail<ValueError>("the state ", name, " of ", label(slot), " is ",
                             t.defined() ? text(name_of(t.dtype()), " ", t.shape()) : std::string("undefined"),
                             "; it must be of the parameter's dtype and shape, ", name_of(parameter.dtype()), " ",
                             parameter.shape());
    if (!t.unique()) t = t.clone();
  }
  Tensor to = parameter;
  if (!written.same(parameter)) to.assign(written);
  to.array().storage()->written.store(tick(), std::memory_order_relaxed);
}

}  // namespace detail
}  // namespace xgrad::optim
