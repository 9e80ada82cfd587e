#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/wrapping.hpp>

namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// Calls body(offset, width) for each piece of at most column_tile columns of each of `outer` matrices.
template <class Body>
void for_each_tile(Size outer, Size count, Size inner, Body body) {
  for (Size o = 0; o < outer; ++o)
    for (Size i = 0; i < inner; i += column_tile)
      body(o, o * count * inner + i, i, inner - i < column_tile ? inner - i : column_tile);
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

template <template <class> class Operation>
void fill_floating(Table& t, Reduce kind) {
  t.reduce[int(kind)][int(f32)] = reduce<Operation, float>;
  t.reduce[int(kind)][int(f64)] = reduce<Operation, double>;
}

template <template <class> class Operation>
void fill_all(Table& t, Reduce kind) {
  fill_floating<Operation>(t, kind);
  t.reduce[int(kind)][int(i64)] = reduce<Operation, std::int64_t>;
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
