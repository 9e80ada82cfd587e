#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

#pragma GCC visibility push(default)

namespace xgrad {

/// Storage and nodes come from a caching pool: a freed block waits in its thread's list for the next request of its
/// size class, because returning blocks to the system costs page faults in every training step.
namespace memory {

/// What is alive now in the whole process, and what waits for reuse by the calling thread.
struct Statistics {
  std::int64_t live_bytes;          // in arrays that some tensor, graph or optimiser still holds
  std::int64_t live_nodes;          // nodes of graphs
  std::int64_t idle_bytes;          // freed, kept for reuse by this thread's pool, or for all threads
  std::int64_t system_allocations;  // requests that the pool passed on to the system, ever
};
Statistics statistics();

/// Gives those idle blocks back to the system, but for the ones of up to 1 KiB, which are parts of chunks.
void trim();

namespace detail {
inline constexpr std::size_t alignment = 64, largest_small = 1024, small_classes = largest_small / alignment;

/// A free block. The first of a batch also says how many blocks hang on it and which batch comes next.
struct Block {
  Block* next;
  Block* next_batch;
  std::size_t count;
};
static_assert(sizeof(Block) <= alignment);
inline void push(Block*& list, void* memory) noexcept {
  Block* const block = new (memory) Block;
  block->next = list;
  list = block;
}
inline void* pop(Block*& list) noexcept { return std::exchange(list, list->next); }

/// A thread's free small blocks by their length in units of 64 bytes, the part of its pool (autograd/memory/pool.hpp)
/// that nearly every request comes to.
struct SmallBlocks {
  Block* first[small_classes] = {};
  std::size_t room[small_classes];  // for how many more, before a batch of them is given away

  void* take(std::size_t i) noexcept {
    ++room[i];
    return pop(first[i]);
  }
  void put(std::size_t i, void* block) noexcept {
    --room[i];
    push(first[i], block);
  }
};
extern thread_local constinit SmallBlocks* small_blocks;  // null if the thread has no pool
inline std::size_t small_class(std::size_t bytes) { return (bytes - 1) / alignment; }

void* allocate_elsewhere(std::size_t bytes);
void release_elsewhere(void* block, std::size_t bytes) noexcept;

/// A block of at least `bytes`, aligned to 64 bytes; throws Error naming the bytes when the system has none.
inline void* allocate(std::size_t bytes) {
  SmallBlocks* const blocks = small_blocks;
  const std::size_t i = small_class(bytes);
  if (!blocks || i >= small_classes || !blocks->first[i]) [[unlikely]]
    return allocate_elsewhere(bytes);
  return blocks->take(i);
}
inline void release(void* block, std::size_t bytes) noexcept {
  SmallBlocks* const blocks = small_blocks;
  const std::size_t i = small_class(bytes);
  if (!blocks || i >= small_classes || blocks->room[i] == 0) [[unlikely]]
    return release_elsewhere(block, bytes);
  blocks->put(i, block);
}
std::int64_t idle_bytes() noexcept;

/// One thread's counters; only that thread writes, anyone may read. They are signed: a block may be freed by another
/// thread than the one that made it, and only the sum over all threads means something.
struct Counters {
  std::atomic<std::int64_t> live_bytes{0}, live_nodes{0}, system_allocations{0};
  Counters* next = nullptr;
};
extern thread_local constinit Counters* thread_counters;  // null until the thread counts
Counters* make_counters() noexcept;
inline void count(std::atomic<std::int64_t> Counters::*what, std::int64_t change) noexcept {
  std::atomic<std::int64_t>& counter = (thread_counters ? thread_counters : make_counters())->*what;
  counter.store(counter.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}
inline void count_bytes(std::int64_t change) noexcept { count(&Counters::live_bytes, change); }
inline void count_nodes(std::int64_t change) noexcept { count(&Counters::live_nodes, change); }
inline void count_system_allocation() noexcept { count(&Counters::system_allocations, 1); }
}  // namespace detail

/// For containers of the standard library whose memory shall come from the pool.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(detail::allocate(n * sizeof(T))); }
  void deallocate(T* block, std::size_t n) noexcept { detail::release(block, n * sizeof(T)); }
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};
}  // namespace memory

namespace detail {
/// counter += change, and what it was before. Where the C library knows that the process has one thread, nothing need
/// be locked, which small ops notice.
inline std::uint32_t add(std::atomic<std::uint32_t>& counter, std::uint32_t change, std::memory_order order) noexcept {
#if __has_include(<sys/single_threaded.h>)
  if (__libc_single_threaded) {
    const std::uint32_t before = counter.load(std::memory_order_relaxed);
    counter.store(before + change, std::memory_order_relaxed);
    return before;
  }
#endif
  return counter.fetch_add(change, order);
}
}  // namespace detail

/// An intrusive, atomically counted pointer: T has `std::atomic<std::uint32_t> references` and `static void
/// destroy(T*)`.
template <class T>
class Ref {
 public:
  Ref() = default;
  /// Takes over one reference.
  static Ref adopt(T* p) {
    Ref r;
    r.p_ = p;
    return r;
  }
  explicit Ref(T* p) : p_(p) {
    if (p_) detail::add(p_->references, 1, std::memory_order_relaxed);
  }
  Ref(const Ref& other) : Ref(other.p_) {}
  Ref(Ref&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  Ref& operator=(const Ref& other) {
    Ref copy(other);
    std::swap(p_, copy.p_);
    return *this;
  }
  Ref& operator=(Ref&& other) noexcept {
    T* const moved = other.release();  // first: `other` may be this one
    let_go(std::exchange(p_, moved));
    return *this;
  }
  ~Ref() { reset(); }
  void reset() noexcept { let_go(release()); }
  /// Gives up the pointer together with its reference.
  T* release() noexcept { return std::exchange(p_, nullptr); }

  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  bool unique() const { return p_ && p_->references.load(std::memory_order_acquire) == 1; }
  friend bool operator==(const Ref& a, const Ref& b) { return a.p_ == b.p_; }

 private:
  static void let_go(T* p) noexcept {
    if (!p) return;
    // Last reference: skip the decrement.
    if (p->references.load(std::memory_order_acquire) == 1) [[likely]] {
      T::destroy(p);
    } else {
      count_down(p);
    }
  }
  // Apart, since this is done in very many places.
  [[gnu::noinline]] static void count_down(T* p) noexcept {
    if (detail::add(p->references, std::uint32_t(-1), std::memory_order_acq_rel) == 1) T::destroy(p);
  }

  T* p_ = nullptr;
};

}  // namespace xgrad
#pragma GCC visibility pop
