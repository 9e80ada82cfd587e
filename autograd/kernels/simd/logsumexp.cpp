#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/exponentials.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/turn.hpp>

/// log(sum exp(x)) in one pass over memory: what has been summed is scaled down where a larger element arrives.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

constexpr Size tile = 512;

/// What is subtracted before the exponential: the largest element, but nothing from infinite ones.
template <class T>
T shift_of(T largest) {
  return std::fabs(largest) == std::numeric_limits<T>::infinity() ? T(0) : largest;
}

/// The logarithm of what a sum is multiplied with when `largest` becomes `next`. A sum of nothing, or of zeros, stays
/// what it is.
template <class T>
double rise(T largest, T next) {
  return largest == Max<T>::identity ? 0 : double(shift_of(largest)) - double(shift_of(next));
}

template <class T>
double run(const T* x, Size count) {
  constexpr Size piece = 1024;
  T buffer[piece], largest = Max<T>::identity;
  double sum = 0;
  for (Size i = 0, n; i < count; i += n) {
    n = count - i < piece ? count - i : piece;
    const T next = Max<T>::step(largest, reduce_run<Max<T>>(x + i, n));
    if (next != largest) sum *= std::exp(rise(largest, next));
    largest = next;
    exponentials(x + i, shift_of(largest), buffer, n);
    sum += reduce_run<Sum<T>>(buffer, n);
  }
  return double(shift_of(largest)) + std::log(sum);
}

/// `width` <= tile columns.
template <class T>
struct Columns {
  T largest[tile];
  double sum[tile];

  explicit Columns(Size width) {
    for (Size j = 0; j < width; ++j) largest[j] = Max<T>::identity, sum[j] = 0;
  }

  /// Those from `first` on.
  void raise(Size first, const T* next, Size width) {
    double factor[tile];
    bool any = false;
    for (Size j = 0; j < width; ++j) {
      factor[j] = rise(largest[first + j], next[j]);
      any |= factor[j] != 0;
      largest[first + j] = next[j];
    }
    if (!any) return;
    exponentials(factor, 0., factor, width);
    for (Size j = 0; j < width; ++j) sum[first + j] *= factor[j];
  }

  void take(const T* x, Size rows, Size stride, Size width) {
    constexpr Size most = 64;
    T next[tile], shift[tile], buffer[tile];
    for (Size r = 0, n; r < rows; r += n) {
      n = rows - r < most ? rows - r : most;
      for (Size j = 0; j < width; ++j) next[j] = largest[j];
      accumulate_rows<Max<T>>(next, x, n, stride, width);
      raise(0, next, width);
      for (Size j = 0; j < width; ++j) shift[j] = shift_of(next[j]);
      for (Size k = 0; k < n; ++k, x += stride) {
        exponentials(x, shift, buffer, width);
        take_rows<1, Sum<T>>(sum, buffer, 1, width, width);
      }
    }
  }

  /// Columns of `width` next to each other become one.
  void fold(Size together, Size width) {
    T next[tile];
    for (Size j = 0; j < width; ++j) next[j] = largest[j];
    for (Size k = 1; k < together; ++k)
      for (Size j = 0; j < width; ++j) next[j] = Max<T>::step(next[j], largest[k * width + j]);
    for (Size k = 0; k < together; ++k) {
      raise(k * width, next, width);
      for (Size j = 0; k > 0 && j < width; ++j) sum[j] += sum[k * width + j];
    }
  }
};

template <class T>
void columns(const T* x, double* y, Size count, Size stride, Size width) {
  const Size together = rows_together(count, stride, width, 128, 32), rows = count / together,
             filled = together * width;
  Columns<T> all(filled);
  all.take(x, rows, together * stride, filled);
  if (together > 1) all.fold(together, width);
  all.take(x + rows * filled, count - rows * together, stride, width);
  logarithms(all.sum, y, width);
  for (Size j = 0; j < width; ++j) y[j] += double(shift_of(all.largest[j]));
}

template <class T>
void block(const void* from, void* to, Size count, Size stride, Size width, bool wide) {
  const T* x = static_cast<const T*>(from);
  const auto put = [&](double y, Size i) {
    if (wide) {
      static_cast<double*>(to)[i] = y;
    } else {
      static_cast<T*>(to)[i] = T(y);
    }
  };
  if (width == 1 && stride == 1) return put(run(x, count), 0);
  for (Size i = 0; i < width; i += tile) {
    double y[tile];
    const Size n = width - i < tile ? width - i : tile;
    columns(x + i, y, count, stride, n);
    for (Size j = 0; j < n; ++j) put(y[j], i + j);
  }
}

template <class T>
void logsumexp(const void* from, void* to, Size outer, Size count, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  if (is_short(outer, count, inner))
    return for_each_group(x, outer, count, inner, tile, [&](const T* group, Size first, Size n) {
      block<T>(group, y + first * inner, count, n * inner, n * inner, false);
    });
  for (Size o = 0; o < outer; ++o) block<T>(x + o * count * inner, y + o * inner, count, inner, inner, false);
}

template <class T>
void fill(Table& t, Dtype d) {
  t.reduce[int(Reduce::logsumexp)][int(d)] = logsumexp<T>;
  t.reduce_block[int(Reduce::logsumexp)][int(d)] = block<T>;
}

}  // namespace

void fill_logsumexp(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
