#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/lanes.hpp>
#include <autograd/kernels/simd/outlet.hpp>
#include <autograd/kernels/simd/turn.hpp>
#include <autograd/kernels/simd/wrapping.hpp>
#include <cstring>

/// Copies and additions between strided arrays. A row (the innermost axis) that is contiguous on both sides goes at
/// memory speed. Where only one side is contiguous there, and the other along some other axis, the two axes are
/// crossed in tiles of `tile` x `tile`, so that each cache line is read and written once.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

struct Assign {
  template <class T>
  static void apply(T& to, T from) {
    to = from;
  }
};

struct Add {
  template <class T>
  static void apply(T& to, T from) {
    using U = typename WrappingOf<T>::type;
    to = T(U(to) + U(from));
  }
};

template <class T, class How>
void row(T* to, Size to_stride, const T* from, Size from_stride, Size n) {
  if (to_stride == 1 && from_stride == 1) {
    if constexpr (__is_same(How, Assign)) {
      constexpr Size short_row = 16;  // below it a call costs more than it saves
      if (n > short_row) {
        std::memcpy(to, from, std::size_t(n) * sizeof(T));
        return;
      }
    }
    for (Size i = 0; i < n; ++i) How::apply(to[i], from[i]);
  } else if (to_stride == 1 && from_stride == 0) {
    const T value = *from;
    for (Size i = 0; i < n; ++i) How::apply(to[i], value);
  } else if (to_stride == 1 && from_stride == -1) {
    const T* first = from - (n - 1);
    for (Size i = 0; i < n; ++i) How::apply(to[i], first[n - 1 - i]);
  } else {
    for (Size i = 0; i < n; ++i) How::apply(to[i * to_stride], from[i * from_stride]);
  }
}

/// Rows that are shorter than this, many below each other, repay a loop of their own: a call for each costs more.
inline constexpr Size short_rows = 64;

/// Copies rows of 0 < n < short_rows elements. The last batch of a row overlaps the one before it.
template <class T>
void copy_short_rows(T* to, Size to_row, const T* from, Size from_row, Size rows, Size n) {
  using V = Batch<T>;
  constexpr Size width = Lanes<V>::width;
  if (n < width) {
    for (; rows > 0; --rows, to += to_row, from += from_row) store_few(to, load_few(from, n), n);
    return;
  }
  const Size last = n - width;
  for (; rows > 0; --rows, to += to_row, from += from_row) {
    const V end = V::load_unaligned(from + last);
    for (Size i = 0; i < last; i += width) V::load_unaligned(from + i).store_unaligned(to + i);
    end.store_unaligned(to + last);
  }
}

template <class T>
inline constexpr Size tile = sizeof(T) == 1 ? 32 : 16;

/// to[i * to_stride + j] takes from[j * from_stride + i], i < rows and j < cols, through a buffer that holds one tile:
/// rows may lie a power of two apart, and would then evict each other from the cache if they were touched in parts.
template <class T, class How>
void cross_tile(T* to, Size to_stride, const T* from, Size from_stride, Size rows, Size cols) {
  alignas(64) T buffer[tile<T> * tile<T>];
  turn(from, from_stride, buffer, tile<T>, cols, rows);
  for (Size j = 0; j < cols; ++j) __builtin_prefetch(from + j * from_stride + tile<T>);  // of the next tile
  if (cols == tile<T>) {
    for (Size i = 0; i < rows; ++i)
      for (Size j = 0; j < tile<T>; ++j) How::apply(to[i * to_stride + j], buffer[i * tile<T> + j]);
  } else {
    for (Size i = 0; i < rows; ++i)
      for (Size j = 0; j < cols; ++j) How::apply(to[i * to_stride + j], buffer[i * tile<T> + j]);
  }
}

/// The same for matrices of any size, streamed (kernels/stream.hpp): a panel of rows of `to` long enough that few of
/// their lines are not whole, while what the next one reads is fetched.
template <class T>
void cross_streamed(T* to, Size to_stride, const T* from, Size from_stride, Size rows, Size cols) {
  constexpr Size width = 1024 / Size(sizeof(T)), height = 128 / Size(sizeof(T)), in_line = line / Size(sizeof(T));
  alignas(line) T panel[height * width];
  for (Size j = 0, w; j < cols; j += w) {
    w = cols - j < width ? cols - j : width;
    for (Size i = 0, h; i < rows; i += h) {
      h = rows - i < height ? rows - i : height;
      const T* source = from + j * from_stride + i;
      const T* next = i + h < rows ? source + h : from + (j + w) * from_stride;
      for (Size k = 0; k < w; ++k)
        for (Size ahead = 0; ahead < height; ahead += in_line) __builtin_prefetch(next + k * from_stride + ahead, 0, 2);
      turn(source, from_stride, panel, width, w, h);
      for (Size k = 0; k < h; ++k)
        stream(reinterpret_cast<const char*>(panel + k * width), reinterpret_cast<char*>(to + (i + k) * to_stride + j),
               w * Size(sizeof(T)));
    }
  }
}

/// The same for matrices of any size, in blocks whose rows the processor can hold the page addresses of.
template <class T, class How>
void cross(T* to, Size to_stride, const T* from, Size from_stride, Size rows, Size cols) {
  if constexpr (__is_same(How, Assign) && sizeof(T) > 1)
    if (streaming) return cross_streamed(to, to_stride, from, from_stride, rows, cols);
  constexpr Size block = 8 * tile<T>;
  const auto end = [](Size begin, Size size, Size n) { return n - begin < size ? n : begin + size; };
  for (Size jj = 0; jj < cols; jj += block) {
    const Size block_cols = end(jj, block, cols);
    for (Size ii = 0; ii < rows; ii += block) {
      const Size block_rows = end(ii, block, rows);
      for (Size j = jj; j < block_cols; j += tile<T>)
        for (Size i = ii; i < block_rows; i += tile<T>)
          cross_tile<T, How>(to + i * to_stride + j, to_stride, from + j * from_stride + i, from_stride,
                             end(i, tile<T>, rows) - i, end(j, tile<T>, cols) - j);
    }
  }
}

/// The axis other than the innermost along which `side` is contiguous, or -1.
int contiguous_axis(const Loop<2>& loop, int side) {
  for (int d = loop.rank - 2; d >= 0; --d)
    if (loop.strides[side][d] == 1 && loop.sizes[d] > 1) return d;
  return -1;
}

/// Calls body(offset in to, offset in from) for each position of all axes but those of size 1.
template <class Body>
void for_each_position(const Loop<2>& loop, Body body) {
  Size index[max_rank] = {}, to = 0, from = 0;
  for (;;) {
    body(to, from);
    int d = loop.rank - 1;
    for (; d >= 0; --d) {
      to += loop.strides[0][d];
      from += loop.strides[1][d];
      if (++index[d] < loop.sizes[d]) break;
      to -= loop.sizes[d] * loop.strides[0][d];
      from -= loop.sizes[d] * loop.strides[1][d];
      index[d] = 0;
    }
    if (d < 0) return;
  }
}

template <class T, class How>
void walk(const void* from_, void* to_, const Loop<2>& loop) {
  const T* from = static_cast<const T*>(from_);
  T* to = static_cast<T*>(to_);
  for (int d = 0; d < loop.rank; ++d)
    if (loop.sizes[d] == 0) return;
  const int last = loop.rank - 1;
  if (last < 0) return How::apply(*to, *from);

  const Size n = loop.sizes[last], to_stride = loop.strides[0][last], from_stride = loop.strides[1][last];
  Loop<2> outer = loop;
  outer.sizes[last] = 1;
  // `side` is the one that is contiguous along the other axis.
  const int side = to_stride == 1 && from_stride != 1 ? 1 : to_stride != 1 && from_stride == 1 ? 0 : -1;
  const int axis = side < 0 || from_stride == 0 ? -1 : contiguous_axis(loop, side);
  if constexpr (__is_same(How, Assign) && (__is_same(T, float) || __is_same(T, double)))
    if (last > 0 && to_stride == 1 && from_stride == 1 && n < short_rows) {
      outer.sizes[last - 1] = 1;
      return for_each_position(outer, [&](Size a, Size b) {
        copy_short_rows(to + a, loop.strides[0][last - 1], from + b, loop.strides[1][last - 1], loop.sizes[last - 1],
                        n);
      });
    }
  if (axis < 0) {
    for_each_position(outer, [&](Size a, Size b) { row<T, How>(to + a, to_stride, from + b, from_stride, n); });
    return;
  }
  const Size m = loop.sizes[axis], to_other = loop.strides[0][axis], from_other = loop.strides[1][axis];
  outer.sizes[axis] = 1;
  for_each_position(outer, [&](Size a, Size b) {
    if (side == 1) {
      cross<T, How>(to + a, to_other, from + b, from_stride, m, n);
    } else {
      cross<T, How>(to + a, to_stride, from + b, from_other, n, m);
    }
  });
}

}  // namespace

void fill_copy(Table& t) {
  t.copy[int(f32)] = walk<float, Assign>;
  t.copy[int(f64)] = walk<double, Assign>;
  t.copy[int(i64)] = walk<std::int64_t, Assign>;
  t.copy[int(boolean)] = walk<unsigned char, Assign>;
  t.accumulate[int(f32)] = walk<float, Add>;
  t.accumulate[int(f64)] = walk<double, Add>;
  t.accumulate[int(i64)] = walk<std::int64_t, Add>;
}

}  // namespace xgrad::kernels::XGRAD_ISA
