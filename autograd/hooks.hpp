#pragma once
#include <autograd/core/tensor_function.hpp>
#include <memory>

#pragma GCC visibility push(default)

/// Functions of the user's that run where a gradient passes, or where a module is called (nn/module.hpp):
///
///   HookHandle hook = t.register_hook([](const Tensor& g) { return clamp(g, -1, 1); });
///   loss.backward();
///   hook.remove();
///
/// A hook may be an ordinary lambda; one that returns nothing only looks. It runs on the thread that runs the pass, may
/// compute what it likes, passes over other graphs included, and what it throws ends the pass: no gradient has been
/// added to anything then.
///
/// It is kept with the tensor's history, and let go of together with it: when the pass takes the graph, or when the
/// tensor dies. A hook that captures its own tensor keeps it alive until it is removed, or a pass takes its graph.
namespace xgrad {

namespace detail {

/// A callable of one tensor or two that returns one, or an undefined one for "no change".
class Hook {
 public:
  std::atomic<std::uint32_t> references{1};
  const Place place;  // where it was registered
  const std::uint64_t id;
  std::atomic<bool> removed{false};

  Hook(Place where);
  virtual ~Hook() = default;
  virtual Tensor operator()(const Tensor& a, const Tensor& b) = 0;
  static void destroy(Hook* hook) noexcept { delete hook; }
};

template <class F, int arguments>
class HookOf final : public Hook {
 public:
  HookOf(F&& f, Place where) : Hook(where), f_(std::move(f)) {}
  Tensor operator()(const Tensor& a, const Tensor& b) override {
    const auto run = [&] {
      if constexpr (arguments == 2) {
        return call_at(place, f_, a, b);
      } else {
        return call_at(place, f_, a);
      }
    };
    if constexpr (std::is_void_v<decltype(run())>) {
      run();
      return Tensor();
    } else {
      return run();
    }
  }

 private:
  F f_;
};

/// Hooks in the order of their registration. Those of leaves and modules are part of captured steps
/// (autograd/capture.hpp), which notice a change.
class HookList {
 public:
  std::atomic<std::uint32_t> references{1};
  static Ref<HookList> make(bool tells_captures) { return Ref<HookList>::adopt(new HookList(tells_captures)); }
  static void destroy(HookList* list) noexcept { delete list; }

  explicit HookList(bool tells_captures) : tells_captures_(tells_captures) {}
  ~HookList() { clear(); }
  HookList(const HookList&) = delete;
  HookList& operator=(const HookList&) = delete;

  void add(Ref<Hook>&& hook);
  void remove(std::uint64_t id);
  void clear() noexcept;
  /// A snapshot of the hooks; running one may add and remove others, itself too.
  std::vector<Ref<Hook>> hooks() const;

 private:
  const bool tells_captures_;
  std::vector<Ref<Hook>> hooks_;
};

/// A node's rarely used fields, allocated on demand.
struct NodeExtras {
  Ref<HookList> hooks;
  bool retains_grad = false;
  Tensor grad;  // of a node that is no leaf

  explicit NodeExtras(bool of_leaf) : hooks(HookList::make(of_leaf)) {}
  ~NodeExtras() { hooks->clear(); }
  NodeExtras(const NodeExtras&) = delete;
  NodeExtras& operator=(const NodeExtras&) = delete;

  /// The node's total gradient after its hooks.
  Tensor run(const Node& node, Tensor g, bool create_graph) const;
};

}  // namespace detail

/// A registered hook, to remove it. Copies are the same; letting go of one removes nothing.
class HookHandle {
 public:
  HookHandle() = default;
  HookHandle(const Ref<detail::HookList>& list, Ref<detail::Hook>&& hook) : list_(list), id_(hook->id) {
    list_->add(std::move(hook));
  }
  /// The hook does not run any more, and what it captured is freed: once it has returned, if it is running. Does
  /// nothing if it is gone.
  void remove() {
    if (list_) list_->remove(id_);
  }

 private:
  Ref<detail::HookList> list_;
  std::uint64_t id_ = 0;
};

template <class F>
HookHandle Tensor::register_hook(F hook, Place place) const {
  static_assert(std::is_invocable_v<F&, const Tensor&>, "a tensor's hook takes the gradient, a const Tensor&");
  return add_hook(Ref<detail::Hook>::adopt(new detail::HookOf<F, 1>(std::move(hook), place)), place);
}

}  // namespace xgrad
#pragma GCC visibility pop
