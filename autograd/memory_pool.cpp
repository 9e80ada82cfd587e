#include <autograd/memory_pool.hpp>
#include <autograd/process_locks.hpp>
#include <cstdlib>
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace xgrad::memory {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
constexpr std::size_t most_idle = std::size_t{1} << 30;
constexpr std::size_t huge_page = std::size_t{2} << 20;

constinit Block* shared[small_classes] = {};

std::mutex& shared_lock() { return xgrad::detail::process_lock(xgrad::detail::ProcessLock::blocks); }

Block* take_shared(std::size_t index) {
  const std::lock_guard lock(shared_lock());
  Block* const batch = shared[index];
  if (batch) shared[index] = batch->next_batch;
  return batch;
}

void* from_system(std::size_t bytes) {
  detail::count_system_allocation();
  if (bytes < 2 * huge_page) return std::aligned_alloc(bytes >= paged ? page : alignment, bytes);
  void* const block = std::aligned_alloc(huge_page, bytes);
#ifdef __linux__
  // Where the system gives huge pages only on request, large arrays wait for fewer of its page tables.
  if (block) madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block;
}

}  // namespace

void share(std::size_t index, Block* batch, std::size_t count) noexcept {
  const std::lock_guard lock(shared_lock());
  batch->count = count;
  batch->next_batch = shared[index];
  shared[index] = batch;
}

Pool::~Pool() {
  trim();
  set_rest_aside();
  for (std::size_t i = 0; i < small_classes; ++i)
    if (first[i]) give_away(i);
}

void* Pool::allocate(SizeClass c) {
  if (c.small()) return first[c.index] ? take(c.index) : fresh(c);
  if (!large(c)) return fresh(c);
  idle_large_ -= c.bytes;
  return detail::pop(large(c));
}

void Pool::release(SizeClass c, void* block) noexcept {
  if (c.small()) return keep(c.index, block);
  if (idle_large_ + c.bytes > most_idle) return std::free(block);
  detail::push(large(c), block);
  idle_large_ += c.bytes;
}

/// Of a small class.
void Pool::keep(std::size_t index, void* block) noexcept {
  if (room[index] == 0) give_away(index);
  put(index, block);
}

void* Pool::fresh(SizeClass c) {
  const auto attempt = [&] { return c.small() ? cut(c) : from_system(c.bytes); };
  if (void* const block = attempt()) return block;
  trim();
  return attempt();
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

void Pool::give_away(std::size_t index) noexcept {
  share(index, std::exchange(first[index], nullptr), count(index));
  room[index] = most(index);
}

void Pool::trim() noexcept {
  for (Block*& list : large_)
    while (list) std::free(detail::pop(list));
  idle_large_ = 0;
}

std::size_t Pool::idle_bytes() const {
  std::size_t bytes = idle_large_ + chunk_left_;
  for (std::size_t i = 0; i < small_classes; ++i) bytes += count(i) * (i + 1) * alignment;
  return bytes;
}

}  // namespace xgrad::memory
