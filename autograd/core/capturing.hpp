#pragma once
#include <autograd/error.hpp>
#include <autograd/kernels/call_capture.hpp>
#include <autograd/kernels/subnormals.hpp>

#pragma GCC visibility push(default)

/// What the engine and ops tell a step that is being captured (autograd/capture.hpp). Kernels are captured by
/// themselves, as entries of the thread's table. What else an op does to numbers is one of three:
///
/// - a function of the numbers in arrays, checks of them included: `repeat` runs it now and in each replay;
/// - numbers that come from the program alone, as those of `tensor({1, 2})`: made under `Paused`, they are constants of
///   all replays;
/// - anything else is noticed when a kernel reads what no kernel wrote, and throws, naming the op.
namespace xgrad {

class Array;
class Tensor;
struct Node;
struct Storage;

namespace capturing {

/// The op in progress, for the messages of a replay.
struct Words {
  const char* name;
  Place place;
  std::string path;
};

/// A step that is being captured, as the floors below it see it: autograd/capture/ implements this.
class Listener : public kernels::CallCapture {
 public:
  /// The memory of arrays that are made meanwhile.
  virtual Storage* make_storage(std::size_t bytes) = 0;
  virtual void release_storage(Storage* storage) = 0;
  // What the functions below pass on.
  virtual void keep(const Tensor& t) = 0;
  virtual void keep(const Array& array) = 0;
  virtual void add_constant(const Array& array) = 0;
  virtual void reads_grad(const Node& node) = 0;
  virtual void set_grad(Node& node, Tensor&& g) = 0;
  /// Null outside of all ops.
  virtual const Words* words_of_op() = 0;
};

extern thread_local constinit Listener* current;
inline bool active() { return current != nullptr; }

/// Kernels will be given these numbers, which may be older than the capture: it keeps them alive, and is invalidated
/// when the tensor is reassigned or destroyed.
template <class T>  // Tensor or Array
void keep(const T& numbers) {
  if (active()) [[unlikely]]
    current->keep(numbers);
}
/// What follows depends on the gradient that the node has now.
inline void reads_grad(const Node& node) {
  if (active()) [[unlikely]]
    current->reads_grad(node);
}

/// Throws GraphError while a step is captured, whose replays cannot repeat what the op in progress does.
void refuse();

/// While alive, nothing is captured, and arrays have memory of their own.
class Paused : xgrad::detail::Scoped<Listener*> {
 public:
  Paused() : Scoped(current, nullptr), kernels_(nullptr) {}
  /// Says that these numbers, made while this is alive, are constants of the
  /// program: the step that is being captured keeps them.
  void add_constant(const Array& array) const {
    if (before()) [[unlikely]]
      before()->add_constant(array);
  }

 private:
  const kernels::CaptureScope kernels_;
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
template <class... P>
void in_words(const Words* words, void (*f)(P...), P... arguments) {
  const WordsScope scope(words);
  f(arguments...);
}
}  // namespace detail

/// f(arguments...), now and in each replay, where its errors speak as the op in progress now. Pointers to elements must
/// lead into arrays; pointers to anything else, and what is behind them, must outlive the captured step.
template <class... P>
void repeat(void (*f)(P...), const std::type_identity_t<P>&... arguments) {
  const kernels::SubnormalsAreZero scope;
  if (!active()) return f(arguments...);
  if (const Words* const words = current->words_of_op()) {
    current->capture(detail::in_words<P...>, words, f, arguments...);
  } else {
    current->capture(f, arguments...);
  }
  const Paused paused;
  f(arguments...);
}

/// A number that tells which modules are in evaluation mode: equal sets give equal numbers. `toggle_mode` changes it
/// and changes it back.
std::uint64_t modes();
void toggle_mode(const void* module);

}  // namespace capturing
}  // namespace xgrad
#pragma GCC visibility pop
