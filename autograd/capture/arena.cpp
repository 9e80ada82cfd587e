#include <algorithm>
#include <autograd/capture/arena.hpp>
#include <autograd/core/capturing.hpp>
#include <autograd/memory/pool.hpp>

// The arena's free list: best fit while a step is captured, nothing moves afterwards.
namespace xgrad {

Arena::~Arena() {
  for (const auto* chunks : {&chunks_, &head_chunks_})
    for (const Range& chunk : *chunks) memory::detail::release(chunk.at, chunk.bytes);
}

namespace {

// At least one unit, so that every array has an address of its own.
std::size_t rounded(std::size_t bytes) { return (bytes + !bytes + 63) / 64 * 64; }

/// How far behind `at` an array of so many bytes shall begin: large ones at the place of a page where those outside of
/// arenas do.
std::size_t gap(const std::byte* at, std::size_t bytes) {
  return bytes < memory::paged ? 0 : (Storage::header - reinterpret_cast<std::uintptr_t>(at)) % memory::page;
}

}  // namespace

Storage* Arena::make_storage(std::size_t bytes) {
  if (heads_.empty()) {
    head_chunks_.reserve(head_chunks_.size() + 1);
    constexpr std::size_t count = 64;
    auto* const at = static_cast<std::byte*>(memory::detail::allocate(count * Storage::header));
    head_chunks_.push_back({at, count * Storage::header});
    for (std::size_t i = count; i-- > 0;) heads_.push_back(at + i * Storage::header);
  }
  std::byte* const block = allocate(rounded(bytes));
  void* const head = heads_.back();
  heads_.pop_back();
  static_assert(sizeof(Storage) <= Storage::header);
  references.fetch_add(1, std::memory_order_relaxed);
  return new (head) Storage(bytes, block, this);
}

void Arena::recycle(Storage* storage) {
  release(storage->data(), rounded(storage->bytes));
  heads_.push_back(storage);
}

void Arena::take_back(Storage* storage) noexcept {
  const auto self = Ref<Arena>::adopt(this);  // the reference that make_storage counted
  if (capturing::active()) capturing::current->release_storage(storage);
}

void Arena::add_chunk(std::size_t bytes) {
  // Twice what there is, so that there are few.
  std::size_t size = std::size_t{64} << 10;
  for (const Range& chunk : chunks_) size += chunk.bytes;
  size = std::max(size, bytes);
  chunks_.reserve(chunks_.size() + 1);
  auto* const at = static_cast<std::byte*>(memory::detail::allocate(size));
  chunks_.push_back({at, size});
  release(at, size);
}

std::byte* Arena::allocate(std::size_t bytes) {
  // The smallest that is large enough, the first of those.
  auto best = free_.end();
  for (auto range = free_.begin(); range != free_.end(); ++range)
    if (range->bytes >= gap(range->at, bytes) + bytes && (best == free_.end() || range->bytes < best->bytes))
      best = range;
  if (best == free_.end()) {
    add_chunk(bytes + memory::page);
    return allocate(bytes);
  }
  const Range all = *best;
  free_.erase(best);
  std::byte* const block = all.at + gap(all.at, bytes);
  if (block != all.at) release(all.at, std::size_t(block - all.at));
  if (block + bytes != all.end()) release(block + bytes, std::size_t(all.end() - block) - bytes);
  return block;
}

void Arena::release(std::byte* at, std::size_t bytes) {
  auto next = std::lower_bound(free_.begin(), free_.end(), at, [](const Range& r, std::byte* p) { return r.at < p; });
  const auto chunk =
      std::find_if(chunks_.begin(), chunks_.end(), [at](const Range& c) { return c.at <= at && at < c.end(); });
  const bool joins_next = next != free_.end() && next->at == at + bytes && next->at < chunk->end();
  const bool joins_before = next != free_.begin() && std::prev(next)->end() == at && chunk->at < at;
  if (joins_before) {
    std::prev(next)->bytes += bytes;
    if (joins_next) {
      std::prev(next)->bytes += next->bytes;
      free_.erase(next);
    }
  } else if (joins_next) {
    next->at = at;
    next->bytes += bytes;
  } else {
    free_.insert(next, {at, bytes});
  }
}

}  // namespace xgrad
