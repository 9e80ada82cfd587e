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

/// Small blocks (up to 1 KiB: nodes, handles, scalars) are cut from chunks, which are never given back; larger ones
/// come from the system one by one. What a thread frees waits in its own lists. Small blocks beyond a batch's worth,
/// and those of a thread that ends, go to a list that all threads take from, so that a thread which only frees feeds
/// one which only allocates.
namespace xgrad::memory {
namespace {

// A sanitizer sees a use after free only if the block really goes back.
#ifdef XGRAD_NO_POOL
constexpr bool pooled = false;
#else
constexpr bool pooled = true;
#endif

constexpr std::size_t alignment = 64;
constexpr std::size_t largest_small = 1024;
constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
constexpr std::size_t batch_bytes = std::size_t{1} << 20;
constexpr std::size_t most_idle = std::size_t{1} << 30;

/// Size classes: multiples of 64 up to 1 KiB, then four to each power of two.
struct SizeClass {
  int index;
  std::size_t bytes;
};
constexpr int small_classes = largest_small / alignment;
constexpr int class_count = small_classes + (63 - 10) * 4;

SizeClass size_class(std::size_t bytes) {
  if (bytes <= largest_small) {
    const std::size_t units = bytes <= alignment ? 1 : (bytes + alignment - 1) / alignment;
    return {static_cast<int>(units) - 1, units * alignment};
  }
  const int power = static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 2^power < bytes <= 2^(power + 1)
  const std::size_t quarter = std::size_t{1} << (power - 2);
  const std::size_t step = (bytes - (std::size_t{1} << power) + quarter - 1) / quarter;  // 1 to 4
  return {small_classes + (power - 10) * 4 + static_cast<int>(step) - 1, (std::size_t{1} << power) + step * quarter};
}

/// A free block. The first of a batch also says how many blocks hang on it and which batch comes next.
struct Block {
  Block* next;
  Block* next_batch;
  std::size_t count;
};
static_assert(sizeof(Block) <= alignment);

/// Small blocks that belong to no thread.
struct Shared {
  std::mutex mutex;
  Block* batches[small_classes] = {};

  void put(int index, Block* batch, std::size_t count) {
    const std::lock_guard lock(mutex);
    batch->count = count;
    batch->next_batch = batches[index];
    batches[index] = batch;
  }
  Block* take(int index) {
    const std::lock_guard lock(mutex);
    Block* const batch = batches[index];
    if (batch) batches[index] = batch->next_batch;
    return batch;
  }
};
// Never destroyed: threads and static tensors free blocks until the very end.
Shared& shared() {
  static Shared* const s = new Shared;
  return *s;
}

[[noreturn]] void fail(std::size_t bytes) {
  throw Error(OpScope::prefix() +
              text("out of memory: ", bytes, " bytes asked for; use smaller batches or a smaller model"));
}

void* from_system(std::size_t bytes) {
  detail::count_system_allocation();
  return std::aligned_alloc(alignment, bytes);
}

struct Pool {
  Block* lists[class_count] = {};
  std::size_t counts[small_classes] = {};
  std::byte* chunk = nullptr;  // what is left of the chunk that small blocks are cut from
  std::size_t chunk_left = 0;
  std::size_t idle_small = 0, idle_large = 0;

  ~Pool() {
    trim();
    set_rest_aside();
    for (int i = 0; i < small_classes; ++i)
      if (lists[i]) shared().put(i, std::exchange(lists[i], nullptr), std::exchange(counts[i], 0));
  }

  void push(int index, void* block) {
    lists[index] = new (block) Block{lists[index], nullptr, 0};
    if (index < small_classes) ++counts[index];
  }
  void* pop(SizeClass c) {
    Block* const block = lists[c.index];
    if (!block) return nullptr;
    lists[c.index] = block->next;
    if (c.index < small_classes) {
      --counts[c.index];
      idle_small -= c.bytes;
    } else {
      idle_large -= c.bytes;
    }
    return block;
  }

  void release_small(SizeClass c, void* block) {
    if (counts[c.index] * c.bytes >= batch_bytes) {
      idle_small -= counts[c.index] * c.bytes;
      shared().put(c.index, std::exchange(lists[c.index], nullptr), std::exchange(counts[c.index], 0));
    }
    push(c.index, block);
    idle_small += c.bytes;
  }

  void* cut(SizeClass c) {
    if (Block* const batch = shared().take(c.index)) {
      lists[c.index] = batch;
      counts[c.index] = batch->count;
      idle_small += batch->count * c.bytes;
      return pop(c);
    }
    if (chunk_left < c.bytes) {
      set_rest_aside();
      chunk = static_cast<std::byte*>(from_system(chunk_bytes));
      if (!chunk) return nullptr;
      chunk_left = chunk_bytes;
      idle_small += chunk_bytes;
    }
    std::byte* const block = chunk;
    chunk += c.bytes;
    chunk_left -= c.bytes;
    idle_small -= c.bytes;
    return block;
  }

  /// The rest of the chunk becomes free blocks.
  void set_rest_aside() {
    while (chunk_left > 0) {
      const SizeClass c = size_class(chunk_left < largest_small ? chunk_left : largest_small);
      push(c.index, chunk);
      chunk += c.bytes;
      chunk_left -= c.bytes;
    }
  }

  void trim() {
    for (int i = small_classes; i < class_count; ++i) {
      while (Block* const block = lists[i]) {
        lists[i] = block->next;
        std::free(block);
      }
    }
    idle_large = 0;
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
  if (thread_is_ending || !pooled) return nullptr;
  thread_local PoolOwner owner;
  return current_pool;
}

/// The thread's pool; null under a sanitizer and while the thread ends.
Pool* pool() { return current_pool ? current_pool : make_pool(); }

void* allocate_without_pool(std::size_t bytes) {
  detail::count_system_allocation();
  // A sanitizer ends the process where the system only says no.
  if (!pooled && bytes > std::size_t{1} << 40) fail(bytes);
  // Exactly as long as asked for, so that a sanitizer sees the first byte past the end.
  void* block = nullptr;
  if (posix_memalign(&block, alignment, pooled ? size_class(bytes).bytes : bytes + !bytes) != 0) fail(bytes);
  return block;
}

}  // namespace

void* detail::allocate(std::size_t bytes) {
  Pool* const p = pool();
  if (!p) return allocate_without_pool(bytes);
  const SizeClass c = size_class(bytes);
  if (void* const block = p->pop(c)) return block;
  const auto fresh = [&] { return c.index < small_classes ? p->cut(c) : from_system(c.bytes); };
  void* block = fresh();
  if (!block) {
    p->trim();
    block = fresh();
  }
  if (!block) fail(bytes);
  return block;
}

void detail::release(void* block, std::size_t bytes) noexcept {
  if (!pooled) {
    std::free(block);
    return;
  }
  const SizeClass c = size_class(bytes);
  Pool* const p = pool();
  if (c.index < small_classes) {
    if (p) {
      p->release_small(c, block);
    } else {
      // It may be part of a chunk, so only the list of all threads can have it.
      shared().put(c.index, new (block) Block{nullptr, nullptr, 0}, 1);
    }
  } else if (p && p->idle_large + c.bytes <= most_idle) {
    p->push(c.index, block);
    p->idle_large += c.bytes;
  } else {
    std::free(block);
  }
}

std::int64_t detail::idle_bytes() noexcept {
  const Pool* const p = pool();
  return p ? static_cast<std::int64_t>(p->idle_small + p->idle_large) : 0;
}

void trim() {
  if (Pool* const p = pool()) p->trim();
}

}  // namespace xgrad::memory
