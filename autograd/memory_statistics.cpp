#include <autograd/memory.hpp>
#include <mutex>

namespace xgrad::memory {
namespace {

using detail::Counters;

struct Registry {
  std::mutex mutex;
  Counters* first = nullptr;
};
// Never destroyed: tensors with static storage may outlive every static object here.
Registry& registry() {
  static Registry* const r = new Registry;
  return *r;
}

}  // namespace

thread_local constinit Counters* detail::thread_counters = nullptr;

// Kept for good: they go on counting for the blocks that the thread leaves behind.
Counters* detail::make_counters() noexcept {
  Counters* const made = new Counters;
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  made->next = r.first;
  r.first = made;
  return thread_counters = made;
}

Statistics statistics() {
  Statistics s{};
  s.idle_bytes = detail::idle_bytes();
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  for (const Counters* c = r.first; c; c = c->next) {
    s.live_bytes += c->live_bytes.load(std::memory_order_relaxed);
    s.live_nodes += c->live_nodes.load(std::memory_order_relaxed);
    s.system_allocations += c->system_allocations.load(std::memory_order_relaxed);
  }
  return s;
}

}  // namespace xgrad::memory
