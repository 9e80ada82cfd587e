#include <autograd/memory.hpp>
#include <autograd/support/process_locks.hpp>

// Counts of bytes and nodes, per thread and summed when asked.
namespace xgrad::memory {
namespace {

using detail::Counters;

constinit Counters* first = nullptr;

std::mutex& lock() { return xgrad::detail::process_lock(xgrad::detail::ProcessLock::counters); }

}  // namespace

thread_local constinit Counters* detail::thread_counters = nullptr;

// Kept for good: they go on counting for the blocks that the thread leaves behind.
Counters* detail::make_counters() noexcept {
  Counters* const made = new Counters;
  const std::lock_guard guard(lock());
  made->next = first;
  first = made;
  return thread_counters = made;
}

Statistics statistics() {
  Statistics s{};
  s.idle_bytes = detail::idle_bytes();
  const std::lock_guard guard(lock());
  for (const Counters* c = first; c; c = c->next) {
    s.live_bytes += c->live_bytes.load(std::memory_order_relaxed);
    s.live_nodes += c->live_nodes.load(std::memory_order_relaxed);
    s.system_allocations += c->system_allocations.load(std::memory_order_relaxed);
  }
  return s;
}

}  // namespace xgrad::memory
