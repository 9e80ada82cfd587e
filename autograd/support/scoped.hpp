#pragma once
#include <utility>

#pragma GCC visibility push(default)

namespace xgrad::detail {

/// Gives a variable another value while alive. Such guards nest, and an exception that passes restores the value too.
template <class T>
class Scoped {
 public:
  Scoped(T& variable, T value) : variable_(variable), before_(std::exchange(variable, value)) {}
  ~Scoped() { variable_ = before_; }
  Scoped(const Scoped&) = delete;
  Scoped& operator=(const Scoped&) = delete;

  /// The value that comes back.
  T before() const { return before_; }

 private:
  T& variable_;
  const T before_;
};

}  // namespace xgrad::detail
#pragma GCC visibility pop
