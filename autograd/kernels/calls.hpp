#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <type_traits>
#include <utility>
#include <vector>

#pragma GCC visibility push(default)

/// The calls of kernels that a captured step replays.
namespace xgrad::kernels {

/// Calls of plain functions with their arguments, packed into one buffer in the order in which they are replayed.
///
/// Arguments are held by value. Those that a function takes by reference lie in a store of their own, which holds equal
/// ones once. `CallCapture` (call_capture.hpp) knows where the pointers to elements of arrays and the seeds of random
/// kernels lie; any other pointer is a value like a number.
class Calls {
 public:
  using Word = std::uint64_t;

  /// Calls everything in order.
  void replay() const {
    const Word* at = words_.data();
    const Word* const end = at + words_.size();
    while (at != end) at = as<Invoke>(*at)(at);
  }

  std::size_t size() const { return words_.size(); }
  Word& operator[](std::size_t at) { return words_[at]; }

  /// Begins a call; its arguments follow, in order, by `add`.
  template <class... P>
  void begin(void (*f)(P...)) {
    push(invoke<P...>);
    push(f);
  }
  /// The next argument, for a parameter of type P.
  template <class P>
  void add(const std::remove_reference_t<P>& argument) {
    if constexpr (std::is_reference_v<P>) {
      push(held(&argument, sizeof argument));
    } else {
      push(argument);
    }
  }
  /// A copy of `bytes` bytes that lasts as long as the calls; equal ones are held once.
  const void* held(const void* from, std::size_t bytes);

  /// Call f(arguments...), where none is a pointer into an array.
  template <class... P>
  void append(void (*f)(P...), const std::type_identity_t<P>&... arguments) {
    begin(f);
    (add<P>(arguments), ...);
  }

 private:
  using Invoke = const Word* (*)(const Word*);

  template <class T>
  static T as(Word word) {
    return reinterpret_cast<T>(word);
  }
  template <class P>
  static constexpr std::size_t words_of = std::is_reference_v<P> ? 1 : (sizeof(P) + sizeof(Word) - 1) / sizeof(Word);

  /// Where argument i of a call stands, behind the two functions.
  template <class... P>
  static constexpr std::size_t offset(std::size_t i) {
    const std::size_t sizes[] = {words_of<P>..., 0};
    std::size_t at = 2;
    for (std::size_t k = 0; k < i; ++k) at += sizes[k];
    return at;
  }

  template <class P>
  static P unpacked(const Word* at) {
    if constexpr (std::is_reference_v<P>) {
      return *as<std::remove_reference_t<P>*>(*at);
    } else {
      std::remove_const_t<P> value;
      std::memcpy(static_cast<void*>(&value), at, sizeof value);
      return value;
    }
  }

  template <class... P>
  static const Word* invoke(const Word* at) {
    [at]<std::size_t... i>(std::index_sequence<i...>) {
      as<void (*)(P...)>(at[1])(unpacked<P>(at + offset<P...>(i))...);
    }
    (std::index_sequence_for<P...>());
    return at + offset<P...>(sizeof...(P));
  }

  template <class T>
  void push(T value) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= alignof(Word));
    const std::size_t at = words_.size();
    words_.resize(at + words_of<T>);
    std::memcpy(&words_[at], &value, sizeof value);
  }

  std::vector<Word> words_;
  struct Held {
    std::vector<Word> words;
    std::size_t bytes;
  };
  std::deque<Held> held_;
};

}  // namespace xgrad::kernels
#pragma GCC visibility pop
