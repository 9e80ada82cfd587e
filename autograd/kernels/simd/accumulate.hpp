#pragma once
#include <autograd/kernels/loop.hpp>
#include <autograd/kernels/simd/wrapping.hpp>
#include <cmath>
#include <limits>

/// Reductions of runs and of columns, shared by reduce.cpp and softmax.cpp.
///
/// Everything is one loop, `accumulate_rows`: a row of running results takes in the rows of a matrix, element by
/// element, which the compiler turns into SIMD without reordering anything. A contiguous run is read as such a matrix
/// with 128 columns. The lanes are fixed, so every instruction set adds in the same order.
///
/// An operation has a type `Acc` of its running results, `identity`, `step(acc, element)`, `merge(acc, acc)` and
/// `finish(acc, x, count, stride)`, whose last arguments are the elements once more.
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

template <class T>
struct Sum {
  using Acc = typename AccumulatorOf<T>::type;
  static constexpr Acc identity = Acc(0);
  static Acc step(Acc acc, T x) { return acc + Acc(x); }
  static Acc merge(Acc a, Acc b) { return a + b; }
  static T finish(Acc acc, const T*, Size, Size) { return T(acc); }
};

template <class T>
struct Prod {
  using Acc = typename AccumulatorOf<T>::type;
  static constexpr Acc identity = Acc(1);
  static Acc step(Acc acc, T x) { return acc * Acc(x); }
  static Acc merge(Acc a, Acc b) { return a * b; }
  static T finish(Acc acc, const T*, Size, Size) { return T(acc); }
};

// No number replaces a NaN that is held, because it does not compare; a NaN that arrives is always taken.
template <class T>
struct Max {
  using Acc = T;
  static constexpr T identity =
      std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  static T step(T acc, T x) {
    const T larger = x > acc ? x : acc;
    return x != x ? x : larger;
  }
  static T merge(T a, T b) { return step(a, b); }
  static T finish(T acc, const T*, Size, Size) { return acc; }
};

template <class T>
struct Min {
  using Acc = T;
  static constexpr T identity =
      std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  static T step(T acc, T x) {
    const T smaller = x < acc ? x : acc;
    return x != x ? x : smaller;
  }
  static T merge(T a, T b) { return step(a, b); }
  static T finish(T acc, const T*, Size, Size) { return acc; }
};

/// The square root of a sum of squares. Squares of f32 can neither over- nor underflow in f64; those of f64 can, and
/// such a slice is read again, scaled by its largest magnitude.
template <class T>
struct Norm2 {
  using Acc = double;
  static constexpr double identity = 0;
  static double step(double acc, T x) { return acc + double(x) * double(x); }
  static double merge(double a, double b) { return a + b; }
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
    for (Size r = 0; r < count; ++r) sum = step(sum, x[r * stride] / largest);
    return T(double(largest) * std::sqrt(sum));
  }
};

/// acc[j] takes in x[r * stride + j] for each r < rows, in this order.
template <class Op, class T>
inline void accumulate_rows(typename Op::Acc* acc, const T* x, Size rows, Size stride, Size width) {
  Size r = 0;
  for (; r + 4 <= rows; r += 4, x += 4 * stride) {
    const T *x1 = x + stride, *x2 = x1 + stride, *x3 = x2 + stride;
    for (Size j = 0; j < width; ++j) acc[j] = Op::step(Op::step(Op::step(Op::step(acc[j], x[j]), x1[j]), x2[j]), x3[j]);
  }
  for (; r < rows; ++r, x += stride)
    for (Size j = 0; j < width; ++j) acc[j] = Op::step(acc[j], x[j]);
}

/// The reduction of the n contiguous elements at x, before `finish`.
template <class Op, class T>
inline typename Op::Acc reduce_run(const T* x, Size n) {
  using Acc = typename Op::Acc;
  constexpr Size wide = 128, narrow = 16;
  Acc result = Op::identity;
  if (n >= narrow) {
    Acc acc[wide];
    const Size lanes = n >= 4 * wide ? wide : narrow;
    for (Size j = 0; j < lanes; ++j) acc[j] = Op::identity;
    if (lanes == wide) {
      accumulate_rows<Op>(acc, x, n / wide, wide, wide);
      x += n / wide * wide;
      n %= wide;
      for (Size half = wide / 2; half >= narrow; half /= 2)
        for (Size j = 0; j < half; ++j) acc[j] = Op::merge(acc[j], acc[half + j]);
    }
    accumulate_rows<Op>(acc, x, n / narrow, narrow, narrow);
    x += n / narrow * narrow;
    n %= narrow;
    for (Size half = narrow / 2; half > 0; half /= 2)
      for (Size j = 0; j < half; ++j) acc[j] = Op::merge(acc[j], acc[half + j]);
    result = acc[0];
  }
  for (Size i = 0; i < n; ++i) result = Op::step(result, x[i]);
  return result;
}

inline constexpr Size column_tile = 512;

/// acc[j] = the reduction of column j of the (count, width) elements at x, whose rows are `stride` apart;
/// width <= column_tile, the size of acc. Narrow contiguous rows are taken several at a time.
template <class Op, class T>
inline void reduce_columns(typename Op::Acc* acc, const T* x, Size count, Size stride, Size width) {
  const Size together = width == stride && width <= column_tile / 8 ? column_tile / width : 1;
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
