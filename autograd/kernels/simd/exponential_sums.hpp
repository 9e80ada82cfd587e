#pragma once
#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/exponentials.hpp>
#include <functional>

/// Sums of exponentials in one pass over memory. What is summed is exp(x - shift), where the shift is an element, at
/// first the largest of the first few. Where a sum of the next ones is so large that some lie far above it, the largest
/// of them becomes the shift, what was summed before is scaled down to it, and they are summed again. NaN and +inf show
/// as NaN or as such a sum.
namespace xgrad::kernels::XGRAD_ISA {

template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();

/// A sum of up to so many terms in T is far from rounding its last ones away.
inline constexpr Size in_row = 16;

/// Whether a sum of such terms is so small that their shift may stay.
template <class T>
auto is_low(Batch<T> terms) {
  return terms <= Batch<T>(T(256));  // a NaN is not
}

/// The largest number, whether there are NaN or not.
template <class T>
struct Largest : Max<T> {
  template <class V>
  static V step(V acc, V x) {
    if constexpr (std::is_arithmetic_v<V>)
      return x > acc ? x : acc;
    else
      return max_of(x, acc);  // acc if one is a NaN
  }
  template <class V>
  static V merge(V a, V b) {
    return step(a, b);
  }
};

/// Whether a lane is one of the first n.
template <class T>
auto first_lanes(Size n) {
  static constexpr T numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return Batch<T>::load_unaligned(numbers) < Batch<T>(T(n));
}

/// The first n lanes of a batch, the others -inf.
template <class T>
Batch<T> load_first(const T* x, Size n) {
  return xsimd::select(first_lanes<T>(n), load_few(x, n), Batch<T>(-infinity<T>));
}

/// sum[k] = f(sum[k], v[k]) for each lane k of v.
template <class T, class F>
void update(double* sum, Batch<T> v, F f) {
  using D = Batch<double>;
  if constexpr (sizeof(T) == 8) {
    f(D::load_unaligned(sum), v).store_unaligned(sum);
  } else {
    const auto halves = widened(v);
    f(D::load_unaligned(sum), halves[0]).store_unaligned(sum);
    f(D::load_unaligned(sum + D::size), halves[1]).store_unaligned(sum + D::size);
  }
}

/// Contiguous elements. For NaN or +inf inputs the sum is 1 and the shift is the result.
template <class T>
struct ExpRun {
  using V = Batch<T>;
  static constexpr Size lanes = Lanes<V>::width, rows = 4, piece = rows * in_row * lanes, few = 256;
  T shift;
  double sum;

  ExpRun(const T* x, Size count) : shift(reduce_run<Largest<T>>(x, count < few ? count : few)) {
    for (Size i = 0, n; i < count; i += n) {
      n = count - i < piece ? count - i : piece;
      if (add(x + i, n)) continue;
      const T largest = reduce_run<Max<T>>(x + i, n);
      if (largest == -infinity<T>) continue;  // as the shift is
      if (!(largest < infinity<T>)) {
        shift = reduce_run<Max<T>>(x, count), sum = 1;
        return;
      }
      const double factor = std::exp(double(shift) - double(largest));
      for (double& s : sums_) s *= factor;
      shift = largest;
      add(x + i, n);
    }
    sum = Held<Sum<double>, lanes>(sums_).merged();
  }

 private:
  double sums_[lanes] = {};

  /// Adds n <= piece terms, unless their sum is high.
  bool add(const T* x, Size n) {
    const V from(shift);
    V terms[rows];
    for (V& v : terms) v = V(T(0));
    Size i = 0;
    for (; i + rows * lanes <= n; i += rows * lanes) {
      prefetch_page_ahead(x + i, rows * lanes);
      for (Size k = 0; k < rows; ++k) terms[k] = plus_exp<T>(terms[k], V::load_unaligned(x + i + k * lanes) - from);
    }
    for (; i + lanes <= n; i += lanes) terms[0] = plus_exp<T>(terms[0], V::load_unaligned(x + i) - from);
    if (i < n) terms[1] = plus_exp<T>(terms[1], load_first(x + i, n - i) - from);
    const V all = (terms[0] + terms[1]) + (terms[2] + terms[3]);
    if (!xsimd::all(is_low<T>(all))) return false;
    update<T>(sums_, all, std::plus<>{});
    return true;
  }
};

/// `width` <= most columns. A shift of -inf stands for no element above it yet.
template <class T>
struct ExpColumns {
  using V = Batch<T>;
  static constexpr Size lanes = Lanes<V>::width, most = 1024;
  T shift[most];
  double sum[most];

  ExpColumns(const T* x, Size count, Size stride, Size width) {
    const Size together = rows_together(count, stride, width, folded, 32), rows = count / together,
               filled = together * width;
    for (Size j = 0; j < (filled + lanes - 1) / lanes * lanes; ++j)
      shift[j] = j < filled ? -infinity<T> : T(0), sum[j] = 0;
    take(x, rows, together * stride, filled);
    if (together > 1) fold(together, width);
    take(x + rows * filled, count - rows * together, stride, width);
  }

  /// For NaN and +inf inputs, as in `ExpRun`.
  void mend(const T* x, Size count, Size stride, Size width) {
    for (Size j = 0; j < width && is_special_; ++j) {
      if (sum[j] == sum[j]) continue;
      T largest = -infinity<T>;
      for (Size r = 0; r < count; ++r) largest = Max<T>::step(largest, x[r * stride + j]);
      shift[j] = largest, sum[j] = 1;
    }
  }

 private:
  static constexpr Size folded = 128;  // narrow columns that are put side by side
  bool is_special_ = false;            // some sums are NaN

  [[gnu::noinline]] void take(const T* x, Size rows, Size stride, Size width) {
    for (Size n; rows > 0; rows -= n, x += n * stride) {
      n = rows < in_row ? rows : in_row;
      Size j = 0;
      for (; j + lanes <= width; j += lanes)
        take_lanes(x + j, n, stride, j, [](const T* p) { return V::load_unaligned(p); });
      if (const Size few = width - j; few > 0)
        take_lanes(x + j, n, stride, j, [few](const T* p) { return load_first(p, few); });
    }
  }

  /// Columns of `width` next to each other become one.
  void fold(Size together, Size width) {
    using D = Batch<double>;
    for (Size j = 0; j < width; ++j) {
      T largest = shift[j];
      for (Size k = 1; k < together; ++k) largest = shift[k * width + j] > largest ? shift[k * width + j] : largest;
      const double from = largest == -infinity<T> ? 0 : double(largest);
      double factor[folded] = {}, all = 0;
      for (Size k = 0; k < together; ++k) factor[k] = double(shift[k * width + j]) - from;
      for (Size k = 0; k < together; k += Size(D::size))
        exponential(D::load_unaligned(factor + k)).store_unaligned(factor + k);
      for (Size k = 0; k < together; ++k) all += sum[k * width + j] * factor[k];
      shift[j] = largest, sum[j] = all;
    }
  }

  template <class Read>
  void take_lanes(const T* x, Size n, Size stride, Size j, Read read) {
    V from = V::load_unaligned(shift + j);
    if (const auto some = from > V(-infinity<T>); !xsimd::all(some)) from = raised(x, n, stride, j, !some, read);
    V terms = summed(x, n, stride, from, read);
    if (const auto low = is_low<T>(terms); !xsimd::all(low)) {
      terms = summed(x, n, stride, raised(x, n, stride, j, !low, read), read);
      is_special_ = is_special_ || xsimd::any(xsimd::isnan(terms));
    }
    update<T>(sum + j, terms, std::plus<>{});
  }

  template <class Read>
  static V summed(const T* x, Size n, Size stride, V from, Read read) {
    // A page ahead, as `prefetch_page_ahead`, or the next rows.
    constexpr Size page = 4096 / Size(sizeof(T));
    const T* next = x + (n * stride > page ? n * stride : page);
    V terms(T(0));
    for (Size k = 0; k < n; ++k) {
      __builtin_prefetch(next + k * stride);
      terms = plus_exp<T>(terms, read(x + k * stride) - from);
    }
    return terms;
  }

  /// Apart, so that it takes no registers from the loops: the shifts, of which those in `lanes_above` are new, but 0
  /// where that is -inf. Special ones have no difference, and their sums stay.
  template <class Mask, class Read>
  [[gnu::noinline]] V raised(const T* x, Size n, Size stride, Size j, Mask lanes_above, Read read) {
    const V from = V::load_unaligned(shift + j);
    V largest = from;
    for (Size k = 0; k < n; ++k) largest = max_of(read(x + k * stride), largest);  // passes over NaN
    largest = xsimd::select(lanes_above, largest, from);
    largest.store_unaligned(shift + j);
    update<T>(sum + j, xsimd::select(largest > from, plus_exp<T>(V(T(0)), from - largest), V(T(1))),
              std::multiplies<>{});
    return xsimd::select(largest == V(-infinity<T>), V(T(0)), largest);
  }
};

}  // namespace xgrad::kernels::XGRAD_ISA
