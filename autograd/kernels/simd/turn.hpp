#pragma once
#include <autograd/kernels/loop.hpp>
#include <cstring>
#include <utility>

namespace xgrad::kernels::XGRAD_ISA {

/// Rows and columns of a block that `turn` holds in registers: vectors that the processor interleaves with another in
/// one instruction.
#ifdef __AVX512VL__
template <class T>
inline constexpr Size turned = sizeof(T) == 1 ? 16 : 32 / Size(sizeof(T));
#else
template <class T>
inline constexpr Size turned = 16 / Size(sizeof(T));
#endif

template <class V, Size... k>
V low_halves(V a, V b, std::integer_sequence<Size, k...>) {
  return __builtin_shufflevector(a, b, (k / 2 + (k % 2) * Size(sizeof...(k)))...);
}
template <class V, Size... k>
V high_halves(V a, V b, std::integer_sequence<Size, k...>) {
  constexpr Size n = sizeof...(k);
  return __builtin_shufflevector(a, b, (n / 2 + k / 2 + (k % 2) * n)...);
}

/// A block that fills registers. Each step interleaves row i with row i + n / 2; log2(n) of them turn the block.
template <class T>
void turn_block(const T* from, Size from_stride, T* to, Size to_stride) {
  constexpr Size n = turned<T>;
  constexpr std::make_integer_sequence<Size, n> all{};
  typedef T V __attribute__((vector_size(n * sizeof(T))));
  V rows[n], mixed[n];
  for (Size i = 0; i < n; ++i) std::memcpy(&rows[i], from + i * from_stride, sizeof(V));
  for (Size step = 1; step < n; step *= 2) {
    for (Size i = 0; i < n / 2; ++i) {
      mixed[2 * i] = low_halves(rows[i], rows[i + n / 2], all);
      mixed[2 * i + 1] = high_halves(rows[i], rows[i + n / 2], all);
    }
    for (Size i = 0; i < n; ++i) rows[i] = mixed[i];
  }
  for (Size i = 0; i < n; ++i) std::memcpy(to + i * to_stride, &rows[i], sizeof(V));
}

/// Transposes: to[j * to_stride + i] = from[i * from_stride + j] for i < rows, j < cols. The last blocks overlap those
/// before them.
template <class T>
void turn(const T* from, Size from_stride, T* to, Size to_stride, Size rows, Size cols) {
  constexpr Size n = turned<T>;
  if (rows < n || cols < n) {
    for (Size i = 0; i < rows; ++i)
      for (Size j = 0; j < cols; ++j) to[j * to_stride + i] = from[i * from_stride + j];
    return;
  }
  for (Size next = 0; next < rows; next += n) {
    const Size i = next <= rows - n ? next : rows - n;
    Size j = 0;
    for (; j <= cols - n; j += n)
      turn_block(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
    if (j < cols)
      turn_block(from + i * from_stride + cols - n, from_stride, to + (cols - n) * to_stride + i, to_stride);
  }
}

/// The longest contiguous runs that are turned: too short to fill the lanes.
inline constexpr Size longest_turned = 32;
/// How many elements of them are turned at a time, at most.
inline constexpr Size turned_together = 2048;

/// Calls body(columns, first, n) for groups of at most `most` of the contiguous runs, `count` <= longest_turned long,
/// at x: run `first` + j is column j of the (count, n) matrix `columns`.
template <class T, class Body>
void for_each_turned(const T* x, Size runs, Size count, Size most, Body body) {
  T columns[turned_together];
  const Size together = count * most <= turned_together ? most : turned_together / count;
  for (Size first = 0; first < runs; first += together) {
    const Size n = runs - first < together ? runs - first : together;
    turn(x + first * count, count, columns, n, n, count);
    body(static_cast<const T*>(columns), first, n);
  }
}

}  // namespace xgrad::kernels::XGRAD_ISA
