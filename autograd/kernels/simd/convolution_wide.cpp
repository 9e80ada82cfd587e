#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/lanes.hpp>
#include <autograd/kernels/simd/sums_held.hpp>

/// Sums of shifted planes for many rows, which are the lanes: by tiles of positions, or of taps, that stay in
/// registers.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

template <class T>
inline constexpr Size width = Lanes<Batch<T>>::width;

/// How many batches of rows a tile takes.
inline constexpr int most_batches = sums_held == 24 ? 3 : 2;
/// Positions, or taps, of a tile: as many of either as there are addresses in registers.
constexpr int most_of(int batches, int most) { return sums_held / batches < most ? sums_held / batches : most; }
inline constexpr int most_positions = 16, most_taps = 8;

/// Taps at a time, so that their weights stay near.
inline constexpr Size depth = 256;

template <class T>
struct At {
  const Size* offsets;
  const T *source, *weights, *bias;
  T* to;
  Size taps, rows;
  bool accumulate;
};

/// Results at `positions` that follow each other.
template <int positions, int batches, class T>
void tile(const At<T>& at) {
  using V = Batch<T>;
  V sums[positions][batches];
  for (int i = 0; i < positions; ++i)
    for (int j = 0; j < batches; ++j)
      sums[i][j] = at.accumulate ? V::load_unaligned(at.to + i * at.rows + j * width<T>)
                   : at.bias     ? V::load_unaligned(at.bias + j * width<T>)
                                 : V(T(0));
  const T* w = at.weights;
  for (Size k = 0; k < at.taps; ++k, w += at.rows) {
    const T* const from = at.source + at.offsets[k];
    V right[batches];
#pragma GCC unroll 4
    for (int j = 0; j < batches; ++j) right[j] = V::load_unaligned(w + j * width<T>);
#pragma GCC unroll 16
    for (int i = 0; i < positions; ++i) {
      const V left(from[i]);
#pragma GCC unroll 4
      for (int j = 0; j < batches; ++j) sums[i][j] = sums[i][j] + left * right[j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < positions; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < batches; ++j) sums[i][j].store_unaligned(at.to + i * at.rows + j * width<T>);
}

template <class T>
using Tile = void (*)(const At<T>& at);

/// From 8 on tiles have an even number of positions.
template <int batches, class T, int most = most_of(batches, most_positions)>
Tile<T> tile_of(Size positions) {
  if constexpr (most > 1)
    if (positions <= (most > 8 ? most - 2 : most - 1))
      return tile_of<batches, T, (most > 8 ? most - 2 : most - 1)>(positions);
  return tile<most, batches, T>;
}

template <int batches, class T>
void lines(const WideCorrelation& c, const T* source, const At<T>& at) {
  constexpr Size most = most_of(batches, most_positions);
  const Size tiles = (c.length + most - 1) / most;
  Size even = (c.length + tiles - 1) / tiles;
  if (even > 8) even += even % 2;
  const Tile<T> whole = tile_of<batches, T>(even);
  At<T> next = at;
  for (Size image = 0; image < c.images; ++image, source += c.source_image)
    for (Size line = 0; line < c.line_count; ++line) {
      next.source = source + c.lines[line];
      Size left = c.length;
      for (; left >= even; left -= even, next.source += even, next.to += even * c.rows) whole(next);
      for (Size few; left > 0; left -= few, next.source += few, next.to += few * c.rows) {
        few = left > 8 ? left - left % 2 : left;
        tile_of<batches, T>(few)(next);
      }
    }
}

/// Calls body(j, batches) for strips of the rows, `batches` being a constant.
template <class T, class Body>
void for_each_strip(Size rows, Body body) {
  Size j = 0;
  const auto strip = [&]<int batches>(std::integral_constant<int, batches> b) {
    for (; j + batches * width<T> <= rows; j += batches * width<T>) body(j, b);
  };
  if constexpr (most_batches > 2)
    if (rows != 4 * width<T>) strip(std::integral_constant<int, most_batches>{});
  strip(std::integral_constant<int, 2>{});
  strip(std::integral_constant<int, 1>{});
}

template <class T>
void correlate(const WideCorrelation& c, const void* source, const void* weights_, const void* bias_, void* to_) {
  const T *weights = static_cast<const T*>(weights_), *bias = static_cast<const T*>(bias_);
  T* const to = static_cast<T*>(to_);
  for (Size first = 0; first == 0 || first < c.taps; first += depth) {
    const Size taps = c.taps - first < depth ? c.taps - first : depth;
    for_each_strip<T>(c.rows, [&]<int batches>(Size j, std::integral_constant<int, batches>) {
      lines<batches, T>(c, static_cast<const T*>(source),
                        {c.offsets + first, nullptr, weights + first * c.rows + j, bias ? bias + j : nullptr, to + j,
                         taps, c.rows, first > 0});
    });
  }
}

/// Positions, of so few that T holds their sums, by where they lie in the source.
struct Positions {
  static constexpr Size most = 512;
  Size count, at[most];
};

/// sums[k][j] += over positions of the source at tap k and of the rows of g.
template <int taps, int batches, class T>
void sum_tile(const Positions& positions, const Size* offsets, const T* source, const T* g, Size rows, double* to) {
  using V = Batch<T>;
  V sums[taps][batches];
  for (int k = 0; k < taps; ++k)
    for (int j = 0; j < batches; ++j) sums[k][j] = V(T(0));
  const T* from[taps];
  for (int k = 0; k < taps; ++k) from[k] = source + offsets[k];
  for (const Size *p = positions.at, *const end = p + positions.count; p != end; ++p, g += rows) {
    V right[batches];
#pragma GCC unroll 4
    for (int j = 0; j < batches; ++j) right[j] = V::load_unaligned(g + j * width<T>);
#pragma GCC unroll 8
    for (int k = 0; k < taps; ++k) {
      const V left(from[k][*p]);
#pragma GCC unroll 4
      for (int j = 0; j < batches; ++j) sums[k][j] = sums[k][j] + left * right[j];
    }
  }
  for (int k = 0; k < taps; ++k)
    for (int j = 0; j < batches; ++j) {
      T lanes[width<T>];
      sums[k][j].store_unaligned(lanes);
      for (Size i = 0; i < width<T>; ++i) to[k * rows + j * width<T> + i] += double(lanes[i]);
    }
}

template <class T>
using SumTile = void (*)(const Positions& positions, const Size* offsets, const T* source, const T* g, Size rows,
                         double* to);

template <int batches, class T, int most = most_of(batches, most_taps)>
SumTile<T> sum_tile_of(Size taps) {
  if constexpr (most > 1)
    if (taps < most) return sum_tile_of<batches, T, most - 1>(taps);
  return sum_tile<most, batches, T>;
}

template <class T>
void add_sums(const WideCorrelation& c, const Positions& positions, const T* source, const T* g, double* sums) {
  for_each_strip<T>(c.rows, [&]<int batches>(Size j, std::integral_constant<int, batches>) {
    constexpr Size most = most_of(batches, most_taps);
    const Size tiles = (c.taps + most - 1) / most, even = (c.taps + tiles - 1) / tiles;
    for (Size k = 0, taps; k < c.taps; k += taps) {
      taps = c.taps - k < even ? c.taps - k : even;
      sum_tile_of<batches, T>(taps)(positions, c.offsets + k, source, g + j, c.rows, sums + k * c.rows + j);
    }
  });
}

template <class T>
void tap_sums(const WideCorrelation& c, const void* source_, const void* g_, double* sums) {
  const T *source = static_cast<const T*>(source_), *g = static_cast<const T*>(g_);
  Positions next;
  next.count = 0;
  const auto add = [&] {
    add_sums(c, next, source, g, sums);
    g += next.count * c.rows;
    next.count = 0;
  };
  for (Size image = 0; image < c.images; ++image)
    for (Size line = 0; line < c.line_count; ++line) {
      const Size first = image * c.source_image + c.lines[line];
      for (Size p = 0; p < c.length; ++p) {
        next.at[next.count++] = first + p;
        if (next.count == Positions::most) add();
      }
    }
  if (next.count > 0) add();
}

template <class T>
void fill(Table& t, Dtype d) {
  t.correlate_wide[int(d)] = correlate<T>;
  t.tap_sums_wide[int(d)] = tap_sums<T>;
}

}  // namespace

void fill_wide_convolution(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
