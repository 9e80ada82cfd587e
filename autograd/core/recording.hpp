#pragma once
#include <autograd/kernels/recorder.hpp>
#include <autograd/kernels/subnormals.hpp>
#include <autograd/node.hpp>

namespace xgrad {
class RecordedStep;
}

#pragma GCC visibility push(default)

/// What the engine and ops tell a recording in progress (autograd/capture.hpp). Kernels are recorded by themselves, as
/// entries of the thread's table. What else an op does to numbers is one of three:
///
/// - a function of the numbers in arrays, checks of them included: `repeat` runs it now and in each replay;
/// - numbers that come from the program alone, as those of `tensor({1, 2})`: made under `Paused`, they are kept as they
///   are for all replays;
/// - anything else is noticed when a kernel reads what no kernel wrote, and throws, naming the op.
namespace xgrad {

namespace recording {

extern thread_local constinit RecordedStep* current;
inline bool active() { return current != nullptr; }

namespace detail {
void keep(const Tensor& t);
void keep(const Array& array);
void add_constant(RecordedStep& step, const Array& array);
void reads_grad(const Node& node);
void set_grad(Node& node, Tensor&& g);
kernels::Recorder& recorder();
}  // namespace detail

/// Kernels will be given these numbers, which may be older than the recording: it keeps them alive, and is void once
/// the tensor has other numbers, or is gone.
template <class T>  // Tensor or Array
void keep(const T& numbers) {
  if (active()) [[unlikely]]
    detail::keep(numbers);
}
/// What follows depends on the gradient that the node has now.
inline void reads_grad(const Node& node) {
  if (active()) [[unlikely]]
    detail::reads_grad(node);
}
/// node.gradient() = g, now and in each replay.
inline void set_grad(Node& node, Tensor&& g) {
  if (active()) [[unlikely]] {
    detail::set_grad(node, std::move(g));
  } else {
    node.gradient() = std::move(g);
  }
}

/// Throws GraphError in a recording, which cannot repeat what the op in progress does.
void refuse();

/// While alive, nothing is recorded, and arrays have memory of their own.
class Paused {
 public:
  Paused() : before_(std::exchange(current, nullptr)), kernels_(nullptr) {}
  ~Paused() { current = before_; }
  /// Says that these numbers, made while this is alive, are the program's own: the recording that goes on keeps them.
  void add_constant(const Array& array) const {
    if (before_) [[unlikely]]
      detail::add_constant(*before_, array);
  }
  Paused(const Paused&) = delete;
  Paused& operator=(const Paused&) = delete;

 private:
  RecordedStep* const before_;
  const kernels::Recorded kernels_;
};

/// The op in progress, for the messages of a replay.
struct Words {
  const char* name;
  Place place;
  std::string path;
};
class WordsScope {
 public:
  explicit WordsScope(const Words* words) : op_(words->name, words->place), path_(&words->path, append) {}

 private:
  static void append(const void* words, PathScope::Path& path);
  const OpScope op_;
  const PathScope path_;
};

namespace detail {
const Words* words_of_op();

template <class... P>
void in_words(const Words* words, void (*f)(P...), P... arguments) {
  const WordsScope scope(words);
  f(arguments...);
}
}  // namespace detail

/// f(arguments...), now and in each replay, where its errors speak as the op in progress now. Pointers to elements must
/// lead into arrays; pointers to anything else, and what is behind them, must outlive the recording.
template <class... P>
void repeat(void (*f)(P...), const std::type_identity_t<P>&... arguments) {
  const kernels::SubnormalsAreZero scope;
  if (!active()) return f(arguments...);
  if (const Words* const words = detail::words_of_op()) {
    detail::recorder().record(detail::in_words<P...>, words, f, arguments...);
  } else {
    detail::recorder().record(f, arguments...);
  }
  const Paused paused;
  f(arguments...);
}

/// A number that tells which modules are in evaluation mode: equal sets give equal numbers. `toggle_mode` changes it
/// and changes it back.
std::uint64_t modes();
void toggle_mode(const void* module);

}  // namespace recording
}  // namespace xgrad
#pragma GCC visibility pop
