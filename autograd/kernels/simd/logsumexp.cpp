#include <autograd/kernels/simd/exponential_sums.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/turn.hpp>

/// log(sum exp(x)).
namespace xgrad::kernels::XGRAD_ISA {
namespace {

template <class T, class Out>
void put_logarithms(double* sum, const T* shift, Out* y, Size n) {
  logarithms(sum, sum, n);
  for (Size j = 0; j < n; ++j) y[j] = Out(sum[j] + double(shift[j]));
}

template <class T, class Out>
void columns(const T* x, Out* y, Size count, Size stride, Size width) {
  ExpColumns<T> all(x, count, stride, width);
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
    for (Size k = 0; k < n; ++k) {
      const ExpRun<T> run(x + (o + k) * count, count);
      sum[k] = run.sum, shift[k] = run.shift;
    }
    put_logarithms(sum, shift, y + o, n);
  }
}

template <class T, class Out>
void any_block(const T* x, Out* y, Size count, Size stride, Size width) {
  if (width == 1 && stride == 1) return rows(x, y, 1, count);
  constexpr Size most = ExpColumns<T>::most;
  for (Size i = 0; i < width; i += most) columns(x + i, y + i, count, stride, width - i < most ? width - i : most);
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
    return for_each_group(x, outer, count, inner, ExpColumns<T>::most, [&](const T* group, Size first, Size n) {
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
