#include <autograd/kernels/decorate.hpp>
#include <autograd/kernels/recorder.hpp>

/// The table whose kernels are captured while they run.
namespace xgrad::kernels {
namespace {

thread_local constinit Recorder* current = nullptr;

struct Record {
  template <class E, class... Args>
  static void call(Args&... args) {
    const typename E::Fn real = E::in(process_table());
    current->record(real, args...);
    real(args...);
  }
};

const Table& recording_table() {
  static const Table table = decorated<Record>(process_table());
  return table;
}

}  // namespace

Recorded::Recorded(Recorder* recorder)
    : recorder_(current, recorder), table_(thread_table, recorder ? &recording_table() : nullptr) {}

const void* Calls::held(const void* from, std::size_t bytes) {
  for (auto it = held_.rbegin(); it != held_.rend(); ++it)
    if (it->bytes == bytes && std::memcmp(it->words.data(), from, bytes) == 0) return it->words.data();
  held_.push_back({std::vector<Word>((bytes + sizeof(Word) - 1) / sizeof(Word)), bytes});
  std::memcpy(held_.back().words.data(), from, bytes);
  return held_.back().words.data();
}

}  // namespace xgrad::kernels
