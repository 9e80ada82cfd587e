#pragma once
#include <autograd/kernels/loop.hpp>
#include <autograd/kernels/simd/lanes.hpp>
#include <autograd/kernels/simd/wrapping.hpp>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

/// Reductions of runs and of columns, shared by reduce.cpp and softmax.cpp.
///
/// An operation on T has a type `Acc` of its running results, `identity`, `step(acc, element)` and `merge(acc, acc)`,
/// both for single values and for batches, and `finish(acc, x, count, stride)`, whose last arguments are the elements
/// once more. The number of running results does not depend on the batches' size, and they are merged in halves, so
/// every instruction set adds in the same order.
namespace xgrad::kernels::XGRAD_ISA {

/// The type in which T is summed and multiplied: f64 for f32.
template <class T>
struct AccumulatorOf {
  using type = typename WrappingOf<T>::type;
};
template <>
struct AccumulatorOf<float> {
  using type = double;
};

template <class Mask, class V>
V choose(Mask mask, V a, V b) {
  if constexpr (std::is_arithmetic_v<V>)
    return mask ? a : b;
  else
    return xsimd::select(mask, a, b);
}

template <class T>
struct Sum {
  using Acc = typename AccumulatorOf<T>::type;
  static constexpr Acc identity = Acc(0);
  template <class V>
  static V step(V acc, V x) {
    return acc + x;
  }
  template <class V>
  static V merge(V a, V b) {
    return a + b;
  }
  static T finish(Acc acc, const T*, Size, Size) { return T(acc); }
};

template <class T>
struct Prod {
  using Acc = typename AccumulatorOf<T>::type;
  static constexpr Acc identity = Acc(1);
  template <class V>
  static V step(V acc, V x) {
    return acc * x;
  }
  template <class V>
  static V merge(V a, V b) {
    return a * b;
  }
  static T finish(Acc acc, const T*, Size, Size) { return T(acc); }
};

// No number replaces a NaN that is held, because it does not compare and max_of and min_of then give their second
// operand; a NaN that arrives is always taken.
template <class T>
struct Max {
  using Acc = T;
  static constexpr T identity =
      std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  template <class V>
  static V step(V acc, V x) {
    if constexpr (std::is_arithmetic_v<V>)
      return x > acc || x != x ? x : acc;
    else
      return xsimd::select(xsimd::isnan(x), x, max_of(x, acc));
  }
  template <class V>
  static V merge(V a, V b) {
    return step(a, b);
  }
  static T finish(Acc acc, const T*, Size, Size) { return acc; }
};

template <class T>
struct Min {
  using Acc = T;
  static constexpr T identity =
      std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  template <class V>
  static V step(V acc, V x) {
    if constexpr (std::is_arithmetic_v<V>)
      return x < acc || x != x ? x : acc;
    else
      return xsimd::select(xsimd::isnan(x), x, min_of(x, acc));
  }
  template <class V>
  static V merge(V a, V b) {
    return step(a, b);
  }
  static T finish(Acc acc, const T*, Size, Size) { return acc; }
};

/// The square root of a sum of squares. Squares of f32 can neither over- nor underflow in f64; those of f64 can, and
/// such a slice is read again, scaled by its largest magnitude.
template <class T>
struct Norm2 {
  using Acc = double;
  static constexpr double identity = 0;
  template <class V>
  static V step(V acc, V x) {
    return acc + x * x;
  }
  template <class V>
  static V merge(V a, V b) {
    return a + b;
  }
  static T finish(double acc, const T* x, Size count, Size stride) {
    // Below 1e-280 squares that were lost could matter; a NaN fails both comparisons and goes straight out.
    if (sizeof(T) == 8 && (acc < 1e-280 || acc > std::numeric_limits<double>::max())) return scaled(x, count, stride);
    return T(std::sqrt(acc));
  }
  static T scaled(const T* x, Size count, Size stride) {
    T largest = 0;
    for (Size r = 0; r < count; ++r) largest = Max<T>::step(largest, std::fabs(x[r * stride]));
    if (largest == 0 || largest > std::numeric_limits<T>::max()) return largest;
    double sum = 0;
    for (Size r = 0; r < count; ++r) sum = step(sum, double(x[r * stride] / largest));
    return T(double(largest) * std::sqrt(sum));
  }
};

/// What holds running results: a batch of floating numbers, or a single integer.
template <class Acc>
using Running = std::conditional_t<std::is_floating_point_v<Acc>, Batch<Acc>, Acc>;

/// The next elements at x, converted.
template <class V, class T>
V load(const T* x) {
  if constexpr (Lanes<V>::width == 1)
    return V(*x);
  else if constexpr (std::is_same_v<T, typename Lanes<V>::Element>)
    return V::load_unaligned(x);
  else
    return widened(x);
}
template <class V>
void store(V v, typename Lanes<V>::Element* to) {
  if constexpr (Lanes<V>::width == 1)
    *to = v;
  else
    v.store_unaligned(to);
}

/// acc[j] takes in x[r * stride + j] for each r < rows, in this order; `together` rows in one pass over acc.
template <int together, class Op, class T>
void take_rows(typename Op::Acc* acc, const T* x, Size rows, Size stride, Size width) {
  using V = Running<typename Op::Acc>;
  for (Size r = 0; r < rows; r += together, x += together * stride) {
    Size j = 0;
    for (; j + Lanes<V>::width <= width; j += Lanes<V>::width) {
      V result = load<V>(acc + j);
      for (int k = 0; k < together; ++k) result = Op::step(result, load<V>(x + k * stride + j));
      store(result, acc + j);
    }
    for (; j < width; ++j)
      for (int k = 0; k < together; ++k) acc[j] = Op::step(acc[j], typename Op::Acc(x[k * stride + j]));
  }
}

/// The same, by the order of reading that is quickest. Several rows at a time spare acc: short ones, which are one
/// stream together, and such as are longer than a page. Others are read one after the other, as one stream, which is
/// what the processor fetches ahead.
template <class Op, class T>
void accumulate_rows(typename Op::Acc* acc, const T* x, Size rows, Size stride, Size width) {
  constexpr Size together = 8, page = 4096 / Size(sizeof(T));
  const Size grouped = stride > page || 2 * stride <= page ? rows / together * together : 0;
  take_rows<together, Op>(acc, x, grouped, stride, width);
  take_rows<1, Op>(acc, x + grouped * stride, rows - grouped, stride, width);
}

/// v's lanes, those of the upper half of `among` first; only so many count.
template <Size among, class V, Size... k>
V upper_half(V v, std::integer_sequence<Size, k...>) {
  return V(__builtin_shufflevector(v.data, v.data, (k < among / 2 ? k + among / 2 : k)...));
}
/// The first `lanes` lanes of v merged in halves.
template <class Op, Size lanes, class V>
auto merge_lanes(V v) {
  if constexpr (Lanes<V>::width == 1) {
    return v;
  } else if constexpr (lanes == 1) {
    return v.data[0];
  } else {
    constexpr std::make_integer_sequence<Size, Lanes<V>::width> all{};
    return merge_lanes<Op, lanes / 2>(Op::merge(v, upper_half<lanes>(v, all)));
  }
}

/// `lanes` running results for the elements of a run.
template <class Op, Size lanes>
struct Held {
  using Acc = typename Op::Acc;
  using V = Running<Acc>;
  static constexpr Size width = Lanes<V>::width, batches = lanes / width;
  V v[batches];

  Held() = default;
  template <class T>
  explicit Held(const T* x) {
    for (Size k = 0; k < batches; ++k) v[k] = Op::step(V(Op::identity), load<V>(x + k * width));
  }
  template <class T>
  void step(const T* x) {
    for (Size k = 0; k < batches; ++k) v[k] = Op::step(v[k], load<V>(x + k * width));
  }
  /// Takes in lanes j >= first only, but reads all.
  template <class T>
  void step(const T* x, Size first) {
    static constexpr Acc numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static_assert(lanes <= 16);
    for (Size k = 0; k < batches; ++k) {
      const auto inside = load<V>(numbers + k * width) >= V(Acc(first));
      v[k] = Op::step(v[k], choose(inside, load<V>(x + k * width), V(Op::identity)));
    }
  }
  Held<Op, lanes / 2> fold() const {
    Held<Op, lanes / 2> half;
    for (Size k = 0; k < batches / 2; ++k) half.v[k] = Op::merge(v[k], v[k + batches / 2]);
    return half;
  }
  Acc merged() const {
    if constexpr (batches > 1)
      return fold().merged();
    else
      return merge_lanes<Op, lanes>(v[0]);
  }
};

/// The reduction of the n contiguous elements at x, before `finish`.
template <class Op, class T>
typename Op::Acc reduce_run(const T* x, Size n) {
  using Acc = typename Op::Acc;
  constexpr Size narrow = 16, wide = 4 * narrow;
  if (n < narrow) {
    Acc result = Op::identity;
    for (Size i = 0; i < n; ++i) result = Op::step(result, Acc(x[i]));
    return result;
  }
  const T* const end = x + n;
  Held<Op, narrow> held;
  if (n >= wide) {
    Held<Op, wide> all(x);
    for (x += wide; end - x >= wide; x += wide) {
      prefetch_page_ahead(x, wide);
      all.step(x);
    }
    held = all.fold().fold();
  } else {
    held = Held<Op, narrow>(x);
    x += narrow;
  }
  for (; end - x >= narrow; x += narrow) held.step(x);
  if (x < end) held.step(end - narrow, narrow - (end - x));
  return held.merged();
}

inline constexpr Size column_tile = 4096;

/// Narrow contiguous rows are taken several at a time, as one: so many of `count`, where up to `wide` columns are taken
/// together and `enough` rows of them repay it.
inline Size rows_together(Size count, Size stride, Size width, Size wide, Size enough) {
  if (width == 0 || width != stride || width > wide / 4 || count < 2 * enough) return 1;
  return wide / width < count / enough ? wide / width : count / enough;
}

/// acc[j] = the reduction of column j of the (count, width) elements at x, whose rows are `stride` apart;
/// width <= column_tile, the size of acc.
template <class Op, class T>
void reduce_columns(typename Op::Acc* acc, const T* x, Size count, Size stride, Size width) {
  const Size together = rows_together(count, stride, width, 512, 4), rows = count / together, filled = together * width;
  for (Size j = 0; j < filled; ++j) acc[j] = Op::identity;
  accumulate_rows<Op>(acc, x, rows, together * stride, filled);
  for (Size k = 1; k < together; ++k)
    for (Size j = 0; j < width; ++j) acc[j] = Op::merge(acc[j], acc[k * width + j]);
  accumulate_rows<Op>(acc, x + rows * filled, count - rows * together, stride, width);
}

}  // namespace xgrad::kernels::XGRAD_ISA
