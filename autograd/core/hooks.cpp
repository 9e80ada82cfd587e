#include <algorithm>
#include <autograd/core/recording.hpp>
#include <autograd/hooks.hpp>
#include <autograd/primitive.hpp>
#include <autograd/support/process_locks.hpp>

namespace xgrad::detail {
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
  if (tells_captures_) recording::toggle_mode(hook.get());
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
  if (tells_captures_) recording::toggle_mode(removed.get());
}

void HookList::clear() noexcept {
  std::vector<Ref<Hook>> removed;
  {
    const std::lock_guard lock(list_mutex());
    removed.swap(hooks_);
  }
  for (const Ref<Hook>& hook : removed)
    if (tells_captures_) recording::toggle_mode(hook.get());
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

}  // namespace xgrad::detail
