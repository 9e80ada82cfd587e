#pragma once
#include <cstddef>
#include <cstdint>

#pragma GCC visibility push(default)

/// How kernels walk arrays of several axes.
namespace xgrad::kernels {

using Size = std::int64_t;
inline constexpr int max_rank = 8;

/// How a kernel walks several arrays at once: `sizes` outermost first, and for each array its strides in elements
/// (0 where it is broadcast, negative where it is reversed). `collapse` has merged every pair of axes that all
/// arrays cross without a jump, so that contiguous work arrives as rank 1 and a row or column broadcast as rank 2.
template <int Arrays>
struct Loop {
  int rank = 0;
  Size sizes[max_rank];  // of these and of the strides only `rank` are looked at
  Size strides[std::size_t(Arrays)][max_rank];

  /// n elements in one row, with the strides given.
  template <class... Stride>
  static Loop row(Size n, Stride... strides) {
    static_assert(sizeof...(Stride) == Arrays);
    Loop loop;
    loop.rank = 1;
    loop.sizes[0] = n;
    int array = 0;
    ((loop.strides[array++][0] = Size(strides)), ...);
    return loop;
  }

  Size count() const {
    Size n = 1;
    for (int d = 0; d < rank; ++d) n *= sizes[d];
    return n;
  }

  /// Drops axes of size 1 and merges neighbours; leaves at least rank 1.
  void collapse() {
    int kept = 0;
    for (int d = 0; d < rank; ++d) {
      if (sizes[d] == 1) continue;
      bool merge = kept > 0;
      for (int a = 0; a < Arrays && merge; ++a) merge = strides[a][kept - 1] == sizes[d] * strides[a][d];
      if (merge) {
        sizes[kept - 1] *= sizes[d];
      } else {
        sizes[kept++] = sizes[d];
      }
      for (int a = 0; a < Arrays; ++a) strides[a][kept - 1] = strides[a][d];
    }
    if (kept == 0) {
      sizes[0] = 1;
      for (int a = 0; a < Arrays; ++a) strides[a][0] = 1;
      kept = 1;
    }
    rank = kept;
  }
};

/// Calls `body(offsets)` for each position of all axes but the innermost, outermost slowest.
template <int Arrays, class Body>
void for_each_row(const Loop<Arrays>& loop, Body body) {
  const int outer = loop.rank - 1;
  if (loop.count() == 0) return;
  Size index[max_rank] = {}, offsets[std::size_t(Arrays)] = {};
  for (;;) {
    body(offsets);
    int d = outer - 1;
    for (; d >= 0; --d) {
      for (int a = 0; a < Arrays; ++a) offsets[a] += loop.strides[a][d];
      if (++index[d] < loop.sizes[d]) break;
      for (int a = 0; a < Arrays; ++a) offsets[a] -= loop.sizes[d] * loop.strides[a][d];
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

}  // namespace xgrad::kernels
#pragma GCC visibility pop
