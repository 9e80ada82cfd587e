#include <autograd/kernels/simd/exponential_sums.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/outlet.hpp>
#include <autograd/kernels/simd/turn.hpp>

/// Softmax of a slice: its maximum, the exponentials of what lies below it and their sum, a scaling; each a pass over
/// memory that the one before has left in the cache, but for very long slices. Its logarithm needs the sum only. A
/// slice with a NaN or +inf, or of -inf only, has a NaN or inf - inf among its exponents, and so a NaN sum.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// e[i] = exp(x[i] - shift), i < n. Returns the sum.
template <class T>
double exponentials(const T* x, T shift, T* e, Size n) {
  using V = Batch<T>;
  constexpr Size lanes = Lanes<V>::width, rows = 2, piece = rows * in_row * lanes;
  const V from(shift);
  double sums[lanes] = {};
  for (const T* const end = x + n; x < end; x += piece, e += piece) {
    n = end - x < piece ? end - x : piece;
    V terms[rows] = {V(T(0)), V(T(0))};
    const auto next = [&](Size i, V v, V& sum) {
      sum = sum + v;
      v.store_unaligned(e + i);
    };
    Size i = 0;
    for (; i + rows * lanes <= n; i += rows * lanes)
      for (Size k = 0; k < rows; ++k)
        next(i + k * lanes, exponential(V::load_unaligned(x + i + k * lanes) - from), terms[k]);
    if (i + lanes <= n) next(i, exponential(V::load_unaligned(x + i) - from), terms[0]), i += lanes;
    if (i < n) {
      const V last = exponential(load_few(x + i, n - i) - from);
      terms[1] = terms[1] + xsimd::select(first_lanes<T>(n - i), last, V(T(0)));
      store_few(e + i, last, n - i);
    }
    update<T>(sums, terms[0] + terms[1], std::plus<>{});
  }
  return Held<Sum<double>, lanes>(sums).merged();
}

/// Contiguous slices. `put(n, write)` has the next n results written by write(to, i, m), elements [i, i + m) at a time.
template <class T, class Put>
void log_softmax_run(const T* x, Size count, Put put) {
  const ExpRun<T> all(x, count);
  const T shift = all.shift, last = shift < infinity<T> ? T(std::log(all.sum)) : std::numeric_limits<T>::quiet_NaN();
  put(count, [=](T* to, Size i, Size m) {
    for (Size k = 0; k < m; ++k) to[k] = x[i + k] - shift - last;
  });
}

/// `e` holds the exponentials, and may be where the results go.
template <class T, class Put>
void softmax_run(const T* x, T* e, Size count, Put put) {
  const T last = T(1 / exponentials(x, reduce_run<Largest<T>>(x, count), e, count));
  put(count, [=](T* to, Size i, Size m) {
    for (Size k = 0; k < m; ++k) to[k] = e[i + k] * last;
  });
}

/// Results are streamed (kernels/stream.hpp) if so asked and if there is a place for the exponentials of a slice.
template <class T, bool logarithm>
void softmax_rows(const T* x, T* y, Size outer, Size count) {
  constexpr Size most = 4096;
  if (streaming && (logarithm || count <= most)) {
    T e[most];
    Outlet outlet(y);
    const auto put = [&](Size n, auto write) {
      outlet.put(n, sizeof(T), [&](void* to, Size i, Size m) { write(static_cast<T*>(to), i, m); });
    };
    for (Size o = 0; o < outer; ++o, x += count)
      if constexpr (logarithm)
        log_softmax_run(x, count, put);
      else
        softmax_run(x, e, count, put);
    return;
  }
  for (Size o = 0; o < outer; ++o, x += count, y += count) {
    const auto put = [&](Size n, auto write) { write(y, 0, n); };
    if constexpr (logarithm)
      log_softmax_run(x, count, put);
    else
      softmax_run(x, y, count, put);
  }
}

constexpr Size tile = 512;

/// Slices that lie across the rows of a (count, inner) matrix, one tile of columns at a time. y's rows are as far apart
/// as x's.
template <class T>
void log_softmax_columns(const T* x, T* y, Size count, Size inner, Size width) {
  ExpColumns<T> all(x, count, inner, width);
  T last[tile];
  logarithms(all.sum, all.sum, width);
  for (Size j = 0; j < width; ++j) last[j] = T(all.sum[j]);
  for (Size r = 0; r < count; ++r, x += inner, y += inner)
    for (Size j = 0; j < width; ++j) y[j] = x[j] - all.shift[j] - last[j];
}

template <class T>
void softmax_columns(const T* x, T* y, Size count, Size inner, Size width) {
  using V = Batch<T>;
  constexpr Size lanes = Lanes<V>::width;
  T largest[tile], last[tile];
  double sums[tile] = {};
  reduce_columns<Largest<T>>(largest, x, count, inner, width);
  for (Size r = 0; r < count; ++r) {
    const T* in = x + r * inner;
    T* e = y + r * inner;
    Size j = 0;
    for (; j + lanes <= width; j += lanes) {
      const V v = exponential(V::load_unaligned(in + j) - V::load_unaligned(largest + j));
      v.store_unaligned(e + j);
      update<T>(sums + j, v, std::plus<>{});
    }
    if (const Size few = width - j; few > 0) {
      const V v = exponential(load_few(in + j, few) - load_few(largest + j, few));
      store_few(e + j, v, few);
      update<T>(sums + j, v, std::plus<>{});
    }
  }
  for (Size j = 0; j < width; ++j) last[j] = T(1 / sums[j]);
  for (Size r = 0; r < count; ++r, y += inner)
    for (Size j = 0; j < width; ++j) y[j] *= last[j];
}

/// Short slices, which have been laid side by side: as many at a time as there are lanes.
template <class T>
void softmax_lanes(const T* x, T* y, Size count, Size inner) {
  using V = Batch<T>;
  constexpr Size lanes = Lanes<V>::width;
  const auto some = [=](Size j, auto read, auto write) {
    V largest = read(x + j);
    for (Size r = 1; r < count; ++r) largest = Largest<T>::step(largest, read(x + r * inner + j));
    V sum(T(0));
    for (Size r = 0; r < count; ++r) {
      const V v = exponential(read(x + r * inner + j) - largest);
      write(y + r * inner + j, v);
      sum = sum + v;
    }
    const V last = V(T(1)) / sum;
    for (Size r = 0; r < count; ++r) write(y + r * inner + j, read(y + r * inner + j) * last);
  };
  Size j = 0;
  for (; j + lanes <= inner; j += lanes)
    some(
        j, [](const T* p) { return V::load_unaligned(p); }, [](T* p, V v) { v.store_unaligned(p); });
  if (const Size few = inner - j; few > 0)
    some(
        j, [few](const T* p) { return load_few(p, few); }, [few](T* p, V v) { store_few(p, v, few); });
}

/// Slices too short to fill the lanes: side by side, and back; streamed if so asked.
template <class T, bool logarithm>
void softmax_short(const T* x, T* y, Size outer, Size count, Size inner) {
  T to[side_by_side<T>];
  alignas(line) T turned[side_by_side<T>];
  for_each_group(x, outer, count, inner, tile, [&](const T* columns, Size first, Size n) {
    if constexpr (logarithm)
      log_softmax_columns(columns, to, count, n * inner, n * inner);
    else
      softmax_lanes(columns, to, count, n * inner);
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
  if (inner == 1) return softmax_rows<T, logarithm>(x, y, outer, count);
  for (Size o = 0; o < outer; ++o, x += count * inner, y += count * inner) {
    for (Size i = 0; i < inner; i += tile) {
      const Size width = inner - i < tile ? inner - i : tile;
      if constexpr (logarithm)
        log_softmax_columns(x + i, y + i, count, inner, width);
      else
        softmax_columns(x + i, y + i, count, inner, width);
    }
  }
}

template <class T>
void fill(Table& t, Dtype d) {
  t.softmax[int(Softmax::softmax)][int(d)] = softmax<T, false>;
  t.softmax[int(Softmax::log_softmax)][int(d)] = softmax<T, true>;
}

}  // namespace

void fill_softmax(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
