#pragma once
#include <cstdint>
#if defined __SSE2__
#include <xmmintrin.h>
#endif

#pragma GCC visibility push(default)

/// The mode of the processor in which subnormal numbers count as zeros.
namespace xgrad::kernels {

/// While one lives, the thread's arithmetic takes subnormal numbers (below 2^-126 in f32, 2^-1022 in f64) for zeros of
/// their sign, and gives such a zero where a result would be subnormal: an operation on them takes a hundred times as
/// long as on others, and gradients of a model that has converged are full of them. Only what moves elements without
/// computing leaves their bits alone. All that xgrad computes, it computes so, in every kernel, dtype, thread and
/// replay, so that the bits of a result do not depend on the way to it; afterwards the thread has its own mode again.
///
/// Setting the mode takes a small op's kernel three times over, so a scope within another one does nothing.
class SubnormalsAreZero {
 public:
  SubnormalsAreZero() : outermost_(!active_) {
    if (!outermost_) return;
    active_ = true;
    before_ = mode();
    set_mode(before_ | flushing);
  }
  ~SubnormalsAreZero() {
    if (!outermost_) return;
    set_mode(before_);
    active_ = false;
  }
  SubnormalsAreZero(const SubnormalsAreZero&) = delete;
  SubnormalsAreZero& operator=(const SubnormalsAreZero&) = delete;

 private:
  // The empty statements keep the compiler from moving arithmetic across.
#if defined __SSE2__
  using Mode = unsigned;
  static constexpr Mode flushing = 0x8040;  // FTZ and DAZ of MXCSR
  static Mode mode() { return _mm_getcsr(); }
  static void set_mode(Mode mode) {
    asm volatile("" : : : "memory");
    _mm_setcsr(mode);
    asm volatile("" : : : "memory");
  }
#elif defined __aarch64__
  using Mode = std::uint64_t;
  static constexpr Mode flushing = Mode{1} << 24;  // FZ of FPCR
  static Mode mode() {
    Mode mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode) : : "memory");
    return mode;
  }
  static void set_mode(Mode mode) { asm volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }
#else  // the processor's own mode it is
  using Mode = unsigned;
  static constexpr Mode flushing = 0;
  static Mode mode() { return 0; }
  static void set_mode(Mode) {}
#endif

  static thread_local constinit bool active_;
  const bool outermost_;
  Mode before_;
};

}  // namespace xgrad::kernels
#pragma GCC visibility pop
