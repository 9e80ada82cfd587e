#pragma once
#if defined __SSE2__
#include <xmmintrin.h>
#endif

namespace xgrad::kernels::XGRAD_ISA {

/// While it lives, subnormal numbers count as 0, where the processor can do that: an operation on them takes a hundred
/// times as long as on others.
class SubnormalsAreZero {
 public:
#if defined __SSE2__
  SubnormalsAreZero() : before_(_mm_getcsr()) {
    _mm_setcsr(before_ | 0x8040);  // FTZ and DAZ
    asm volatile("" : : : "memory");
  }
  ~SubnormalsAreZero() {
    asm volatile("" : : : "memory");
    _mm_setcsr(before_);
  }
  SubnormalsAreZero(const SubnormalsAreZero&) = delete;
  SubnormalsAreZero& operator=(const SubnormalsAreZero&) = delete;

 private:
  unsigned before_;
#endif
};

}  // namespace xgrad::kernels::XGRAD_ISA
