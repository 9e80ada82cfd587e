#pragma once
#include <autograd/support/scoped.hpp>

#pragma GCC visibility push(default)

namespace xgrad {

namespace detail {
extern thread_local constinit bool ops_record;
struct GradMode : Scoped<bool> {
  explicit GradMode(bool enabled) : Scoped(ops_record, enabled) {}
};
}  // namespace detail

/// Whether ops of this thread record nodes: true unless a NoGrad is alive. Every thread starts with true.
inline bool grad_enabled() { return detail::ops_record; }

/// While alive, ops of this thread record nothing. Guards nest, and restore what was when an exception passes.
struct [[nodiscard]] NoGrad : detail::GradMode {
  NoGrad() : GradMode(false) {}
};
/// While alive, ops of this thread record again, inside a NoGrad too.
struct [[nodiscard]] EnableGrad : detail::GradMode {
  EnableGrad() : GradMode(true) {}
};

}  // namespace xgrad
#pragma GCC visibility pop
