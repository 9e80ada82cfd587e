#pragma once
#include <autograd/array.hpp>
#include <vector>

namespace xgrad {

/// The memory that one captured step runs in. While it is captured, a freed block serves the next that fits, so that
/// the whole is about as large as what is alive at once; afterwards no block moves or changes its owner, since every
/// replay writes where the first run did. It lives as long as the step and every array in it.
class Arena final : public StorageOwner {
 public:
  std::atomic<std::uint32_t> references{1};
  static Ref<Arena> make() { return Ref<Arena>::adopt(new Arena); }
  static void destroy(Arena* arena) noexcept { delete arena; }

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// Storage whose bytes, aligned to 64, lie in the arena; throws Error when the system has none. It holds on to the
  /// arena. By the capturing thread only, as is `recycle`.
  Storage* make_storage(std::size_t bytes);
  /// Lets a storage's bytes serve others.
  void recycle(Storage* storage);
  /// Does so if the step that runs in this arena is being captured; lets go of the arena in any case.
  void take_back(Storage* storage) noexcept override;

 private:
  struct Range {
    std::byte* at;
    std::size_t bytes;
    std::byte* end() const { return at + bytes; }
  };
  std::byte* allocate(std::size_t bytes);
  void release(std::byte* at, std::size_t bytes);
  void add_chunk(std::size_t bytes);

  std::vector<Range> chunks_;
  std::vector<Range> free_;  // by address; neighbours within a chunk are one
  // The heads of storages lie apart: among the bytes, replays would write over those of arrays to come.
  std::vector<Range> head_chunks_;
  std::vector<void*> heads_;
};

}  // namespace xgrad
