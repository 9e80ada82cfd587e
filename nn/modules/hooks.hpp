#pragma once
#include <autograd/hooks.hpp>

#pragma GCC visibility push(default)

/// Where a module keeps its forward hooks.
namespace xgrad::nn {

class Module;

namespace detail {

/// The forward hooks of one module. They belong to that object: a copy has none.
class ModuleHooks {
 public:
  ModuleHooks() = default;
  ModuleHooks(const ModuleHooks&) {}
  ModuleHooks(ModuleHooks&&) noexcept = default;
  ModuleHooks& operator=(const ModuleHooks&) { return *this; }
  ~ModuleHooks();

  bool any() const { return static_cast<bool>(before_); }
  HookHandle add(bool before, Ref<xgrad::detail::Hook>&& hook);

  using Forward = Tensor (*)(void* forward, const Operand& x);
  /// Runs the hooks before and after forward(x), unless they are already running around this very call.
  Tensor run(const Module* module, const Operand& x, Forward call, void* forward) const;

 private:
  Ref<xgrad::detail::HookList> before_, after_;  // made together, with the first hook
};

}  // namespace detail
}  // namespace xgrad::nn
#pragma GCC visibility pop
