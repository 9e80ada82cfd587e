#pragma once
#include <autograd/kernels/simd/lanes.hpp>
#include <autograd/kernels/stream.hpp>

namespace xgrad::kernels::XGRAD_ISA {

inline constexpr Size line = 64;

/// Stores a line past the caches; xsimd 8 has no such store.
inline void stream_line(const char* from, char* to) {
#if defined __AVX512F__
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_load_si512(from));
#elif defined __AVX__
  for (Size i = 0; i < line; i += 32)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm256_load_si256(reinterpret_cast<const __m256i*>(from + i)));
#elif defined __SSE2__
  for (Size i = 0; i < line; i += 16)
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + i), _mm_load_si128(reinterpret_cast<const __m128i*>(from + i)));
#else
  std::memcpy(to, from, line);
#endif
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
    Size at = begin_;
    if (at > 0) {
      at = end_ < line ? end_ : line;
      std::memcpy(to_, buffer_ + begin_, std::size_t(at - begin_));
      to_ += at - begin_;
    }
    for (; at + line <= end_; at += line, to_ += line) stream_line(buffer_ + at, to_);
    std::memcpy(to_, buffer_ + at, std::size_t(end_ - at));
    begin_ = end_ = 0;
  }

  alignas(line) char buffer_[size];  // filled from begin_, which lies in a line as to_ does, to end_
  char* to_;
  Size begin_, end_;
};

}  // namespace xgrad::kernels::XGRAD_ISA
