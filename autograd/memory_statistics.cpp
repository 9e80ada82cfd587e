#include <autograd/memory.hpp>
#include <mutex>

namespace xgrad::memory {
namespace {

/// One thread's counters; only that thread writes, anyone may read. They are signed: a block may be freed by another
/// thread than the one that made it, and only the sum over all threads means something.
struct Counters {
  std::atomic<std::int64_t> live_bytes{0}, live_nodes{0}, system_allocations{0};
  Counters* next = nullptr;
};

struct Registry {
  std::mutex mutex;
  Counters* first = nullptr;
};
// Never destroyed: tensors with static storage may outlive every static object here.
Registry& registry() {
  static Registry* const r = new Registry;
  return *r;
}

thread_local constinit Counters* mine = nullptr;

// Kept for good: they go on counting for the blocks that the thread leaves behind.
Counters& counters() {
  if (!mine) {
    mine = new Counters;
    Registry& r = registry();
    const std::lock_guard lock(r.mutex);
    mine->next = r.first;
    r.first = mine;
  }
  return *mine;
}

void add(std::atomic<std::int64_t>& counter, std::int64_t change) {
  counter.store(counter.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}

}  // namespace

void detail::count_bytes(std::int64_t change) noexcept { add(counters().live_bytes, change); }
void detail::count_nodes(std::int64_t change) noexcept { add(counters().live_nodes, change); }
void detail::count_system_allocation() noexcept { add(counters().system_allocations, 1); }

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
