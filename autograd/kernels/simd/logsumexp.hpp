#pragma once
#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/exponentials.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/turn.hpp>

/// log(sum exp(x)) in one pass over memory. Each lane sums exp(x - shift), where the shift is one of its elements that
/// is at most `slack` below the largest so far; where one is further above, the sum is scaled down to it. For
/// logsumexp*.cpp: f32 stands where the compiler fuses a * b + c, f64 where it does not.
namespace xgrad::kernels::XGRAD_ISA::logsumexp {

/// What powers of two are made with: adding `rounding` to a small number rounds it to a whole one, which the lowest
/// bits of the sum then hold; `powers` is (2^f - 1) / f for |f| <= 1/2, highest power first.
template <class T>
struct Power;
template <>
struct Power<float> {
  using Bits = math::Integers;
  static constexpr int mantissa = 23, bias = 127;
  static constexpr float rounding = 0x1.8p23f, least = -86;
  static constexpr float powers[] = {1.5594700366e-4f,     1.3406643631522e-3f, 9.6176929043941e-3f,
                                     5.55031055235796e-2f, .24022652783373494f, .69314721496732246f};
};
template <>
struct Power<double> {
  using Bits = math::Bits;
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr double rounding = 0x1.8p52, least = -700;
  static constexpr double powers[] = {
      7.1117429414483523e-9, 1.0210505476056479e-7, 1.3215235719812038e-6, 1.5252647753282955e-5, 1.5403530800666101e-4,
      1.3333558246470232e-3, 9.6181291073808156e-3, 5.5504108664346657e-2, .24022650695910472,    .69314718055995161};
};

/// exp(x), x not large, as a term of a sum in which others are about 1 or more: one that is too small to count is not
/// zero, and the relative error may grow with x, as the errors do with which numbers so far apart are known.
template <class T>
Batch<T> term(Batch<T> x) {
  using P = Power<T>;
  using V = Batch<T>;
  const V t = xsimd::max(V(P::least), x) * T(1.4426950408889634);  // x second: a NaN passes
  const V rounded = t + P::rounding, k = rounded - P::rounding, f = t - k;
  V p(P::powers[0]);
  for (std::size_t i = 1; i < std::size(P::powers); ++i) p = p * f + P::powers[i];
  p = p * f + T(1);
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4)
    return _mm512_scalef_ps(p, k);
  else
    return _mm512_scalef_pd(p, k);
#else
  using Bits = typename P::Bits;
  return p * xsimd::bitwise_cast<V>((xsimd::bitwise_cast<Bits>(rounded) + Bits(P::bias)) << P::mantissa);
#endif
}

// Columns that are worked on together, and how many narrow ones are put side by side.
inline constexpr Size tile = 1024, wide = 128;

/// `width` <= tile columns, each a lane. A shift of -inf stands for no element above it yet.
template <class T>
struct Columns {
  using V = Batch<T>;
  static constexpr Size lanes = Lanes<V>::width;
  static constexpr T slack = 8, infinity = std::numeric_limits<T>::infinity();
  T shift[tile];
  double sum[tile];

  explicit Columns(Size width, T first_shift = -infinity) {
    const Size filled = (width + lanes - 1) / lanes * lanes;
    for (Size j = 0; j < filled; ++j) shift[j] = first_shift, sum[j] = 0;
  }

  void take(const T* x, Size rows, Size stride, Size width) {
    constexpr Size most = 16;  // so few are added in T
    for (Size n; rows > 0; rows -= n, x += n * stride) {
      n = rows < most ? rows : most;
      Size j = 0;
      for (; j + lanes <= width; j += lanes)
        take_lanes(x + j, n, stride, j, [](const T* p) { return V::load_unaligned(p); });
      if (const Size few = width - j; few > 0) {
        static constexpr T numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        const auto inside = V::load_unaligned(numbers) < V(T(few));
        take_lanes(x + j, n, stride, j,
                   [=](const T* p) { return xsimd::select(inside, load_few(p, few), V(-infinity)); });
      }
    }
  }

  /// Columns of `width` next to each other become one.
  void fold(Size together, Size width) {
    for (Size j = 0; j < width; ++j) {
      T largest = shift[j];
      for (Size k = 1; k < together; ++k) largest = shift[k * width + j] > largest ? shift[k * width + j] : largest;
      const double from = largest == -infinity ? 0 : double(largest);
      double factor[wide], all = 0;
      for (Size k = 0; k < together; ++k) factor[k] = double(shift[k * width + j]) - from;
      exponentials(factor, 0., factor, together);
      for (Size k = 0; k < together; ++k) all += sum[k * width + j] * factor[k];
      shift[j] = largest, sum[j] = all;
    }
  }

 private:
  template <class Read>
  void take_lanes(const T* x, Size n, Size stride, Size j, Read read) {
    V from = V::load_unaligned(shift + j), largest = read(x), other = largest;
    Size k = 1;
    for (; k + 2 <= n; k += 2) {
      largest = xsimd::max(read(x + k * stride), largest);  // passes over NaN
      other = xsimd::max(read(x + (k + 1) * stride), other);
    }
    if (k < n) largest = xsimd::max(read(x + k * stride), largest);
    largest = xsimd::max(other, largest);
    const auto above = largest > from + slack;
    if (xsimd::any(above)) from = raised(j, from, largest, above);
    from = xsimd::select(from == V(-infinity), V(T(0)), from);
    // A page ahead, as `prefetch_page_ahead`, or the next rows.
    constexpr Size page = 4096 / Size(sizeof(T));
    const T* next = x + (n * stride > page ? n * stride : page);
    V terms(T(0));
    for (k = 0; k < n; ++k) {
      __builtin_prefetch(next + k * stride);
      terms = terms + term<T>(read(x + k * stride) - from);
    }
    alignas(64) T more[lanes];
    terms.store_aligned(more);
    for (Size i = 0; i < lanes; i += Lanes<Batch<double>>::width)
      store(load<Batch<double>>(sum + j + i) + load<Batch<double>>(more + i), sum + j + i);
  }

  /// The new shifts. As they lie so much higher, it does not matter how well what was summed before is scaled.
  template <class Mask>
  V raised(Size j, V from, V largest, Mask above) {
    const V next = xsimd::select(above, largest, from);
    alignas(64) T factor[lanes];
    xsimd::select(above, term<T>(xsimd::min(V(T(0)), from - largest)), V(T(1))).store_aligned(factor);
    for (Size i = 0; i < lanes; ++i) sum[j + i] *= double(factor[i]);
    next.store_unaligned(shift + j);
    return next;
  }
};

/// The result of columns with NaN or +inf, of which nothing is left in their sums.
template <class T>
double of_special(const T* x, Size count, Size stride) {
  T largest = Max<T>::identity;
  for (Size r = 0; r < count; ++r) largest = Max<T>::step(largest, x[r * stride]);
  return double(largest);
}

template <class T>
void finish(const Columns<T>& all, const T* x, double* y, Size count, Size stride, Size width) {
  logarithms(all.sum, y, width);
  for (Size j = 0; j < width; ++j) {
    if (all.sum[j] != all.sum[j])
      y[j] = of_special(x + j, count, stride);
    else
      y[j] = all.shift[j] == -Columns<T>::infinity ? double(-Columns<T>::infinity) : y[j] + double(all.shift[j]);
  }
}

template <class T>
void columns(const T* x, double* y, Size count, Size stride, Size width) {
  const Size together = rows_together(count, stride, width, wide, 32), rows = count / together,
             filled = together * width;
  Columns<T> all(filled);
  all.take(x, rows, together * stride, filled);
  if (together > 1) all.fold(together, width);
  all.take(x + rows * filled, count - rows * together, stride, width);
  finish(all, x, y, count, stride, width);
}

/// A run is as many columns as fill the lanes of any instruction set, which gives all of them the same sums.
template <class T>
double run(const T* x, Size count) {
  constexpr Size together = 16, few = 256;
  const Size rows = count / together, rest = count % together;
  // A shift that will do for most runs to their end, so that the lanes' sums need only be added.
  const T first = reduce_run<Max<T>>(x, count < few ? count : few);
  Columns<T> all(together, std::fabs(first) < Columns<T>::infinity ? first : -Columns<T>::infinity);
  all.take(x, rows, together, together);
  all.take(x + count - rest, rest > 0, together, rest);
  if (reduce_run<Max<T>>(all.shift, together) == first)
    all.sum[0] = reduce_run<Sum<double>>(all.sum, together);
  else
    all.fold(together, 1);
  double y;
  finish(all, x, &y, count, 1, 1);
  return y;
}

template <class T>
void block(const void* from, void* to, Size count, Size stride, Size width, bool in_double) {
  const T* x = static_cast<const T*>(from);
  const auto put = [&](double y, Size i) {
    if (in_double) {
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
void reduce(const void* from, void* to, Size outer, Size count, Size inner) {
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
  t.reduce[int(Reduce::logsumexp)][int(d)] = reduce<T>;
  t.reduce_block[int(Reduce::logsumexp)][int(d)] = block<T>;
}

}  // namespace xgrad::kernels::XGRAD_ISA::logsumexp
