#pragma once
#include <autograd/memory.hpp>
#include <bit>
#include <new>

/// The pool behind autograd/memory.hpp; included by autograd/memory*.cpp only.
namespace xgrad::memory {

inline constexpr std::size_t alignment = 64;
/// Blocks from here on begin at a page. A processor takes a load for one that depends on a recent store to the same
/// place of another page, and waits: what a kernel walks together should not lie a little apart, modulo pages.
inline constexpr std::size_t page = 4096, paged = 4 * page;
inline constexpr std::size_t largest_small = 1024;
inline constexpr int small_classes = largest_small / alignment;
inline constexpr int class_count = small_classes + (63 - 10) * 4;

/// Size classes: multiples of 64 up to 1 KiB, then four to each power of two.
struct SizeClass {
  int index;
  std::size_t bytes;
  bool small() const { return index < small_classes; }
};

inline SizeClass size_class(std::size_t bytes) {
  if (bytes <= largest_small) {
    const std::size_t units = (bytes + !bytes + alignment - 1) / alignment;
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

/// Small blocks (up to 1 KiB: nodes, handles, scalars) are cut from chunks, which are never given back; larger ones
/// come from the system one by one. What is freed waits in the pool's lists. Small blocks beyond a batch's worth, and
/// those of a pool that ends, go to a list that all pools take from, so that a thread which only frees feeds one which
/// only allocates. For one thread at a time.
class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  /// A free block, or null.
  void* take(SizeClass c) {
    Block* const block = lists_[c.index];
    if (!block) return nullptr;
    lists_[c.index] = block->next;
    __builtin_prefetch(block->next, 1);  // whoever comes next writes there at once
    if (c.small()) {
      --counts_[c.index];
    } else {
      idle_large_ -= c.bytes;
    }
    return block;
  }
  /// Null if the system has no more.
  void* allocate(SizeClass c) {
    void* const block = take(c);
    return block ? block : fresh(c);
  }

  /// Keeps a small block, unless there is a batch of them.
  bool keep(SizeClass c, void* block) noexcept {
    if (counts_[c.index] * c.bytes >= batch_bytes) return false;
    push(c.index, block);
    ++counts_[c.index];
    return true;
  }
  void release(SizeClass c, void* block) noexcept {
    if (!c.small()) return release_large(c, block);
    if (keep(c, block)) return;
    give_away(c.index);
    keep(c, block);
  }

  /// Gives the free large blocks back to the system.
  void trim() noexcept;
  std::size_t idle_bytes() const;

 private:
  static constexpr std::size_t batch_bytes = std::size_t{1} << 20;

  void push(int index, void* block) {
    Block* const first = new (block) Block;
    first->next = lists_[index];
    lists_[index] = first;
  }
  void* fresh(SizeClass c);
  void* cut(SizeClass c);
  bool new_chunk();
  void set_rest_aside();
  void release_large(SizeClass c, void* block) noexcept;
  void give_away(int index) noexcept;

  Block* lists_[class_count] = {};
  std::size_t counts_[small_classes] = {};
  std::byte* chunk_ = nullptr;  // what is left of the chunk that small blocks are cut from
  std::size_t chunk_left_ = 0;
  std::size_t idle_large_ = 0;
};

/// Small blocks that belong to no pool.
void share(int index, Block* batch, std::size_t count) noexcept;

}  // namespace xgrad::memory
