#pragma once
#include <autograd/kernels/loop.hpp>
#include <autograd/kernels/simd/lanes.hpp>
#include <autograd/kernels/simd/wrapping.hpp>
#include <cmath>
#include <limits>
#include <type_traits>

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

template <class V>
auto is_nan(V x) {
  if constexpr (std::is_arithmetic_v<V>)
    return x != x;
  else
    return xsimd::isnan(x);
}
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

// No number replaces a NaN that is held, because it does not compare; a NaN that arrives is always taken.
template <class T>
struct Max {
  using Acc = T;
  static constexpr T identity =
      std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  template <class V>
  static V step(V acc, V x) {
    return choose((x > acc) | is_nan(x), x, acc);
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
    return choose((x < acc) | is_nan(x), x, acc);
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
  if constexpr (Lanes<V>::width == 1) {
    return V(*x);
  } else if constexpr (std::is_same_v<T, typename Lanes<V>::Element>) {
    return V::load_unaligned(x);
  } else {
    T narrow __attribute__((vector_size(sizeof(T) * Lanes<V>::width)));
    std::memcpy(&narrow, x, sizeof narrow);
    return V(__builtin_convertvector(narrow, typename V::register_type));
  }
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

/// The same, by the order of reading that is quickest. Rows of up to a page are read one after the other, as one
/// stream, which is what the processor fetches ahead; longer ones several at a time, which spares acc.
template <class Op, class T>
void accumulate_rows(typename Op::Acc* acc, const T* x, Size rows, Size stride, Size width) {
  constexpr Size together = 8, page = 4096 / Size(sizeof(T));
  const Size grouped = stride > page ? rows / together * together : 0;
  take_rows<together, Op>(acc, x, grouped, stride, width);
  take_rows<1, Op>(acc, x + grouped * stride, rows - grouped, stride, width);
}

/// `lanes` running results for the elements of a run.
template <class Op, Size lanes>
struct Held {
  using Acc = typename Op::Acc;
  using V = Running<Acc>;
  static constexpr Size batches = lanes / Lanes<V>::width;
  V v[batches];

  Held() {
    for (Size k = 0; k < batches; ++k) v[k] = V(Op::identity);
  }
  template <class T>
  void step(const T* x) {
    for (Size k = 0; k < batches; ++k) v[k] = Op::step(v[k], load<V>(x + k * Lanes<V>::width));
  }
  /// Merged in halves.
  void fold(Held<Op, lanes / 2>& half) const {
    for (Size k = 0; k < batches / 2; ++k) half.v[k] = Op::merge(v[k], v[k + batches / 2]);
  }
  Acc folded() const {
    if constexpr (batches > 1) {
      Held<Op, lanes / 2> half;
      fold(half);
      return half.folded();
    } else {
      Acc all[lanes];
      store(v[0], all);
      for (Size half = lanes / 2; half > 0; half /= 2)
        for (Size j = 0; j < half; ++j) all[j] = Op::merge(all[j], all[half + j]);
      return all[0];
    }
  }
};

/// The reduction of the n contiguous elements at x, before `finish`.
template <class Op, class T>
typename Op::Acc reduce_run(const T* x, Size n) {
  using Acc = typename Op::Acc;
  constexpr Size narrow = 16, wide = 4 * narrow;
  Acc result = Op::identity;
  if (n >= narrow) {
    Held<Op, narrow> held;
    if (n >= wide) {
      Held<Op, wide> all;
      for (; n >= wide; n -= wide, x += wide) all.step(x);
      Held<Op, wide / 2> half;
      all.fold(half);
      half.fold(held);
    }
    for (; n >= narrow; n -= narrow, x += narrow) held.step(x);
    result = held.folded();
  }
  for (Size i = 0; i < n; ++i) result = Op::step(result, Acc(x[i]));
  return result;
}

inline constexpr Size column_tile = 4096;

/// acc[j] = the reduction of column j of the (count, width) elements at x, whose rows are `stride` apart;
/// width <= column_tile, the size of acc. Narrow contiguous rows are taken several at a time.
template <class Op, class T>
void reduce_columns(typename Op::Acc* acc, const T* x, Size count, Size stride, Size width) {
  constexpr Size wide = 512, enough = 4;  // columns taken together, and rows of them that repay it
  Size together = width == stride && width <= wide / 4 ? wide / width : 1;
  if (together > count / enough) together = count / enough;
  const Size rows = together > 1 ? count / together : 0;
  const Size filled = rows > 0 ? together * width : width;
  for (Size j = 0; j < filled; ++j) acc[j] = Op::identity;
  if (rows > 0) {
    accumulate_rows<Op>(acc, x, rows, filled, filled);
    for (Size k = 1; k < together; ++k)
      for (Size j = 0; j < width; ++j) acc[j] = Op::merge(acc[j], acc[k * width + j]);
    x += rows * filled;
  }
  accumulate_rows<Op>(acc, x, count - rows * together, stride, width);
}

}  // namespace xgrad::kernels::XGRAD_ISA
