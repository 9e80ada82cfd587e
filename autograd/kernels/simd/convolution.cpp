#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/lanes.hpp>
#include <autograd/kernels/simd/sums_held.hpp>

/// Sums of shifted planes, by tiles of results that stay in registers while the taps pass by.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

template <class T>
inline constexpr Size width = Lanes<Batch<T>>::width;

inline constexpr int most_rows = sums_held == 24 ? 8 : sums_held == 12 ? 6 : 4;
constexpr int batches_for(int rows) { return sums_held / rows < 6 ? sums_held / rows : 6; }

/// Taps at a time, so that the weights of a tile, and what it reads of a source, stay in the nearest cache.
inline constexpr Size depth = 512;

template <class T>
struct At {
  const Size* offsets;
  const T *source, *weights, *bias;
  T* to;
  Size taps, weights_row, to_row;
  bool accumulate;
};

template <int rows, int batches, class T>
void tile(const At<T>& at) {
  using V = Batch<T>;
  V sums[rows][batches];
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < batches; ++j)
      sums[i][j] =
          at.accumulate ? V::load_unaligned(at.to + i * at.to_row + j * width<T>) : V(at.bias ? at.bias[i] : T(0));
  const T* w = at.weights;
  for (Size k = 0; k < at.taps; ++k, w += at.weights_row) {
    const T* const from = at.source + at.offsets[k];
    V right[batches];
#pragma GCC unroll 8
    for (int j = 0; j < batches; ++j) right[j] = V::load_unaligned(from + j * width<T>);
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      const V left(w[i]);
#pragma GCC unroll 8
      for (int j = 0; j < batches; ++j) sums[i][j] = sums[i][j] + left * right[j];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < batches; ++j) sums[i][j].store_unaligned(at.to + i * at.to_row + j * width<T>);
}

template <class T>
using Tile = void (*)(const At<T>&);

template <class T, int rows, int most = batches_for(rows)>
Tile<T> tile_of_batches(Size batches) {
  if constexpr (most > 1)
    if (batches < most) return tile_of_batches<T, rows, most - 1>(batches);
  return tile<rows, most, T>;
}
template <class T, int most = most_rows>
Tile<T> tile_of(Size rows, Size batches) {
  if constexpr (most > 1)
    if (rows < most) return tile_of<T, (most > 6 ? 6 : most > 4 ? 4 : most - 1)>(rows, batches);
  return tile_of_batches<T, most>(batches);
}

/// Tiles have 8, 6, 4, 3, 2 or 1 rows: how many the next one takes of those that are left.
Size rows_taken(Size left) {
  for (const Size rows : {Size(8), Size(6), Size(4)})
    if (rows <= most_rows && rows <= left && (rows < 8 || (left != 9 && left != 10 && left != 12))) return rows;
  return left < 3 ? left : 3;
}

template <class T>
void correlate(const Correlation& c, const void* source_, const void* weights_, const void* bias_, void* to_) {
  const T *source = static_cast<const T*>(source_), *weights = static_cast<const T*>(weights_),
          *bias = static_cast<const T*>(bias_);
  T* to = static_cast<T*>(to_);
  const Size vectors = (c.span + width<T> - 1) / width<T>;
  const Size most = batches_for(int(rows_taken(c.rows)));  // no later tile has more rows
  const Size strips = (vectors + most - 1) / most, batches = (vectors + strips - 1) / strips;
  for (Size first = 0; first == 0 || first < c.taps; first += depth) {
    const Size taps = c.taps - first < depth ? c.taps - first : depth;
    for (Size i = 0, rows; i < c.rows; i += rows) {
      rows = rows_taken(c.rows - i);
      for (Size image = 0; image < c.images; ++image)
        for (Size v = 0; v < vectors; v += batches) {
          const Size p = v * width<T>, few = vectors - v < batches ? vectors - v : batches;
          tile_of<T>(rows, few)({c.offsets + first, source + image * c.source_image + p,
                                 weights + first * c.weights_row + i, bias ? bias + i : nullptr,
                                 to + image * c.to_image + i * c.to_row + p, taps, c.weights_row, c.to_row, first > 0});
        }
    }
  }
}

/// sums[i][k] over the batches of g's row i and of the source at tap k.
template <int rows, int taps, class T>
void sum_tile(const TapSums& s, const Size* offsets, const T* source, const T* g, double* to) {
  using V = Batch<T>;
  V sums[rows][taps];
  for (int i = 0; i < rows; ++i)
    for (int k = 0; k < taps; ++k) sums[i][k] = V(T(0));
  for (Size image = 0; image < s.images; ++image, source += s.source_image, g += s.g_image) {
    const T* from[taps];
    for (int k = 0; k < taps; ++k) from[k] = source + offsets[k];
    for (Size p = 0; p < s.span; p += width<T>) {
      V left[taps];
#pragma GCC unroll 8
      for (int k = 0; k < taps; ++k) left[k] = V::load_unaligned(from[k] + p);
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i) {
        const V right = V::load_unaligned(g + i * s.g_row + p);
#pragma GCC unroll 8
        for (int k = 0; k < taps; ++k) sums[i][k] = sums[i][k] + left[k] * right;
      }
    }
  }
  for (int i = 0; i < rows; ++i)
    for (int k = 0; k < taps; ++k) to[i * s.taps + k] += double(sum_of_lanes(sums[i][k]));
}

template <class T>
using SumTile = void (*)(const TapSums& s, const Size* offsets, const T* source, const T* g, double* to);

inline constexpr int taps_together = 4, sum_rows = sums_held / taps_together;

template <class T, int most = sum_rows>
SumTile<T> sum_tile_of(Size rows, bool together) {
  if constexpr (most > 1)
    if (rows < most) return sum_tile_of<T, most - 1>(rows, together);
  return together ? sum_tile<most, taps_together, T> : sum_tile<most, 1, T>;
}

/// Spans are summed in pieces, so that what was read of them is still near for the next tile.
template <class T>
void tap_sums(const TapSums& s, const void* source_, const void* g_, double* sums) {
  const T *source = static_cast<const T*>(source_), *g = static_cast<const T*>(g_);
  constexpr Size piece = 4096;
  TapSums part = s;
  for (Size p = 0; p < s.span; p += piece) {
    part.span = s.span - p < piece ? s.span - p : piece;
    const Size tiles = (s.rows + sum_rows - 1) / sum_rows, most = (s.rows + tiles - 1) / tiles;
    for (Size i = 0, rows; i < s.rows; i += rows) {
      rows = s.rows - i < most ? s.rows - i : most;
      for (Size k = 0; k < s.taps;) {
        const bool together = s.taps - k >= taps_together;
        sum_tile_of<T>(rows, together)(part, s.offsets + k, source + p, g + i * s.g_row + p, sums + i * s.taps + k);
        k += together ? taps_together : 1;
      }
    }
  }
}

template <class T>
void fill(Table& t, Dtype d) {
  t.correlate[int(d)] = correlate<T>;
  t.tap_sums[int(d)] = tap_sums<T>;
}

}  // namespace

void fill_convolution(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
