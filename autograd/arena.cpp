#include <algorithm>
#include <autograd/arena.hpp>

namespace xgrad {

Arena::~Arena() {
  for (const Range& chunk : chunks_) memory::detail::release(chunk.at, chunk.bytes);
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

void* Arena::allocate(std::size_t bytes) {
  bytes = rounded(bytes);
  // The smallest that is large enough, the first of those.
  auto best = free_.end();
  for (auto range = free_.begin(); range != free_.end(); ++range)
    if (range->bytes >= bytes && (best == free_.end() || range->bytes < best->bytes)) best = range;
  if (best == free_.end()) {
    add_chunk(bytes);
    return allocate(bytes);
  }
  std::byte* const block = best->at;
  best->at += bytes;
  best->bytes -= bytes;
  if (best->bytes == 0) free_.erase(best);
  return block;
}

void Arena::release(void* block, std::size_t bytes) {
  auto* const at = static_cast<std::byte*>(block);
  bytes = rounded(bytes);
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
