#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/turn.hpp>

/// Sums of squared deviations in one pass. What has been read gives a mean; of the elements that follow, the deviations
/// from it and their squares are summed, and correct both. As the earlier elements are at least a fair share of all,
/// what is subtracted never leaves little of a large sum (Chan, Golub and LeVeque, "Algorithms for computing the sample
/// variance", 1983, on shifted data).
namespace xgrad::kernels::XGRAD_ISA {
namespace {

template <class V>
V least(V a, V b) {
  if constexpr (std::is_arithmetic_v<V>)
    return a < b ? a : b;
  else
    return min_of(a, b);  // b if one is a NaN, as above
}

/// Deviations from a shift.
template <class V>
struct Deviations {
  V sum = V(0.), squares = V(0.);
  void take(V apart) {
    sum = sum + apart;
    squares = squares + apart * apart;
  }
};

/// The mean of the elements taken in so far and the squares of their deviations from it.
template <class V>
struct Moments {
  V mean = V(0.), squares = V(0.);
  /// Takes in elements whose deviations from `mean` are given; `share` is one over the number of elements thereafter.
  void take(const Deviations<V>& from_mean, double share) {
    const V step = from_mean.sum * V(share);
    // Limited, so that squares too large for f64 are infinite, and not inf - inf.
    squares = squares + (from_mean.squares - least(V(std::numeric_limits<double>::max()), from_mean.sum * step));
    mean = mean + step;
  }
  /// A mean that is not finite makes a NaN.
  V result() const { return squares + mean * V(0.); }
};

template <class T>
Deviations<double> deviations(const T* x, Size n, double shift) {
  constexpr Size lanes = 16;
  using V = Batch<double>;
  using All = Held<Sum<double>, lanes>;
  Deviations<double> result;
  if (n < lanes) {
    for (Size i = 0; i < n; ++i) result.take(double(x[i]) - shift);
    return result;
  }
  Deviations<V> all[All::batches];
  const auto take = [&](const T* from, auto kept) {
    for (Size k = 0; k < All::batches; ++k) all[k].take(kept(load<V>(from + k * All::width) - V(shift), k));
  };
  const T* const end = x + n;
  for (; end - x >= lanes; x += lanes) {
    prefetch_page_ahead(x, lanes);
    take(x, [](V apart, Size) { return apart; });
  }
  if (x < end) {
    const Size first = lanes - (end - x);  // of the last lanes, those before have been taken
    static constexpr double numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    take(end - lanes, [first](V apart, Size k) {
      return choose(load<V>(numbers + k * All::width) >= V(double(first)), apart, V(0.));
    });
  }
  All sum, squares;
  for (Size k = 0; k < All::batches; ++k) sum.v[k] = all[k].sum, squares.v[k] = all[k].squares;
  return {sum.merged(), squares.merged()};
}

/// From the mean of the first few of count > 0 elements, a piece of four times as many; from then on pieces of up to
/// four times as many as came before.
template <class T>
Moments<double> run(const T* x, Size count) {
  constexpr Size few = 32, most = 4096;
  const auto limited = [](Size n, Size limit) { return n < limit ? n : limit; };
  Size n = limited(few, count);
  Moments<double> all;
  all.mean = double(*x) + deviations(x, n, double(*x)).sum / double(n);
  n = limited(4 * few, count);
  for (Size i = 0; i < count; n = limited(limited(4 * i, most), count - i)) {
    all.take(deviations(x + i, n, all.mean), 1 / double(i + n));
    i += n;
  }
  return all;
}

constexpr Size tile = 1024;

/// `width` <= tile columns, of which `count` rows have been taken in.
struct Columns {
  double count = 0, mean[tile], squares[tile];

  template <class T>
  Columns(const T* first_row, Size width) {
    for (Size j = 0; j < width; ++j) mean[j] = double(first_row[j]), squares[j] = 0;
  }

  template <class T>
  void take(const T* x, Size rows, Size stride, Size width) {
    constexpr Size lanes = Lanes<Batch<double>>::width;
    for (Size r = 0, n; r < rows; r += n, x += n * stride) {
      const Size most = count == 0 ? 4 : 16;  // the first row alone gives the first mean
      n = rows - r < most ? rows - r : most;
      if (width < lanes) {
        for (Size j = 0; j < width; ++j) put(taken<double>(x, n, stride, j), j);
      } else {
        const auto last = taken<Batch<double>>(x, n, stride, width - lanes);  // may overlap those before it
        for (Size j = 0; j + lanes <= width; j += lanes) put(taken<Batch<double>>(x, n, stride, j), j);
        put(last, width - lanes);
      }
      count += double(n);
    }
  }

  /// Columns of `width` next to each other become one.
  void fold(Size together, Size width) {
    for (Size k = 1; k < together; ++k)
      for (Size j = 0; j < width; ++j) {
        const double apart = mean[k * width + j] - mean[j];
        squares[j] += squares[k * width + j] + apart * apart * (count * double(k) / double(k + 1));
        mean[j] += apart / double(k + 1);
      }
    count *= double(together);
  }

  Moments<double> operator[](Size j) const { return {mean[j], squares[j]}; }

 private:
  /// The columns from j on after n more rows.
  template <class V, class T>
  Moments<V> taken(const T* x, Size n, Size stride, Size j) const {
    Moments<V> all{load<V>(mean + j), load<V>(squares + j)};
    Deviations<V> more;
    for (Size k = 0; k < n; ++k) more.take(load<V>(x + k * stride + j) - all.mean);
    all.take(more, 1 / (count + double(n)));
    return all;
  }
  template <class V>
  void put(const Moments<V>& all, Size j) {
    store(all.mean, mean + j);
    store(all.squares, squares + j);
  }
};

/// Calls put(j, moments) for each column j < width <= tile.
template <class T, class Put>
void columns(const T* x, Size count, Size stride, Size width, Put put) {
  const Size together = rows_together(count, stride, width, 128, 32), rows = count / together,
             filled = together * width;
  Columns all(x, filled);
  all.take(x, rows, together * stride, filled);
  all.fold(together, width);
  all.take(x + rows * filled, count - rows * together, stride, width);
  for (Size j = 0; j < width; ++j) put(j, all[j]);
}

/// The same for any width.
template <class T, class Put>
void slices(const T* x, Size count, Size stride, Size width, Put put) {
  if (width == 1 && stride == 1) return put(Size(0), run(x, count));
  for (Size i = 0; i < width; i += tile)
    columns(x + i, count, stride, width - i < tile ? width - i : tile,
            [&](Size j, const Moments<double>& all) { put(i + j, all); });
}

template <class T>
void squared_deviations(const void* from, void* to, Size outer, Size count, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  if (count == 0) {
    for (Size i = 0; i < outer * inner; ++i) y[i] = 0;
    return;
  }
  const auto put = [&](Size j, const Moments<double>& all) { y[j] = T(all.result()); };
  if (is_short(outer, count, inner))
    return for_each_group(x, outer, count, inner, tile, [&](const T* group, Size, Size n) {
      columns(group, count, n * inner, n * inner, put);
      y += n * inner;
    });
  for (Size o = 0; o < outer; ++o, x += count * inner, y += inner) slices(x, count, inner, inner, put);
}

template <class T>
void squared_deviations_block(const void* from, void* to, double* means, Size count, Size stride, Size width) {
  slices(static_cast<const T*>(from), count, stride, width, [&](Size j, const Moments<double>& all) {
    if (means) {
      static_cast<double*>(to)[j] = all.squares;
      means[j] = all.mean;
    } else {
      static_cast<T*>(to)[j] = T(all.result());
    }
  });
}

template <class T>
void fill(Table& t, Dtype d) {
  t.squared_deviations[int(d)] = squared_deviations<T>;
  t.squared_deviations_block[int(d)] = squared_deviations_block<T>;
}

}  // namespace

void fill_variance(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
