#include <atomic>
#include <autograd/core/capturing.hpp>

// What the thread is capturing, and how a replay words its errors.
namespace xgrad::capturing {

thread_local constinit Listener* current = nullptr;

void refuse() {
  if (active())
    throw GraphError(
        OpScope::prefix() +
        "capture: this is computed outside of xgrad's kernels, so a replay cannot do it again; do it before "
        "the captured function");
}

void WordsScope::append(const void* words, PathScope::Path& path) {
  const auto& captured = *static_cast<const std::string*>(words);
  if (!captured.empty()) path.words += text(path.words.empty() ? "" : ", ", captured);
}

static std::atomic<std::uint64_t> evaluating{0};

std::uint64_t modes() { return evaluating.load(std::memory_order_relaxed); }

void toggle_mode(const void* module) {
  // A mixed address each, joined so that a second time takes it away (the finaliser of MurmurHash3).
  auto mixed = reinterpret_cast<std::uint64_t>(module);
  mixed = (mixed ^ mixed >> 33) * 0xff51afd7ed558ccd;
  mixed = (mixed ^ mixed >> 33) * 0xc4ceb9fe1a85ec53;
  evaluating.fetch_xor(mixed ^ mixed >> 33, std::memory_order_relaxed);
}

}  // namespace xgrad::capturing
