#include <autograd/primitive.hpp>
#include <nn/modules/hooks.hpp>

/// Runs the forward hooks of a module around a call.
namespace xgrad::nn::detail {
namespace {

using xgrad::detail::Hook, xgrad::detail::HookList;

thread_local constinit const Module* hooked = nullptr;

/// Sets the innermost module whose hooks run around a call, while it is alive.
struct HookedScope : xgrad::detail::Scoped<const Module*> {
  explicit HookedScope(const Module* module) : Scoped(hooked, module) {}
};

/// Replaces t by what each hook returns, if it returns something.
template <class Call>
void replace(const HookList& list, Tensor& t, Call call) {
  const DetachedScope detached;
  const HookedScope none(nullptr);
  for (const Ref<Hook>& hook : list.hooks()) {
    if (hook->removed) continue;
    Tensor replaced = call(*hook, std::as_const(t));
    if (replaced.defined()) t = std::move(replaced);
  }
}

}  // namespace

ModuleHooks::~ModuleHooks() {
  if (!any()) return;
  before_->clear();
  after_->clear();
}

HookHandle ModuleHooks::add(bool before, Ref<Hook>&& hook) {
  if (!any()) {
    before_ = HookList::make(true);
    after_ = HookList::make(true);
  }
  return {before ? before_ : after_, std::move(hook)};
}

Tensor ModuleHooks::run(const Module* module, const Operand& x, Forward call, void* forward) const {
  if (hooked == module) return call(forward, x);
  const Place place = x.place();
  Tensor input = x.tensor();
  replace(*before_, input, [](Hook& hook, const Tensor& t) { return hook(t, Tensor()); });
  Tensor output;
  {
    const HookedScope scope(module);
    output = call(forward, Operand(input, place.file, place.line));
  }
  replace(*after_, output, [&](Hook& hook, const Tensor& t) { return hook(input, t); });
  return output;
}

}  // namespace xgrad::nn::detail
