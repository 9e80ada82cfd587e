#include <autograd/kernels/call_capture.hpp>
#include <autograd/kernels/decorate.hpp>

/// The table whose kernels are captured while they run.
namespace xgrad::kernels {
namespace {

thread_local constinit CallCapture* current = nullptr;

template <class... Args>
struct Capture {
  [[gnu::noinline]] static void call(Args... args, const Kernel<void (*)(Args...)>& kernel) {
    current->capture(kernel.run, args...);
    kernel.run(args...);
  }
};

const Table& capturing_table() {
  static const Table table = decorated<Capture>(process_table());
  return table;
}

}  // namespace

CaptureScope::CaptureScope(CallCapture* capture)
    : capture_(current, capture), table_(thread_table, capture ? &capturing_table() : nullptr) {}

const void* Calls::held(const void* from, std::size_t bytes) {
  for (auto it = held_.rbegin(); it != held_.rend(); ++it)
    if (it->bytes == bytes && std::memcmp(it->words.data(), from, bytes) == 0) return it->words.data();
  held_.push_back({std::vector<Word>((bytes + sizeof(Word) - 1) / sizeof(Word)), bytes});
  std::memcpy(held_.back().words.data(), from, bytes);
  return held_.back().words.data();
}

}  // namespace xgrad::kernels
