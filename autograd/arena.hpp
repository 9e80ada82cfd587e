#pragma once
#include <autograd/memory.hpp>
#include <vector>

namespace xgrad {

/// The memory that one recording runs in. While it is recorded, a freed block serves the next that fits, so that the
/// whole is about as large as what is alive at once; afterwards no block moves or changes its owner, since every replay
/// writes where the first run did. It lives as long as the recording and every array in it.
class Arena {
 public:
  std::atomic<std::uint32_t> references{1};
  static Ref<Arena> make() { return Ref<Arena>::adopt(new Arena); }
  static void destroy(Arena* arena) noexcept { delete arena; }

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// At least `bytes`, aligned to 64 bytes; throws Error when the system has none. By the recording thread only, as is
  /// `release`.
  void* allocate(std::size_t bytes);
  void release(void* block, std::size_t bytes);

 private:
  struct Range {
    std::byte* at;
    std::size_t bytes;
    std::byte* end() const { return at + bytes; }
  };
  static std::size_t rounded(std::size_t bytes) { return (bytes + 63) / 64 * 64; }
  void add_chunk(std::size_t bytes);

  std::vector<Range> chunks_;
  std::vector<Range> free_;  // by address; neighbours within a chunk are one
};

}  // namespace xgrad
