#include <autograd/error.hpp>
#include <autograd/memory.hpp>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define XGRAD_NO_POOL
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define XGRAD_NO_POOL
#endif
#endif

namespace xgrad::memory {
namespace {

// A sanitizer sees a use after free only if the block really goes back.
#ifdef XGRAD_NO_POOL
constexpr bool pooled = false;
#else
constexpr bool pooled = true;
#endif

constexpr std::size_t alignment = 64;
constexpr std::size_t most_idle = std::size_t{1} << 30;

/// Size classes: multiples of 64 up to 1 KiB, then four to each power of two.
struct SizeClass {
  int index;
  std::size_t bytes;
};

SizeClass size_class(std::size_t bytes) {
  if (bytes <= 1024) {
    const std::size_t units = bytes <= alignment ? 1 : (bytes + alignment - 1) / alignment;
    return {static_cast<int>(units) - 1, units * alignment};
  }
  const int power = static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 2^power < bytes <= 2^(power + 1)
  const std::size_t quarter = std::size_t{1} << (power - 2);
  const std::size_t step = (bytes - (std::size_t{1} << power) + quarter - 1) / quarter;  // 1 to 4
  return {16 + (power - 10) * 4 + static_cast<int>(step) - 1, (std::size_t{1} << power) + step * quarter};
}
constexpr int class_count = 16 + (63 - 10) * 4;

struct Block {
  Block* next;
};

/// One thread's counters; only that thread writes, anyone may read. They are signed: a block may be freed by another
/// thread than the one that made it, and only the sum over all threads means something.
struct Counters {
  std::atomic<std::int64_t> live_bytes{0}, live_nodes{0}, system_allocations{0};
  Counters* next = nullptr;
};

void bump(std::atomic<std::int64_t>& counter, std::int64_t change) {
  counter.store(counter.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}

// Never destroyed: tensors with static storage may outlive every static object here.
struct Registry {
  std::mutex mutex;
  Counters* first = nullptr;
};
Registry& registry() {
  static Registry* const r = new Registry;
  return *r;
}

struct Pool {
  Block* lists[class_count] = {};
  std::size_t idle = 0;
  Counters* counters;

  Pool() : counters(new Counters) {
    Registry& r = registry();
    const std::lock_guard lock(r.mutex);
    counters->next = r.first;
    r.first = counters;  // kept for good: it goes on counting for the blocks that the thread leaves behind
  }
  ~Pool() { trim(); }

  void trim() {
    for (Block*& list : lists) {
      while (Block* const block = list) {
        list = block->next;
        std::free(block);
      }
    }
    idle = 0;
  }
};

thread_local constinit Pool* current_pool = nullptr;
thread_local constinit bool thread_is_ending = false;

struct PoolOwner {
  Pool pool;
  PoolOwner() { current_pool = &pool; }
  ~PoolOwner() {
    current_pool = nullptr;
    thread_is_ending = true;
  }
};

Pool* make_pool() {
  if (thread_is_ending) return nullptr;
  thread_local PoolOwner owner;
  return current_pool;
}

Pool* pool() { return current_pool ? current_pool : make_pool(); }

/// Counts what threads do while they end, after their own pool is gone.
Counters& late_counters() {
  static Counters* const late = [] {
    auto* const c = new Counters;
    Registry& r = registry();
    const std::lock_guard lock(r.mutex);
    c->next = r.first;
    r.first = c;
    return c;
  }();
  return *late;
}

void count(std::atomic<std::int64_t> Counters::*which, std::int64_t change) {
  if (Pool* const p = pool()) {
    bump(p->counters->*which, change);
  } else {
    (late_counters().*which).fetch_add(change, std::memory_order_relaxed);
  }
}

}  // namespace

void* detail::allocate(std::size_t bytes) {
  const SizeClass c = size_class(bytes);
  Pool* const p = pool();
  if (p && p->lists[c.index]) {
    Block* const block = p->lists[c.index];
    p->lists[c.index] = block->next;
    p->idle -= c.bytes;
    return block;
  }
  count(&Counters::system_allocations, 1);
  void* block = std::aligned_alloc(alignment, c.bytes);
  if (!block && p) {
    p->trim();
    block = std::aligned_alloc(alignment, c.bytes);
  }
  if (!block)
    throw Error(OpScope::prefix() +
                text("out of memory: ", bytes, " bytes asked for; use smaller batches or a smaller model"));
  return block;
}

void detail::release(void* block, std::size_t bytes) noexcept {
  const SizeClass c = size_class(bytes);
  Pool* const p = pool();
  if (!pooled || !p || p->idle + c.bytes > most_idle) {
    std::free(block);
    return;
  }
  p->lists[c.index] = new (block) Block{p->lists[c.index]};
  p->idle += c.bytes;
}

void detail::count_bytes(std::int64_t change) noexcept { count(&Counters::live_bytes, change); }
void detail::count_nodes(std::int64_t change) noexcept { count(&Counters::live_nodes, change); }

Statistics statistics() {
  Statistics s{};
  if (const Pool* const p = pool()) s.idle_bytes = static_cast<std::int64_t>(p->idle);
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  for (const Counters* c = r.first; c; c = c->next) {
    s.live_bytes += c->live_bytes.load(std::memory_order_relaxed);
    s.live_nodes += c->live_nodes.load(std::memory_order_relaxed);
    s.system_allocations += c->system_allocations.load(std::memory_order_relaxed);
  }
  return s;
}

void trim() {
  if (Pool* const p = pool()) p->trim();
}

}  // namespace xgrad::memory
