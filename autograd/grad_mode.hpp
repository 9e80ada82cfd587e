#pragma once

namespace xgrad {

/// Whether ops of this thread record nodes: true unless a NoGrad is alive. Every thread starts with true.
bool grad_enabled();

namespace detail {
class GradMode {
 public:
  explicit GradMode(bool enabled);
  ~GradMode();
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};
}  // namespace detail

/// While alive, ops of this thread record nothing. Guards nest, and restore what was when an exception passes.
struct NoGrad : detail::GradMode {
  NoGrad() : GradMode(false) {}
};
/// While alive, ops of this thread record again, inside a NoGrad too.
struct EnableGrad : detail::GradMode {
  EnableGrad() : GradMode(true) {}
};

}  // namespace xgrad
