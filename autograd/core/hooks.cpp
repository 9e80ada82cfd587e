#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/hooks.hpp>
#include <autograd/node.hpp>
#include <autograd/support/process_locks.hpp>

// Lists of hooks, how they change a gradient, and the fields of nodes that have them.
namespace xgrad {
namespace detail {
namespace {

// Passes of several threads may meet at a leaf. Held only while a list is looked at or changed.
std::mutex& list_mutex() { return process_lock(ProcessLock::hooks); }

std::atomic<std::uint64_t> newest{0};

std::string described(const Node& node) {
  if (node.is_leaf) return "a leaf";
  const Place place = node.place();
  return place.file ? text("the result of ", node.name, " (", place.file, ":", place.line, ")")
                    : text("the result of ", node.name);
}

}  // namespace

Hook::Hook(Place where) : place(where), id(++newest) {}

void HookList::add(Ref<Hook>&& hook) {
  if (tells_captures_) capturing::toggle_mode(hook.get());
  const std::lock_guard lock(list_mutex());
  hooks_.push_back(std::move(hook));
}

// What a hook captured is freed outside of the lock, as it may be a graph with hooks of its own.
void HookList::remove(std::uint64_t id) {
  Ref<Hook> removed;
  {
    const std::lock_guard lock(list_mutex());
    const auto it = std::find_if(hooks_.begin(), hooks_.end(), [id](const Ref<Hook>& h) { return h->id == id; });
    if (it == hooks_.end()) return;
    removed = std::move(*it);
    hooks_.erase(it);
  }
  removed->removed = true;
  if (tells_captures_) capturing::toggle_mode(removed.get());
}

void HookList::clear() noexcept {
  std::vector<Ref<Hook>> removed;
  {
    const std::lock_guard lock(list_mutex());
    removed.swap(hooks_);
  }
  for (const Ref<Hook>& hook : removed)
    if (tells_captures_) capturing::toggle_mode(hook.get());
}

std::vector<Ref<Hook>> HookList::hooks() const {
  const std::lock_guard lock(list_mutex());
  return hooks_;
}

Tensor NodeExtras::run(const Node& node, Tensor g, bool create_graph) const {
  const std::vector<Ref<Hook>> all = hooks->hooks();
  if (all.empty()) return g;
  const DetachedScope detached;
  const Differentiating nothing(nullptr);
  if (!g.defined()) g = zeros(node.shape(), {.dtype = node.dtype});
  for (const Ref<Hook>& hook : all) {
    if (hook->removed) continue;
    Tensor replaced = (*hook)(g, Tensor());
    if (!replaced.defined()) continue;
    if (!node.has_shape(replaced.shape()) || replaced.dtype() != node.dtype) {
      const OpScope scope("register_hook", hook->place);
      scope.fail<GraphError>("the hook on ", described(node), " returned ", name_of(replaced.dtype()), " ",
                             replaced.shape(), ", and the gradient is ", name_of(node.dtype), " ", node.shape(),
                             "; they must be equal");
    }
    g = create_graph ? std::move(replaced) : replaced.detach();
  }
  return g;
}

void destroy(const NodeExtras* extras) noexcept { delete extras; }

}  // namespace detail

detail::NodeExtras& Node::with_extras() {
  if (!extras) extras = new detail::NodeExtras(is_leaf);
  return *extras;
}

Tensor& Node::gradient_of_result() { return with_extras().grad; }

/// The rest of the advice to compute with gradients, where the thread's are off: in a hook, a rule or NoGrad.
static const char* where_recorded() { return grad_enabled() ? "" : ", here under an EnableGrad"; }

void Tensor::retain_grad(Place place) const {
  const OpScope scope("retain_grad", place);
  if (!requires_grad())
    scope.fail<GraphError>("a constant has no gradient; mark a leaf with .requires_grad = true before computing",
                           where_recorded());
  if (!node()->is_leaf) node()->with_extras().retains_grad = true;
}

HookHandle Tensor::add_hook(Ref<detail::Hook>&& hook, Place place) const {
  const OpScope scope("register_hook", place);
  if (!requires_grad())
    scope.fail<GraphError>("no gradient comes by a constant; mark a leaf with .requires_grad = true before computing",
                           where_recorded());
  return {node()->with_extras().hooks, std::move(hook)};
}

}  // namespace xgrad
