#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/exponentials.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/outlet.hpp>
#include <autograd/kernels/simd/turn.hpp>

/// Softmax of a slice: its maximum, the exponentials of what lies below it and their sum in f64, a scaling; each a pass
/// over memory that the one before has left in the cache, but for very long slices. A slice with +inf, or of -inf only,
/// has inf - inf = NaN among its exponents, and so a NaN sum; a NaN is its own maximum.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// A contiguous slice. The logarithm needs the exponentials' sum only: they go to a buffer, in pieces.
template <class T, bool logarithm>
void softmax_run(const T* x, T* y, Size count) {
  constexpr Size piece = 1024;
  T buffer[piece];
  const T largest = reduce_run<Max<T>>(x, count);
  double sum = 0;
  for (Size i = 0, n; i < count; i += n) {
    n = count - i < piece ? count - i : piece;
    T* e = logarithm ? buffer : y + i;
    exponentials(x + i, largest, e, n);
    sum += reduce_run<Sum<T>>(e, n);
  }
  const T last = logarithm ? T(std::log(sum)) : T(1 / sum);
  for (Size i = 0; i < count; ++i) y[i] = logarithm ? x[i] - largest - last : y[i] * last;
}

constexpr Size tile = 512;

/// Slices that lie across the rows of a (count, inner) matrix, one tile of columns at a time. y's rows are as far apart
/// as x's.
template <class T, bool logarithm>
void softmax_columns(const T* x, T* y, Size count, Size inner, Size width) {
  T largest[tile], last[tile], buffer[tile];
  double sums[tile];
  reduce_columns<Max<T>>(largest, x, count, inner, width);
  for (Size j = 0; j < width; ++j) sums[j] = 0;
  for (Size r = 0; r < count; ++r) {
    T* e = logarithm ? buffer : y + r * inner;
    exponentials(x + r * inner, largest, e, width);
    take_rows<1, Sum<T>>(sums, e, 1, width, width);
  }
  if (logarithm) logarithms(sums, sums, width);
  for (Size j = 0; j < width; ++j) last[j] = T(logarithm ? sums[j] : 1 / sums[j]);
  for (Size r = 0; r < count; ++r) {
    const T* in = x + r * inner;
    T* out = y + r * inner;
    for (Size j = 0; j < width; ++j) out[j] = logarithm ? in[j] - largest[j] - last[j] : out[j] * last[j];
  }
}

/// Slices too short to fill the lanes: side by side, and back; streamed (kernels/stream.hpp) if so asked, which longer
/// ones are not, as arithmetic takes them longer than memory does.
template <class T, bool logarithm>
void softmax_short(const T* x, T* y, Size outer, Size count, Size inner) {
  T to[side_by_side<T>];
  alignas(line) T turned[side_by_side<T>];
  for_each_group(x, outer, count, inner, tile, [&](const T* columns, Size first, Size n) {
    softmax_columns<T, logarithm>(columns, to, count, n * inner, n * inner);
    T* const back = streaming ? turned : y + first * count * inner;
    if (inner == 1) {
      turn(to, n, back, count, count, n);
    } else {
      turn_runs(to, back, count, n, inner);
    }
    if (streaming)
      stream(reinterpret_cast<const char*>(turned), reinterpret_cast<char*>(y + first * count * inner),
             count * n * inner * Size(sizeof(T)));
  });
}

template <class T, bool logarithm>
void softmax(const void* from, void* to, Size outer, Size count, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  if (outer == 0 || count == 0 || inner == 0) return;
  if (is_short(outer, count, inner)) return softmax_short<T, logarithm>(x, y, outer, count, inner);
  if (inner == 1) {
    for (Size o = 0; o < outer; ++o, x += count, y += count) softmax_run<T, logarithm>(x, y, count);
    return;
  }
  for (Size o = 0; o < outer; ++o, x += count * inner, y += count * inner)
    for (Size i = 0; i < inner; i += tile)
      softmax_columns<T, logarithm>(x + i, y + i, count, inner, inner - i < tile ? inner - i : tile);
}

}  // namespace

void fill_softmax(Table& t) {
  t.softmax[int(Softmax::softmax)][int(f32)] = softmax<float, false>;
  t.softmax[int(Softmax::softmax)][int(f64)] = softmax<double, false>;
  t.softmax[int(Softmax::log_softmax)][int(f32)] = softmax<float, true>;
  t.softmax[int(Softmax::log_softmax)][int(f64)] = softmax<double, true>;
}

}  // namespace xgrad::kernels::XGRAD_ISA
