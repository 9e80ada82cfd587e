#pragma once
#include <autograd/kernels/simd/lanes.hpp>
#include <autograd/kernels/simd/sums_held.hpp>

/// The tiles of C that matrix products (gemm.cpp) are made of.
namespace xgrad::kernels::XGRAD_ISA {

template <class T>
inline constexpr Size width = Lanes<Batch<T>>::width;

// Beside the sums, two batches of B and one of A fill the registers.
inline constexpr int tile_batches = 2, tile_rows = sums_held / tile_batches;
// A few rows take more columns at a time instead: enough sums to hide an addition's latency.
inline constexpr int few_rows = tile_rows / 3, wide_batches = 2 * tile_batches;

/// The most rows of B, and of a transposed A, that a tile is given at once: the latter lie far apart, and are few
/// enough for the processor to follow.
inline constexpr Size depth = 128, transposed_depth = 64;

/// Where a tile begins in each matrix, as stored, and how far apart their rows are; `columns` of C are written.
template <class T>
struct At {
  const T *a, *b;
  T* c;
  Size row_a, row_b, row_c, columns;
};

template <bool transposed, int rows, int batches, class T>
void tile(const At<T>& at, Size k, bool accumulate) {
  using V = Batch<T>;
  V sums[rows][batches];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < batches; ++j) sums[i][j] = V(T(0));
  const T* b = at.b;
  const Size row_a = at.row_a, row_b = at.row_b;
  // A register for each three rows of A, and one for their distance. Compilers would keep one for each row, of which
  // there are not so many.
  constexpr int group = transposed ? rows : 3, groups = (rows + group - 1) / group;
  const T* a[groups];
  for (int i = 0; i < groups; ++i) {
    a[i] = at.a + i * group * row_a;
    asm("" : "+r"(a[i]));
  }
  // Meanwhile the processor fetches what comes next of A: line by line the rows below or, transposed, the next block.
  constexpr Size line = 64 / Size(sizeof(T));
  for (Size p = 0; p < k; ++p, b += row_b) {
    if (transposed) {
      __builtin_prefetch(a[0] + transposed_depth * row_a, 0, 2);
    } else {
      for (Size i = 0; i < rows; i += line)
        __builtin_prefetch(at.a + (rows + i + p % line) * row_a + p / line * line, 0, 2);
    }
    V right[batches];
#pragma GCC unroll 4
    for (int j = 0; j < batches; ++j) right[j] = V::load_unaligned(b + j * width<T>);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const V left(transposed ? a[0][i] : a[i / group][i % group * row_a]);
#pragma GCC unroll 4
      for (int j = 0; j < batches; ++j) sums[i][j] = sums[i][j] + left * right[j];
    }
    for (int i = 0; i < groups; ++i) a[i] += transposed ? row_a : 1;
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < batches; ++j) {
      T* const c = at.c + i * at.row_c + j * width<T>;
      if (const Size left = at.columns - j * width<T>; left >= width<T>) {
        (accumulate ? V::load_unaligned(c) + sums[i][j] : sums[i][j]).store_unaligned(c);
      } else if (left > 0) {
        store_few(c, accumulate ? load_few(c, left) + sums[i][j] : sums[i][j], left);
      }
    }
}

template <class T>
using Tile = void (*)(const At<T>&, Size k, bool accumulate);

/// Tiles have as many rows as fit, 8, 4, 2 or 1: how many the next one takes of those that are left, at most `most`.
/// Two of two thirds are quicker than one that is full and a small one.
inline Size rows_taken(Size left, Size most) {
  constexpr Size two_thirds = tile_rows * 2 / 3;
  if (left == 2 * two_thirds && left > most && most == tile_rows) return two_thirds;
  for (const Size rows : {Size(tile_rows), Size(8), Size(4), Size(2)})
    if (rows <= most && rows <= left) return rows;
  return 1;
}

template <class T, bool transposed, int batches, int most>
Tile<T> tile_of(Size rows) {
  if constexpr (most > 1) {
    constexpr int fewer = most > 8 ? 8 : most > 4 ? 4 : most / 2;
    if (rows < most) return tile_of<T, transposed, batches, fewer>(rows);
  }
  return tile<transposed, most, batches, T>;
}
template <class T, bool transposed>
Tile<T> tile_of(Size rows, Size batches) {
  if (batches == 1) return tile_of<T, transposed, 1, tile_rows>(rows);
  if (batches == tile_batches) return tile_of<T, transposed, tile_batches, tile_rows>(rows);
  return tile_of<T, transposed, wide_batches, few_rows>(rows);
}

}  // namespace xgrad::kernels::XGRAD_ISA
