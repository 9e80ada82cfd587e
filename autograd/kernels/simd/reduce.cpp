#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/turn.hpp>
#include <autograd/kernels/simd/wrapping.hpp>
#include <type_traits>

/// The kernels of sums, products, largest and smallest elements, and norms.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// Calls body(offset, width) for each piece of at most column_tile columns of each of `outer` matrices.
template <class Body>
void for_each_tile(Size outer, Size count, Size inner, Body body) {
  for (Size o = 0; o < outer; ++o)
    for (Size i = 0; i < inner; i += column_tile)
      body(o, o * count * inner + i, i, inner - i < column_tile ? inner - i : column_tile);
}

/// Slices too short to fill the lanes: many of them side by side. One by one, comparisons of extrema would be branches
/// that cannot be predicted.
template <class Op, class T>
void reduce_short(const T* x, T* y, Size outer, Size count, Size inner) {
  constexpr Size most = 1024;
  typename Op::Acc acc[most];
  for_each_group(x, outer, count, inner, most, [&](const T* columns, Size first, Size n) {
    reduce_columns<Op>(acc, columns, count, n * inner, n * inner);
    T* to = y + first * inner;
    const T* slice = x + first * count * inner;
    for (Size j = 0, i = 0; j < n * inner; ++j) {
      to[j] = Op::finish(acc[j], slice + i, count, inner);
      if (++i == inner) i = 0, slice += count * inner;
    }
  });
}

template <template <class> class Operation, class T>
void reduce(const void* from, void* to, Size outer, Size count, Size inner) {
  using Op = Operation<T>;
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  if (count == 1) {  // elementwise: one wide row instead of many of one element
    inner *= outer;
    outer = 1;
  }
  constexpr bool extremum = std::is_same_v<Op, Max<T>> || std::is_same_v<Op, Min<T>>;
  if ((inner > 1 || extremum || sizeof(T) == 4) && outer * inner >= 16 && is_short(outer, count, inner))
    return reduce_short<Op>(x, y, outer, count, inner);
  if (inner == 1) {
    for (Size o = 0; o < outer; ++o, x += count) y[o] = Op::finish(reduce_run<Op>(x, count), x, count, 1);
    return;
  }
  for_each_tile(outer, count, inner, [&](Size o, Size offset, Size i, Size width) {
    typename Op::Acc acc[column_tile];
    reduce_columns<Op>(acc, x + offset, count, inner, width);
    for (Size j = 0; j < width; ++j) y[o * inner + i + j] = Op::finish(acc[j], x + offset + j, count, inner);
  });
}

/// The result of an f32 reduction before it is rounded to f32.
template <class Op>
double widened(typename Op::Acc acc) {
  return std::is_same_v<Op, Norm2<float>> ? std::sqrt(double(acc)) : double(acc);
}

template <template <class> class Operation, class T>
void reduce_block(const void* from, void* to, Size count, Size stride, Size width, bool wide) {
  using Op = Operation<T>;
  const T* x = static_cast<const T*>(from);
  const auto put = [&](typename Op::Acc acc, Size i) {
    if (sizeof(T) == sizeof(float) && wide) {
      static_cast<double*>(to)[i] = widened<Op>(acc);
    } else {
      static_cast<T*>(to)[i] = Op::finish(acc, x + i, count, stride);
    }
  };
  if (width == 1 && stride == 1) return put(reduce_run<Op>(x, count), 0);
  for_each_tile(1, count, width, [&](Size, Size, Size i, Size tile) {
    typename Op::Acc acc[column_tile];
    reduce_columns<Op>(acc, x + i, count, stride, tile);
    for (Size j = 0; j < tile; ++j) put(acc[j], i + j);
  });
}

// Means and deviations are f64: in f32 the mean of [1e8, 1e8 + 8] would not be one of its elements' neighbours.
template <class T>
void centre(const void* from, void* to, Size outer, Size count, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  if (inner == 1) {
    for (Size o = 0; o < outer; ++o, x += count, y += count) {
      const double mean = reduce_run<Sum<T>>(x, count) / double(count);
      for (Size r = 0; r < count; ++r) y[r] = T(double(x[r]) - mean);
    }
    return;
  }
  for_each_tile(outer, count, inner, [&](Size, Size offset, Size, Size width) {
    double mean[column_tile];
    reduce_columns<Sum<T>>(mean, x + offset, count, inner, width);
    for (Size j = 0; j < width; ++j) mean[j] /= double(count);
    for (Size r = 0; r < count; ++r) {
      const T* row = x + offset + r * inner;
      T* out = y + offset + r * inner;
      for (Size j = 0; j < width; ++j) out[j] = T(double(row[j]) - mean[j]);
    }
  });
}

template <class T>
void add_rows(const T* row, T* c, Size rows, Size cols) {
  using U = typename WrappingOf<T>::type;
  for (Size i = 0; i < rows; ++i, c += cols)
    for (Size j = 0; j < cols; ++j) c[j] = T(U(c[j]) + U(row[j]));
}

template <class T>
void add_row(const void* from, void* to, Size rows, Size cols) {
  const T* row = static_cast<const T*>(from);
  T* c = static_cast<T*>(to);
  constexpr Size narrow = 16, repeats = 8;
  if (cols > 0 && cols < narrow && rows >= 2 * repeats) {  // several short rows as one long enough for SIMD
    T wide[narrow * repeats];
    for (Size k = 0; k < repeats; ++k)
      for (Size j = 0; j < cols; ++j) wide[k * cols + j] = row[j];
    add_rows(wide, c, rows / repeats, cols * repeats);
    c += rows / repeats * repeats * cols;
    rows %= repeats;
  }
  add_rows(row, c, rows, cols);
}

template <template <class> class Operation, class T>
void fill_one(Table& t, Reduce kind, Dtype d) {
  t.reduce[int(kind)][int(d)] = reduce<Operation, T>;
  t.reduce_block[int(kind)][int(d)] = reduce_block<Operation, T>;
}

template <template <class> class Operation>
void fill_floating(Table& t, Reduce kind) {
  fill_one<Operation, float>(t, kind, f32);
  fill_one<Operation, double>(t, kind, f64);
}

template <template <class> class Operation>
void fill_all(Table& t, Reduce kind) {
  fill_floating<Operation>(t, kind);
  fill_one<Operation, std::int64_t>(t, kind, i64);
}

}  // namespace

void fill_reduce(Table& t) {
  fill_all<Sum>(t, Reduce::sum);
  fill_all<Prod>(t, Reduce::prod);
  fill_all<Max>(t, Reduce::max);
  fill_all<Min>(t, Reduce::min);
  fill_floating<Norm2>(t, Reduce::norm2);
  t.centre[int(f32)] = centre<float>;
  t.centre[int(f64)] = centre<double>;
  t.add_row[int(f32)] = add_row<float>;
  t.add_row[int(f64)] = add_row<double>;
  t.add_row[int(i64)] = add_row<std::int64_t>;
}

}  // namespace xgrad::kernels::XGRAD_ISA
