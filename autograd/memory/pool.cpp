#include <algorithm>
#include <autograd/memory/pool.hpp>
#include <autograd/support/process_locks.hpp>
#include <autograd/support/system.hpp>
#include <iterator>
#include <utility>

// The pool: blocks by size, per thread for small ones and shared for large ones.
namespace xgrad::memory {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
constexpr std::size_t most_idle = std::size_t{1} << 30;
constexpr std::size_t huge_page = std::size_t{2} << 20;

struct Shared {
  Block* batches[small_classes] = {};
  struct Large {
    Block* first = nullptr;
    std::size_t made = 0;  // how many blocks pools have of the system, handed out or free
  } large[class_count - small_classes];
  std::size_t idle = 0;  // bytes in large blocks
  Large& of(SizeClass c) { return large[c.index - small_classes]; }
};
constinit Shared shared;

std::mutex& shared_lock() { return xgrad::detail::process_lock(xgrad::detail::ProcessLock::blocks); }

Block* take_shared(std::size_t index) {
  const std::lock_guard lock(shared_lock());
  Block* const batch = shared.batches[index];
  if (batch) shared.batches[index] = batch->next_batch;
  return batch;
}

void* from_system(std::size_t bytes) {
  detail::count_system_allocation();
  if (bytes < 2 * huge_page) return system::allocate_aligned(bytes >= paged ? page : alignment, bytes);
  void* const block = system::allocate_aligned(huge_page, bytes);
  if (block) system::prefer_huge_pages(block, bytes);
  return block;
}

void to_system(Shared::Large& large, void* block) noexcept {
  if (large.made > 0) --large.made;  // but for one that was made without a pool
  system::free_aligned(block);
}

/// A large block that belongs to no pool, or null, and how many there are of its class, with the one to be made if
/// null.
std::pair<void*, std::size_t> take_large(SizeClass c) {
  const std::lock_guard lock(shared_lock());
  Shared::Large& large = shared.of(c);
  if (!large.first) return {nullptr, ++large.made};
  shared.idle -= c.bytes;
  return {detail::pop(large.first), large.made};
}

/// Back to the system; null for one that it did not have.
[[gnu::noinline]] void give_up(SizeClass c, void* block = nullptr) noexcept {
  const std::lock_guard lock(shared_lock());
  to_system(shared.of(c), block);
}

}  // namespace

[[gnu::noinline]] void share(SizeClass c, void* block) noexcept {
  const std::lock_guard lock(shared_lock());
  if (shared.idle + c.bytes > most_idle) return to_system(shared.of(c), block);
  detail::push(shared.of(c).first, block);
  shared.idle += c.bytes;
}

void trim_shared() noexcept {
  const std::lock_guard lock(shared_lock());
  for (Shared::Large& large : shared.large)
    while (large.first) to_system(large, detail::pop(large.first));
  shared.idle = 0;
}

std::size_t shared_bytes() noexcept {
  const std::lock_guard lock(shared_lock());
  return shared.idle;
}

void share(std::size_t index, Block* batch, std::size_t count) noexcept {
  const std::lock_guard lock(shared_lock());
  batch->count = count;
  batch->next_batch = shared.batches[index];
  shared.batches[index] = batch;
}

Pool::~Pool() {
  trim();
  set_rest_aside();
  for (std::size_t i = 0; i < small_classes; ++i)
    if (first[i]) give_away(i);
}

void* Pool::allocate(SizeClass c) {
  if (c.small()) return first[c.index] ? take(c.index) : fresh(c);
  Large& l = large(c);
  if (!l.first) return fresh(c);
  idle_large_ -= c.bytes;
  ++l.out;
  return detail::pop(l.first);
}

void Pool::release(SizeClass c, void* block) noexcept {
  if (c.small()) return keep(c.index, block);
  Large& l = large(c);
  if (l.out == 0) return share(c, block);
  --l.out;
  if (idle_large_ + c.bytes > most_idle) return give_up(c, block);
  detail::push(l.first, block);
  idle_large_ += c.bytes;
}

/// Of a small class.
void Pool::keep(std::size_t index, void* block) noexcept {
  if (room[index] == 0) give_away(index);
  put(index, block);
}

void* Pool::fresh(SizeClass c) {
  const auto attempt = [&] { return c.small() ? cut(c) : take_elsewhere(c); };
  if (void* const block = attempt()) return block;
  trim();
  trim_shared();
  return attempt();
}

void* Pool::take_elsewhere(SizeClass c) {
  auto [block, made] = take_large(c);
  if (!block) block = from_system(c.bytes);
  if (!block) return give_up(c), nullptr;
  // Other threads may have freed some that are out, and given them to all. No more can be out than there are.
  Large& l = large(c);
  l.out = std::min(l.out + 1, made);
  return block;
}

void* Pool::cut(SizeClass c) {
  if (Block* const batch = take_shared(c.index)) {
    first[c.index] = batch->next;
    room[c.index] = most(c.index) - (batch->count - 1);
    return batch;
  }
  if (chunk_left_ < c.bytes && !new_chunk()) return nullptr;
  chunk_left_ -= c.bytes;
  return std::exchange(chunk_, chunk_ + c.bytes);
}

bool Pool::new_chunk() {
  void* const chunk = from_system(chunk_bytes);
  if (!chunk) return false;
  set_rest_aside();
  chunk_ = static_cast<std::byte*>(chunk);
  chunk_left_ = chunk_bytes;
  return true;
}

/// The rest of the chunk becomes free blocks.
void Pool::set_rest_aside() {
  while (chunk_left_ > 0) {
    const SizeClass c = size_class(chunk_left_ < largest_small ? chunk_left_ : largest_small);
    keep(c.index, chunk_);
    chunk_ += c.bytes;
    chunk_left_ -= c.bytes;
  }
}

[[gnu::noinline]] void Pool::give_away(std::size_t index) noexcept {
  share(index, std::exchange(first[index], nullptr), count(index));
  room[index] = most(index);
}

void Pool::trim() noexcept {
  const std::lock_guard lock(shared_lock());
  for (std::size_t i = 0; i < std::size(large_); ++i)
    while (large_[i].first) to_system(shared.large[i], detail::pop(large_[i].first));
  idle_large_ = 0;
}

std::size_t Pool::idle_bytes() const {
  std::size_t bytes = idle_large_ + chunk_left_;
  for (std::size_t i = 0; i < small_classes; ++i) bytes += count(i) * (i + 1) * alignment;
  return bytes;
}

}  // namespace xgrad::memory
