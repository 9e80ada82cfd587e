#include <autograd/error.hpp>
#include <autograd/memory/pool.hpp>
#include <autograd/support/system.hpp>

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

thread_local constinit bool thread_is_ending = false;

// Ends the pool with its thread. The pool itself is no thread's variable: the room for those is short where a program
// loads the library while it runs.
struct PoolOwner {
  PoolOwner() { detail::small_blocks = new Pool; }
  ~PoolOwner() {
    delete static_cast<Pool*>(std::exchange(detail::small_blocks, nullptr));
    thread_is_ending = true;
  }
};

/// The thread's pool; null under a sanitizer and while the thread ends.
Pool* pool() {
  if (thread_is_ending || !pooled) return nullptr;
  thread_local PoolOwner owner;
  return static_cast<Pool*>(detail::small_blocks);
}

[[noreturn, gnu::noinline]] void fail(std::size_t bytes) {
  xgrad::detail::fail<Error>("out of memory: ", bytes, " bytes asked for; use smaller batches or a smaller model");
}

[[gnu::noinline]] void* allocate_without_pool(std::size_t bytes) {
  detail::count_system_allocation();
  // A sanitizer ends the process where the system only says no.
  if (!pooled && bytes > std::size_t{1} << 40) fail(bytes);
  // Exactly as long as asked for, so that a sanitizer sees the first byte past the end.
  void* const block = system::allocate_aligned(alignment, pooled ? size_class(bytes).bytes : bytes + !bytes);
  if (!block) fail(bytes);
  return block;
}

[[gnu::noinline]] void release_without_pool(SizeClass c, void* block) noexcept {
  if (pooled && c.small()) {
    share(c.index, new (block) Block{nullptr, nullptr, 1}, 1);  // it may be part of a chunk
  } else {
    system::free_aligned(block);
  }
}

}  // namespace

thread_local constinit detail::SmallBlocks* detail::small_blocks = nullptr;

void* detail::allocate_elsewhere(std::size_t bytes) {
  Pool* const p = pool();
  if (!p) return allocate_without_pool(bytes);
  if (void* const block = p->allocate(size_class(bytes))) return block;
  fail(bytes);
}

void detail::release_elsewhere(void* block, std::size_t bytes) noexcept {
  if (Pool* const p = pool()) {
    p->release(size_class(bytes), block);
  } else {
    release_without_pool(size_class(bytes), block);
  }
}

std::int64_t detail::idle_bytes() noexcept {
  const Pool* const p = pool();
  return p ? static_cast<std::int64_t>(p->idle_bytes() + shared_bytes()) : 0;
}

void trim() {
  if (Pool* const p = pool()) p->trim();
  trim_shared();
}

}  // namespace xgrad::memory
