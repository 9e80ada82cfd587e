#pragma once
#include <autograd/kernels/simd/lanes.hpp>
#include <autograd/kernels/stream.hpp>

/// Stores that go past the caches.
namespace xgrad::kernels::XGRAD_ISA {

inline constexpr Size line = 64;

/// Copies past the caches what fills whole lines of `to`, and the rest as usual. xsimd has such stores since
/// release 14.2 only.
inline void stream(const char* from, char* to, Size n) {
  const Size before = (line - Size(reinterpret_cast<std::uintptr_t>(to) % line)) % line, head = before < n ? before : n;
  std::memcpy(to, from, std::size_t(head));
  Size i = head;
  for (; i + line <= n; i += line) {
#if defined __AVX512F__
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), _mm512_loadu_si512(from + i));
#elif defined __AVX__
    for (Size k = i; k < i + line; k += 32)
      _mm256_stream_si256(reinterpret_cast<__m256i*>(to + k),
                          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + k)));
#elif defined __SSE2__
    for (Size k = i; k < i + line; k += 16)
      _mm_stream_si128(reinterpret_cast<__m128i*>(to + k), _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + k)));
#else
    std::memcpy(to + i, from + i, line);
#endif
  }
  std::memcpy(to + i, from + i, std::size_t(n - i));
}

/// Takes the elements of a contiguous result in order and stores them past the caches (kernels/stream.hpp), by way of a
/// buffer that is always in the nearest one: so that kernels need no second version, and only whole lines are streamed
/// however short their rows are.
class Outlet {
 public:
  static constexpr Size size = 1024;

  explicit Outlet(void* to)
      : to_(static_cast<char*>(to)), begin_(Size(reinterpret_cast<std::uintptr_t>(to) % line)), end_(begin_) {}
  ~Outlet() { flush(); }
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  /// Calls write(place, i, m) for parts of the next n elements of `bytes` each: elements [i, i + m) go to `place`.
  template <class Write>
  void put(Size n, Size bytes, Write write) {
    for (Size i = 0, m; i < n; i += m) {
      const Size room = (size - end_) / bytes;
      m = n - i < room ? n - i : room;
      write(static_cast<void*>(buffer_ + end_), i, m);
      end_ += m * bytes;
      if (end_ == size) flush();
    }
  }

 private:
  void flush() {
    if (end_ == begin_) return;
    stream(buffer_ + begin_, to_, end_ - begin_);
    to_ += end_ - begin_;
    begin_ = end_ = 0;
  }

  alignas(line) char buffer_[size];  // filled from begin_, which lies in a line as to_ does, to end_
  char* to_;
  Size begin_, end_;
};

}  // namespace xgrad::kernels::XGRAD_ISA
