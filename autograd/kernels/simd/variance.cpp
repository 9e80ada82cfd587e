#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/turn.hpp>

/// Sums of squared deviations in one pass over memory: each piece's own mean and sum, while it is in the cache, joined
/// to those of the pieces before it (Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
/// sample variances", 1979).
namespace xgrad::kernels::XGRAD_ISA {
namespace {

constexpr Size piece = 1024, tile = 512;

/// Of the `count` elements taken in so far. `join` takes in n more, of which the mean and the squares are known.
template <class V>
struct Moments {
  V mean = V(0.), squares = V(0.);
  void join(double count, double n, V other_mean, V other_squares) {
    const double both = count + n;
    const V apart = other_mean - mean;
    squares = squares + (other_squares + apart * apart * V(count * n / both));
    mean = mean + apart * V(n / both);
  }
};

template <class T>
double run(const T* x, Size count) {
  double buffer[piece];
  Moments<double> all;
  for (Size i = 0, n; i < count; i += n) {
    n = count - i < piece ? count - i : piece;
    const double mean = reduce_run<Sum<T>>(x + i, n) / double(n);
    for (Size k = 0; k < n; ++k) buffer[k] = double(x[i + k]) - mean;
    all.join(double(i), double(n), mean, reduce_run<Norm2<double>>(buffer, n));
  }
  return all.squares;
}

/// `width` <= tile columns, of which `count` rows have been taken in.
struct Columns {
  double count = 0, mean[tile], squares[tile];

  explicit Columns(Size width) {
    for (Size j = 0; j < width; ++j) mean[j] = squares[j] = 0;
  }

  template <class T>
  void take(const T* x, Size rows, Size stride, Size width) {
    constexpr Size most = 16;
    using V = Batch<double>;
    double sums[tile];
    for (Size r = 0, n; r < rows; r += n, x += n * stride) {
      n = rows - r < most ? rows - r : most;
      for (Size j = 0; j < width; ++j) sums[j] = 0;
      accumulate_rows<Sum<T>>(sums, x, n, stride, width);
      Size j = 0;
      for (; j + Lanes<V>::width <= width; j += Lanes<V>::width) take<V>(x + j, sums + j, n, stride, j);
      for (; j < width; ++j) take<double>(x + j, sums + j, n, stride, j);
      count += double(n);
    }
  }
  /// n rows of the columns from j on.
  template <class V, class T>
  void take(const T* x, const double* sums, Size n, Size stride, Size j) {
    const V other_mean = load<V>(sums) / V(double(n));
    V other_squares(0.);
    for (Size k = 0; k < n; ++k) {
      const V apart = load<V>(x + k * stride) - other_mean;
      other_squares = other_squares + apart * apart;
    }
    Moments<V> all{load<V>(mean + j), load<V>(squares + j)};
    all.join(count, double(n), other_mean, other_squares);
    store(all.mean, mean + j);
    store(all.squares, squares + j);
  }

  /// Columns of `width` next to each other become one.
  void fold(Size together, Size width) {
    for (Size k = 1; k < together; ++k)
      for (Size j = 0; j < width; ++j) {
        Moments<double> all{mean[j], squares[j]};
        all.join(double(k) * count, count, mean[k * width + j], squares[k * width + j]);
        mean[j] = all.mean, squares[j] = all.squares;
      }
    count *= double(together);
  }
};

template <class T>
void columns(const T* x, T* y, Size count, Size stride, Size width) {
  const Size together = rows_together(count, stride, width, 128, 32), rows = count / together,
             filled = together * width;
  Columns all(filled);
  all.take(x, rows, together * stride, filled);
  all.fold(together, width);
  all.take(x + rows * filled, count - rows * together, stride, width);
  for (Size j = 0; j < width; ++j) y[j] = T(all.squares[j]);
}

template <class T>
void squared_deviations(const void* from, void* to, Size outer, Size count, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  if (is_short(outer, count, inner))
    return for_each_group(x, outer, count, inner, tile, [&](const T* group, Size first, Size n) {
      columns(group, y + first * inner, count, n * inner, n * inner);
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
