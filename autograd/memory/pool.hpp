#pragma once
#include <autograd/memory.hpp>
#include <bit>
#include <new>

/// The pool behind autograd/memory.hpp; included by autograd/memory*.cpp only.
namespace xgrad::memory {

using detail::alignment, detail::Block, detail::largest_small, detail::small_classes;

/// Blocks from here on begin at a page. A processor takes a load for one that depends on a recent store to the same
/// place of another page, and waits: what a kernel walks together should not lie a little apart, modulo pages.
inline constexpr std::size_t page = 4096, paged = 4 * page;
inline constexpr std::size_t class_count = small_classes + (63 - 10) * 4;

/// Size classes: multiples of 64 up to 1 KiB, then four to each power of two.
struct SizeClass {
  std::size_t index;
  std::size_t bytes;
  bool small() const { return index < small_classes; }
};

inline SizeClass size_class(std::size_t bytes) {
  if (bytes <= largest_small) {
    const std::size_t c = detail::small_class(bytes + !bytes);
    return {c, (c + 1) * alignment};
  }
  const auto power = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;  // 2^power < bytes <= 2^(power + 1)
  const std::size_t quarter = std::size_t{1} << (power - 2);
  const std::size_t step = (bytes - (std::size_t{1} << power) + quarter - 1) / quarter;  // 1 to 4
  return {small_classes + (power - 10) * 4 + step - 1, (std::size_t{1} << power) + step * quarter};
}

/// Small blocks (up to 1 KiB: nodes, handles, scalars) are cut from chunks, which are never given back; larger ones
/// come from the system one by one. What is freed waits in the pool's lists. Small blocks beyond a batch's worth, those
/// of a pool that ends, and large blocks beyond those that the pool handed out itself, go to lists that all pools take
/// from, so that a thread which only frees feeds one which only allocates. For one thread at a time.
class Pool : public detail::SmallBlocks {
 public:
  Pool() {
    for (std::size_t i = 0; i < small_classes; ++i) room[i] = most(i);
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  /// Null if the system has no more.
  void* allocate(SizeClass c);
  void release(SizeClass c, void* block) noexcept;

  /// Gives the free large blocks back to the system.
  void trim() noexcept;
  std::size_t idle_bytes() const;

 private:
  /// How many small blocks a batch has.
  static constexpr std::size_t most(std::size_t index) {
    constexpr std::size_t batch_bytes = std::size_t{1} << 20;
    return batch_bytes / ((index + 1) * alignment);
  }
  std::size_t count(std::size_t index) const { return most(index) - room[index]; }

  void keep(std::size_t index, void* block) noexcept;
  void* fresh(SizeClass c);
  void* take_elsewhere(SizeClass c);
  void* cut(SizeClass c);
  bool new_chunk();
  void set_rest_aside();
  void give_away(std::size_t index) noexcept;

  struct Large {
    Block* first = nullptr;
    std::size_t out = 0;  // how many blocks were handed out and not released here
  };
  Large& large(SizeClass c) { return large_[c.index - small_classes]; }

  Large large_[class_count - small_classes];
  std::byte* chunk_ = nullptr;  // what is left of the chunk that small blocks are cut from
  std::size_t chunk_left_ = 0;
  std::size_t idle_large_ = 0;
};

/// Small blocks that belong to no pool.
void share(std::size_t index, Block* batch, std::size_t count) noexcept;
/// A large one.
void share(SizeClass c, void* block) noexcept;
/// How many bytes the large ones have, and their way back to the system.
std::size_t shared_bytes() noexcept;
void trim_shared() noexcept;

}  // namespace xgrad::memory
