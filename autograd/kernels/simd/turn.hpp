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

/// The same with runs of `inner` elements in place of single ones, those of `to` next to each other: to[(j * rows + i)
/// * inner + k] = from[(i * cols + j) * inner + k]. Runs are copied in whole blocks, where what is too much is in
/// `from` and lies in `to` where later runs go.
template <class T>
void turn_runs(const T* from, T* to, Size rows, Size cols, Size inner) {
  constexpr Size block = 8;
  const Size padded = (inner + block - 1) / block * block, all = rows * cols * inner;
  for (Size i = 0; i < rows; ++i) {
    for (Size j = 0; j < cols; ++j) {
      const Size at = (i * cols + j) * inner, into = (j * rows + i) * inner;
      if (at + padded <= all && into + padded <= (j + 1) * rows * inner) {
        for (Size k = 0; k < inner; k += block) std::memcpy(to + into + k, from + at + k, block * sizeof(T));
      } else {
        for (Size k = 0; k < inner; ++k) to[into + k] = from[at + k];
      }
    }
  }
}

/// How many elements are laid side by side at a time, at most: few, so that the processor still reads memory ahead
/// while it works on them.
template <class T>
inline constexpr Size side_by_side = 4096 / Size(sizeof(T));

/// Whether (outer, count, inner) is many slices, each too short or too narrow to fill the lanes.
inline bool is_short(Size outer, Size count, Size inner) {
  return outer > 1 && count > 1 && (inner == 1 ? count <= 32 : inner > 0 && count * inner <= 128);
}

/// For (outer, count, inner) that is_short: calls body(columns, first, n) for groups of slices, whose rows have been
/// laid side by side: `columns` is (count, n * inner), n * inner <= `most`, of the slices from `first` on.
template <class T, class Body>
void for_each_group(const T* x, Size outer, Size count, Size inner, Size most, Body body) {
  T columns[side_by_side<T>];
  const Size slice = count * inner,
             together = slice * most <= side_by_side<T> * inner ? most / inner : side_by_side<T> / slice;
  for (Size first = 0; first < outer; first += together) {
    const Size n = outer - first < together ? outer - first : together;
    if (inner == 1) {
      turn(x + first * slice, count, columns, n, n, count);
    } else {
      turn_runs(x + first * slice, columns, n, count, inner);
    }
    body(static_cast<const T*>(columns), first, n);
  }
}

}  // namespace xgrad::kernels::XGRAD_ISA
