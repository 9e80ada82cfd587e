#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/turn.hpp>

/// Sums of squared deviations in one pass over memory: each piece's own mean and sum, while it is in the cache, joined
/// to those of the pieces before it (Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
/// sample variances", 1979).
namespace xgrad::kernels::XGRAD_ISA {
namespace {

constexpr Size piece = 1024, tile = 512;

/// Of the elements taken in so far. `join` takes in n more, of which the mean and the squares are known.
struct Moments {
  double count = 0, mean = 0, squares = 0;
  void join(double n, double other_mean, double other_squares) {
    const double both = count + n, apart = other_mean - mean;
    squares += other_squares + apart * apart * (count * n / both);
    mean += apart * (n / both);
    count = both;
  }
};

template <class T>
void deviations(const T* x, const double* mean, bool one, double* to, Size n) {
  if (one) {
    const double same = *mean;
    for (Size i = 0; i < n; ++i) to[i] = double(x[i]) - same;
  } else {
    for (Size i = 0; i < n; ++i) to[i] = double(x[i]) - mean[i];
  }
}

template <class T>
double run(const T* x, Size count) {
  double buffer[piece];
  Moments all;
  for (Size i = 0, n; i < count; i += n) {
    n = count - i < piece ? count - i : piece;
    const double mean = reduce_run<Sum<T>>(x + i, n) / double(n);
    deviations(x + i, &mean, true, buffer, n);
    all.join(double(n), mean, reduce_run<Norm2<double>>(buffer, n));
  }
  return all.squares;
}

/// `width` <= tile columns, several rows of them at a time.
template <class T>
void columns(const T* x, T* y, Size count, Size inner, Size width) {
  constexpr Size rows = 16;
  Moments all[tile];
  double mean[tile], squares[tile], buffer[tile];
  for (Size r = 0, n; r < count; r += n) {
    n = count - r < rows ? count - r : rows;
    const T* at = x + r * inner;
    for (Size j = 0; j < width; ++j) mean[j] = squares[j] = 0;
    accumulate_rows<Sum<T>>(mean, at, n, inner, width);
    for (Size j = 0; j < width; ++j) mean[j] /= double(n);
    for (Size k = 0; k < n; ++k) {
      deviations(at + k * inner, mean, false, buffer, width);
      take_rows<1, Norm2<double>>(squares, buffer, 1, width, width);
    }
    for (Size j = 0; j < width; ++j) all[j].join(double(n), mean[j], squares[j]);
  }
  for (Size j = 0; j < width; ++j) y[j] = T(all[j].squares);
}

template <class T>
void squared_deviations(const void* from, void* to, Size outer, Size count, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  if (inner == 1 && outer > 1 && count <= longest_turned)
    return for_each_turned(x, outer, count, 64, [&](const T* turned_runs, Size first, Size n) {
      columns(turned_runs, y + first, count, n, n);
    });
  for (Size o = 0; o < outer; ++o, x += count * inner, y += inner) {
    if (inner == 1) {
      *y = T(run(x, count));
    } else {
      for (Size i = 0; i < inner; i += tile) columns(x + i, y + i, count, inner, inner - i < tile ? inner - i : tile);
    }
  }
}

}  // namespace

void fill_variance(Table& t) {
  t.squared_deviations[int(f32)] = squared_deviations<float>;
  t.squared_deviations[int(f64)] = squared_deviations<double>;
}

}  // namespace xgrad::kernels::XGRAD_ISA
