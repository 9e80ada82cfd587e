#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <xsimd/xsimd.hpp>

/// Softmax works on pieces of `piece` elements that stay in the first-level cache between its passes: subtract the
/// maximum, take exponentials, sum them in f64, scale. A slice with +inf, or of -inf only, has inf - inf = NaN among
/// its exponents, and so a NaN sum; a NaN is its own maximum.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

constexpr Size piece = 2048, tile = 512;

void exponentials(const double* x, double* y, Size n) {
  for (Size i = 0; i < n; ++i) y[i] = std::exp(x[i]);
}

void exponentials(const float* x, float* y, Size n) {
  using Batch = xsimd::batch<float>;
  constexpr Size lanes = Size(Batch::size);
  Size i = 0;
  for (; i + lanes <= n; i += lanes) xsimd::exp(Batch::load_unaligned(x + i)).store_unaligned(y + i);
  if (i == n) return;
  float rest[lanes] = {};
  for (Size j = 0; i + j < n; ++j) rest[j] = x[i + j];
  xsimd::exp(Batch::load_unaligned(rest)).store_unaligned(rest);
  for (Size j = 0; i + j < n; ++j) y[i + j] = rest[j];
}

template <class T>
void subtract(const T* x, T by, T* y, Size n) {
  for (Size i = 0; i < n; ++i) y[i] = x[i] - by;
}

template <class T>
void scale(T* y, T by, Size n) {
  for (Size i = 0; i < n; ++i) y[i] *= by;
}

/// Contiguous slices: short ones several at a time, long ones in several pieces.
template <class T, bool logarithm>
void softmax_runs(const T* x, T* y, Size outer, Size count) {
  const Size together = count >= piece ? 1 : piece / count;
  T buffer[piece];
  for (Size o = 0; o < outer; o += together, x += together * count, y += together * count) {
    const Size slices = outer - o < together ? outer - o : together;
    double sums[piece];
    for (Size s = 0; s < slices; ++s) {
      subtract(x + s * count, reduce_run<Max<T>>(x + s * count, count), y + s * count, count);
      sums[s] = 0;
    }
    const Size total = slices * count;
    for (Size begin = 0; begin < total; begin += piece) {
      const Size n = total - begin < piece ? total - begin : piece;
      T* e = logarithm ? buffer : y + begin;
      exponentials(y + begin, e, n);
      if (count >= piece) {
        sums[0] += reduce_run<Sum<T>>(e, n);
      } else {
        for (Size s = 0; s < slices; ++s) sums[s] = reduce_run<Sum<T>>(e + s * count, count);
      }
    }
    for (Size s = 0; s < slices; ++s) {
      if (logarithm) {
        const T log_sum = T(std::log(sums[s]));
        subtract(y + s * count, log_sum, y + s * count, count);
      } else {
        scale(y + s * count, T(1 / sums[s]), count);
      }
    }
  }
}

/// Slices that lie across the rows of a (count, inner) matrix, one tile of columns at a time. Rows that are whole
/// are taken several at a time, so that narrow ones fill the exponential's lanes.
template <class T, bool logarithm>
void softmax_columns(const T* x, T* y, Size count, Size inner, Size width) {
  T largest[tile], scales[tile], buffer[piece];
  double sums[tile];
  reduce_columns<Max<T>>(largest, x, count, inner, width);
  for (Size j = 0; j < width; ++j) sums[j] = 0;
  const Size together = width == inner ? piece / width : 1;
  for (Size begin = 0; begin < count; begin += together) {
    const Size rows = count - begin < together ? count - begin : together;
    const T* in = x + begin * inner;
    T* out = y + begin * inner;
    T* e = logarithm ? buffer : out;
    for (Size r = 0; r < rows; ++r)
      for (Size j = 0; j < width; ++j) out[r * inner + j] = in[r * inner + j] - largest[j];
    exponentials(out, e, rows * width);
    accumulate_rows<Sum<T>>(sums, e, rows, width, width);
  }
  for (Size j = 0; j < width; ++j) scales[j] = T(logarithm ? std::log(sums[j]) : 1 / sums[j]);
  for (Size r = 0; r < count; ++r) {
    T* out = y + r * inner;
    for (Size j = 0; j < width; ++j) out[j] = logarithm ? out[j] - scales[j] : out[j] * scales[j];
  }
}

template <class T, bool logarithm>
void softmax(const void* from, void* to, Size outer, Size count, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  if (outer == 0 || count == 0 || inner == 0) return;
  if (inner == 1) return softmax_runs<T, logarithm>(x, y, outer, count);
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
