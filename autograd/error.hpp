#pragma once
#include <autograd/support/scoped.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#pragma GCC visibility push(default)

namespace xgrad {

/// Every failure of this library is an Error whose text reads `file:line: op: fact, with arguments and shapes; remedy`.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Shapes, ranks or axes that do not fit together.
struct ShapeError : Error {
  using Error::Error;
};
/// A dtype that an op does not take, or two that differ.
struct DtypeError : Error {
  using Error::Error;
};
/// An argument outside its range: a probability of 1.5, an index past the end, a negative learning rate.
struct ValueError : Error {
  using Error::Error;
};
/// A derivative that does not exist: no graph, a graph used twice, a value changed since it was recorded.
struct GraphError : Error {
  using Error::Error;
};
/// A file that cannot be read or written, or does not hold what its format says.
struct FileError : Error {
  using Error::Error;
};

/// A place in the user's program. As a default argument, `Place place = Place::here()` is the line of the call.
struct Place {
  const char* file = nullptr;
  int line = 0;
  static constexpr Place here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }
};

namespace detail {
inline void append(std::string& s, std::string_view part) { s += part; }
void append(std::string& s, double part);
template <class T>
requires std::is_integral_v<T>
void append(std::string& s, T part) {
  if constexpr (std::is_same_v<T, bool>) {
    s += part ? "true" : "false";
  } else {
    s += std::to_string(part);
  }
}
template <class T>
requires requires(const T& part) { part.str(); }
void append(std::string& s, const T& part) { s += part.str(); }
template <class T>
requires requires(const T& part) { part.u8string(); }
void append(std::string& s, const T& part) {
  const auto utf8 = part.u8string();
  s.append(utf8.begin(), utf8.end());
}
}  // namespace detail

/// The parts as one string: text, numbers (as short as they round-trip), paths (in UTF-8, whatever the system writes
/// names in), and anything with `str()`.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::string s;
  (detail::append(s, parts), ...);
  return s;
}

namespace detail {
/// Throws an E about the outermost op in progress, where no OpScope is at hand. Out of line: put together inside a
/// function, a message takes registers from what the function is for.
template <class E, class... Parts>
[[noreturn, gnu::noinline, gnu::cold]] void fail(const Parts&... parts);
}  // namespace detail

/// What the current thread is doing, for messages and for nodes: the outermost op in progress gives the name and the
/// place, so that errors inside a composed op name the composed op. Lives on the stack.
class OpScope {
 public:
  OpScope(const char* name, Place place) : outer_(current_) {
    if (!outer_) {
      name_ = name;
      file_ = place.file;
      line_ = place.line;
      current_ = this;
    }
  }
  ~OpScope() { current_ = outer_; }
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;

  /// The name of the outermost op in progress, null if none is.
  static const char* name() { return current_ ? current_->name_ : nullptr; }
  /// The place of the outermost op in progress; `otherwise` if none is.
  static Place place(Place otherwise) { return current_ ? Place{current_->file_, current_->line_} : otherwise; }
  /// `file:line: in PATH: op: ` of the outermost op in progress.
  static std::string prefix();

  /// Throws an E about the outermost op in progress.
  template <class E = ShapeError, class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    detail::fail<E>(parts...);
  }

 private:
  friend class DetachedScope;
  OpScope* outer_;
  const char* name_ = nullptr;
  const char* file_ = nullptr;
  int line_ = 0;
  static thread_local constinit OpScope* current_;
};

template <class E, class... Parts>
[[noreturn]] void detail::fail(const Parts&... parts) {
  throw E(OpScope::prefix() + text(parts...));
}

/// Hides the op in progress while code that is not part of it runs: a rule of an earlier op during the sweep, a
/// user's function inside a gradient check.
class DetachedScope : detail::Scoped<OpScope*> {
 public:
  DetachedScope() : Scoped(OpScope::current_, nullptr) {}
};

/// Says where inside a model the thread is; a module opens one while it runs, and messages name it:
/// `in model[3] (Dense 64 -> 32)`. `describe` adds this frame's words and is called only for a message.
class PathScope {
 public:
  /// What the frames further out have said, for the next one to go on from.
  struct Path {
    std::string words;
    std::size_t named = 0;         // so much of the words is a name; the module's description follows
    const void* module = nullptr;  // the innermost one that runs
    std::string member;            // the one of its members that runs, if that is known
  };
  using Describe = void (*)(const void* self, Path& path);
  PathScope(const void* self, Describe describe) : self_(self), describe_(describe), outer_(current_) {
    current_ = this;
  }
  ~PathScope() { current_ = outer_; }
  PathScope(const PathScope&) = delete;
  PathScope& operator=(const PathScope&) = delete;

  /// The words of all open frames, outermost first; empty outside every module.
  static std::string path();

 private:
  const void* self_;
  Describe describe_;
  PathScope* outer_;
  static thread_local constinit PathScope* current_;
};

}  // namespace xgrad
#pragma GCC visibility pop
