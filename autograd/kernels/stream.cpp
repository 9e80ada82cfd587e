#include <algorithm>
#include <autograd/kernels/stream.hpp>
#include <autograd/support/system.hpp>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/// Tells which results are too large for the caches.
namespace xgrad::kernels {
namespace {

/// A quarter of the last cache: operands and result of one op, which fill it, leave nothing for the next. Of a very
/// large cache, which many processors share, no more than what was measured to come back from it.
Size threshold() {
  constexpr Size least = Size(4) << 20, most = Size(32) << 20;
  const Size cache = Size(system::last_cache_bytes());
  return cache > 0 ? std::clamp(cache / 4, least, most) : most;
}

}  // namespace

thread_local constinit bool streaming = false;

bool outgrows_caches(Size bytes) {
  static const Size enough = threshold();
  return bytes >= enough;
}

void Streaming::finish() {
  streaming = false;
#ifdef __SSE2__
  _mm_sfence();  // such stores are not ordered with others, by which threads tell each other that a piece is done
#endif
}

}  // namespace xgrad::kernels
