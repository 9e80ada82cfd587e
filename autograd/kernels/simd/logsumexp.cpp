#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/exponentials.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/plus_exp.hpp>
#include <autograd/kernels/simd/subnormals.hpp>
#include <autograd/kernels/simd/turn.hpp>
#include <functional>

/// log(sum exp(x)) in one pass over memory. What is summed is exp(x - shift), where the shift is an element, at first
/// the largest of the first few. Where a sum of the next ones is so large that some lie far above it, the largest of
/// them becomes the shift, what was summed before is scaled down to it, and they are summed again. NaN and +inf show as
/// NaN or as such a sum.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();

/// A sum of up to so many terms in T, which is far from rounding its last ones away.
inline constexpr Size in_row = 16;
/// What such a sum is at most, unless the shift is to be raised.
inline constexpr double high = 256;

template <class T>
auto is_low(Batch<T> terms) {
  return terms <= Batch<T>(T(high));  // a NaN is not
}

/// The largest number, whether there are NaN or not.
template <class T>
struct Largest : Max<T> {
  template <class V>
  static V step(V acc, V x) {
    if constexpr (std::is_arithmetic_v<V>)
      return x > acc ? x : acc;
    else
      return xsimd::max(x, acc);  // acc if one is a NaN
  }
  template <class V>
  static V merge(V a, V b) {
    return step(a, b);
  }
};

/// The first n lanes of a batch, the others -inf.
template <class T>
Batch<T> load_first(const T* x, Size n) {
  static constexpr T numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return xsimd::select(Batch<T>::load_unaligned(numbers) < Batch<T>(T(n)), load_few(x, n), Batch<T>(-infinity<T>));
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

/// Contiguous elements. Nothing is left in the sum of what is special: it is 1, and the shift is the result.
template <class T>
struct Run {
  using V = Batch<T>;
  static constexpr Size lanes = Lanes<V>::width, rows = 4, piece = rows * in_row * lanes, few = 256;
  T shift;
  double sum;

  Run(const T* x, Size count) : shift(reduce_run<Largest<T>>(x, count < few ? count : few)) {
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

// Columns that are worked on together, and how many narrow ones are put side by side.
constexpr Size tile = 1024, wide = 128;

/// `width` <= tile columns, each a lane. A shift of -inf stands for no element above it yet.
template <class T>
struct Columns {
  using V = Batch<T>;
  static constexpr Size lanes = Lanes<V>::width;
  T shift[tile];
  double sum[tile];

  explicit Columns(Size width) {
    for (Size j = 0; j < (width + lanes - 1) / lanes * lanes; ++j)
      shift[j] = j < width ? -infinity<T> : T(0), sum[j] = 0;
  }

  void take(const T* x, Size rows, Size stride, Size width) {
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
    for (Size j = 0; j < width; ++j) {
      T largest = shift[j];
      for (Size k = 1; k < together; ++k) largest = shift[k * width + j] > largest ? shift[k * width + j] : largest;
      const double from = largest == -infinity<T> ? 0 : double(largest);
      double factor[wide], all = 0;
      for (Size k = 0; k < together; ++k) factor[k] = double(shift[k * width + j]) - from;
      exponentials(factor, 0., factor, together);
      for (Size k = 0; k < together; ++k) all += sum[k * width + j] * factor[k];
      shift[j] = largest, sum[j] = all;
    }
  }

  /// For NaN and +inf, of which nothing is left in the sums: as in `Run`.
  void mend(const T* x, Size count, Size stride, Size width) {
    for (Size j = 0; j < width && is_special_; ++j) {
      if (sum[j] == sum[j]) continue;
      T largest = -infinity<T>;
      for (Size r = 0; r < count; ++r) largest = Max<T>::step(largest, x[r * stride + j]);
      shift[j] = largest, sum[j] = 1;
    }
  }

 private:
  bool is_special_ = false;  // some sums are NaN

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

  /// The shifts, of which those in `lanes_above` are new, but 0 where that is -inf. Special ones have no difference,
  /// and their sums stay.
  template <class Mask, class Read>
  V raised(const T* x, Size n, Size stride, Size j, Mask lanes_above, Read read) {
    const V from = V::load_unaligned(shift + j);
    V largest = from;
    for (Size k = 0; k < n; ++k) largest = xsimd::max(read(x + k * stride), largest);  // passes over NaN
    largest = xsimd::select(lanes_above, largest, from);
    largest.store_unaligned(shift + j);
    update<T>(sum + j, xsimd::select(largest > from, plus_exp<T>(V(T(0)), from - largest), V(T(1))),
              std::multiplies<>{});
    return xsimd::select(largest == V(-infinity<T>), V(T(0)), largest);
  }
};

template <class T, class Out>
void put_logarithms(double* sum, const T* shift, Out* y, Size n) {
  logarithms(sum, sum, n);
  for (Size j = 0; j < n; ++j) y[j] = Out(sum[j] + double(shift[j]));
}

template <class T, class Out>
void columns(const T* x, Out* y, Size count, Size stride, Size width) {
  const Size together = rows_together(count, stride, width, wide, 32), rows = count / together,
             filled = together * width;
  Columns<T> all(filled);
  {
    const SubnormalsAreZero scope;
    all.take(x, rows, together * stride, filled);
    if (together > 1) all.fold(together, width);
    all.take(x + rows * filled, count - rows * together, stride, width);
  }
  all.mend(x, count, stride, width);
  put_logarithms(all.sum, all.shift, y, width);
}

template <class T, class Out>
void rows(const T* x, Out* y, Size outer, Size count) {
  constexpr Size most = 128;  // logarithms together
  T shift[most];
  double sum[most];
  for (Size o = 0, n; o < outer; o += n) {
    n = outer - o < most ? outer - o : most;
    {
      const SubnormalsAreZero scope;
      for (Size k = 0; k < n; ++k) {
        const Run<T> run(x + (o + k) * count, count);
        sum[k] = run.sum, shift[k] = run.shift;
      }
    }
    put_logarithms(sum, shift, y + o, n);
  }
}

template <class T, class Out>
void any_block(const T* x, Out* y, Size count, Size stride, Size width) {
  if (width == 1 && stride == 1) return rows(x, y, 1, count);
  for (Size i = 0; i < width; i += tile) columns(x + i, y + i, count, stride, width - i < tile ? width - i : tile);
}

template <class T>
void block(const void* from, void* to, Size count, Size stride, Size width, bool in_double) {
  const T* x = static_cast<const T*>(from);
  if (in_double)
    any_block(x, static_cast<double*>(to), count, stride, width);
  else
    any_block(x, static_cast<T*>(to), count, stride, width);
}

template <class T>
void reduce(const void* from, void* to, Size outer, Size count, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  if (is_short(outer, count, inner))
    return for_each_group(x, outer, count, inner, tile, [&](const T* group, Size first, Size n) {
      columns(group, y + first * inner, count, n * inner, n * inner);
    });
  if (inner == 1) return rows(x, y, outer, count);
  for (Size o = 0; o < outer; ++o) any_block(x + o * count * inner, y + o * inner, count, inner, inner);
}

template <class T>
void fill(Table& t, Dtype d) {
  t.reduce[int(Reduce::logsumexp)][int(d)] = reduce<T>;
  t.reduce_block[int(Reduce::logsumexp)][int(d)] = block<T>;
}

}  // namespace

void fill_logsumexp(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
