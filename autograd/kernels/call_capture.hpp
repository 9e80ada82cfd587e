#pragma once
#include <autograd/kernels/calls.hpp>
#include <autograd/kernels/table.hpp>
#include <autograd/support/scoped.hpp>

#pragma GCC visibility push(default)

/// The seam by which a captured step listens to kernels.
namespace xgrad::kernels {

/// Captures the calls of this thread's kernels. A kernel's parameters say all that matters: a pointer to constant
/// elements is read, one to others is written, and two std::uint64_t are a seed and a stream of random numbers.
class CallCapture {
 public:
  virtual ~CallCapture() = default;
  Calls calls;

  template <class... P>
  void capture(void (*f)(P...), const std::type_identity_t<P>&... arguments) {
    // What is written to a local variable is read by the host at once, and by nobody in a replay.
    if ((is_local_output<P>(arguments) || ...)) return;
    calls.begin(f);
    (note<P>(arguments), ...);
  }

 protected:
  /// Whether a pointer leads to a variable on the stack.
  virtual bool is_local(const void* p) const = 0;
  /// A call will read there, or write. Returns where the elements will be when it is replayed.
  virtual const void* reads(const void* p) = 0;
  virtual void writes(void* p) = 0;
  /// The word at `at` of the calls is a pointer to elements, or a seed and the next one its stream.
  virtual void pointer_at(std::size_t at) = 0;
  virtual void random_at(std::size_t at) = 0;

 private:
  template <class T>
  static constexpr bool is_element = std::is_void_v<T> || std::is_same_v<T, float> || std::is_same_v<T, double> ||
                                     std::is_same_v<T, Size> || std::is_same_v<T, bool>;
  template <class P>
  static constexpr bool is_array = std::is_pointer_v<P>&& is_element<std::remove_cv_t<std::remove_pointer_t<P>>>;
  template <class P>
  static constexpr bool is_output = is_array<P> && !std::is_const_v<std::remove_pointer_t<P>>;

  template <class P>
  bool is_local_output(const std::remove_reference_t<P>& argument) const {
    if constexpr (is_output<P>) {
      return is_local(argument);
    } else {
      return false;
    }
  }

  template <class P>
  void note(const std::remove_reference_t<P>& argument) {
    const std::size_t at = calls.size();
    if constexpr (is_array<P>) {
      P where = argument;
      if (where) {
        if constexpr (is_output<P>) {
          writes(where);
        } else {
          where = static_cast<P>(reads(where));
        }
      }
      calls.add<P>(where);
      if (where) pointer_at(at);
    } else {
      calls.add<P>(argument);
      if constexpr (std::is_same_v<P, std::uint64_t>) {
        random_words_ ^= 1;
        if (random_words_) random_at(at);
      }
    }
  }

  int random_words_ = 0;  // 1 between a seed and its stream
};

/// While alive, `capture` is told of the calls of this thread's kernels; with null nobody does.
class CaptureScope {
 public:
  explicit CaptureScope(CallCapture* capture);

 private:
  const xgrad::detail::Scoped<CallCapture*> capture_;
  const xgrad::detail::Scoped<const Table*> table_;
};

}  // namespace xgrad::kernels
#pragma GCC visibility pop
