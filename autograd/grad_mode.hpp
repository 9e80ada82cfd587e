#pragma once

#pragma GCC visibility push(default)

namespace xgrad {

/// Whether ops of this thread record nodes: true unless a NoGrad is alive. Every thread starts with true.
inline bool grad_enabled();

namespace detail {
class GradMode {
 public:
  explicit GradMode(bool enabled) : before_(enabled_) { enabled_ = enabled; }
  ~GradMode() { enabled_ = before_; }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  friend bool xgrad::grad_enabled();
  bool before_;
  static thread_local constinit bool enabled_;
};
}  // namespace detail

inline bool grad_enabled() { return detail::GradMode::enabled_; }

/// While alive, ops of this thread record nothing. Guards nest, and restore what was when an exception passes.
struct NoGrad : detail::GradMode {
  NoGrad() : GradMode(false) {}
};
/// While alive, ops of this thread record again, inside a NoGrad too.
struct EnableGrad : detail::GradMode {
  EnableGrad() : GradMode(true) {}
};

}  // namespace xgrad
#pragma GCC visibility pop
