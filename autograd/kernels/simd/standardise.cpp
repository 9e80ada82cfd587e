#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/fill.hpp>

/// Normalisation of slices. All sums are held in double, sixteen of them for each slice, so that every instruction set
/// adds in the same order.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

using Doubles = Batch<double>;

template <class V, class T>
void put(V v, T* to) {
  if constexpr (Lanes<V>::width == 1)
    *to = T(v);
  else if constexpr (sizeof(T) == sizeof(double))
    v.store_unaligned(to);
  else
    narrowed(v, to);
}

template <class V>
V root(V x) {
  if constexpr (Lanes<V>::width == 1)
    return __builtin_sqrt(x);
  else
    return xsimd::sqrt(x);
}

/// A sum of what `element` says of places: element(V, i) is that of place i, or of those of a batch from there on.
class Total {
 public:
  Total() {
    for (Doubles& sum : sums_.v) sum = Doubles(0.);
  }
  template <class Element>
  void add(Size n, Element element) {
    Size i = 0;
    for (; i + lanes <= n; i += lanes)
      for (Size k = 0; k < Sums::batches; ++k) sums_.v[k] = sums_.v[k] + element(Doubles(), i + k * Sums::width);
    for (; i < n; ++i) rest_ += element(double(), i);
  }
  double sum() const { return sums_.merged() + rest_; }

 private:
  static constexpr Size lanes = 16;
  using Sums = Held<Sum<double>, lanes>;
  Sums sums_;
  double rest_ = 0;
};

/// Calls body(V, i) for places i < n, in batches and one by one.
template <class Body>
void each(Size n, Body body) {
  Size i = 0;
  for (; i + Lanes<Doubles>::width <= n; i += Lanes<Doubles>::width) body(Doubles(), i);
  for (; i < n; ++i) body(double(), i);
}

/// How far apart the rows of a slice begin.
Size step_of(const Slices& s) { return s.slices * s.inner; }

/// The sum over a slice of element(V, place), places counted from where it begins.
template <class Element>
double total(const Slices& s, Element element) {
  Total all;
  for (Size o = 0; o < s.outer; ++o) all.add(s.inner, [&](auto v, Size i) { return element(v, o * step_of(s) + i); });
  return all.sum();
}

/// Slices next to each other, whose elements are `slices` apart: each lane is one.
template <class V, class Element>
V column_total(const Slices& s, Size slice, Element element) {
  V sum(0.);
  for (Size o = 0; o < s.outer; ++o) sum = sum + element(V(), o * s.slices + slice);
  return sum;
}

bool in_columns(const Slices& s) { return s.inner == 1 && s.outer > 1; }

/// Two sums at once, in the same order as Total's: element(V, i) gives a pair.
template <class V>
struct Pair {
  V first, second;
};
template <class Element>
Pair<double> totals(Size n, Element element) {
  constexpr Size lanes = 16;
  using Sums = Held<Sum<double>, lanes>;
  Sums first, second;
  for (Size k = 0; k < Sums::batches; ++k) first.v[k] = second.v[k] = Doubles(0.);
  Pair<double> rest{0, 0};
  Size i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (Size k = 0; k < Sums::batches; ++k) {
      const Pair<Doubles> next = element(Doubles(), i + k * Sums::width);
      first.v[k] = first.v[k] + next.first;
      second.v[k] = second.v[k] + next.second;
    }
  }
  for (; i < n; ++i) {
    const Pair<double> next = element(double(), i);
    rest.first += next.first;
    rest.second += next.second;
  }
  return {first.merged() + rest.first, second.merged() + rest.second};
}

/// Short rows of f32 are read once and held in double, as many at a time as there is room for: what one has to wait
/// for, sums, a root and a quotient, is found while others are read.
constexpr Size room = 1024;
template <class T>
bool are_rows(const Slices& s) {
  return sizeof(T) < sizeof(double) && s.outer == 1 && s.inner > 0 && s.inner <= room;
}
/// Calls body(first, n) for groups of slices that fit.
template <class Body>
void for_each_group(const Slices& s, Body body) {
  const Size together = room / s.inner, end = s.first + s.count;
  for (Size first = s.first; first < end; first += together)
    body(first, end - first < together ? end - first : together);
}

template <class T>
void widen(const T* x, Size n, double* to) {
  each(n, [&](auto v, Size i) { store(load<decltype(v)>(x + i), to + i); });
}

/// Moments are taken of what elements are more than the first one: the square of their mean is at most n times their
/// variance, so that it may be taken off the mean of squares.
template <class T>
void standardise_rows(const Slices& s, double eps, const T* x, const T* weight, const T* bias, T* y, double* means) {
  const Size n = s.inner;
  double* const variances = means + s.slices;
  const double share = 1 / double(n);
  alignas(64) double held[room], weights[room], biases[room], less[room], scales[room];
  if (weight) widen(weight, n, weights);
  if (bias) widen(bias, n, biases);
  const double *const w = weights, *const b = biases;
  for_each_group(s, [&](Size first, Size rows) {
    for (Size r = 0; r < rows; ++r) {
      const T* const row = x + (first + r) * n;
      double* const to = held + r * n;
      const double start = s.centred ? double(row[0]) : 0;
      const Pair<double> sums = totals(n, [&](auto v, Size i) {
        using V = decltype(v);
        const V more = load<V>(row + i) - V(start);
        store(more, to + i);
        return Pair<V>{more, more * more};
      });
      const double mean = s.centred ? sums.first * share : 0, variance = sums.second * share - mean * mean;
      means[first + r] = start + mean;
      variances[first + r] = variance < 0 ? 0 : variance;
      less[r] = mean;
      scales[r] = 1 / root(variances[first + r] + eps);
    }
    for (Size r = 0; r < rows; ++r) {
      const double* const row = held + r * n;
      T* const to = y + (first + r) * n;
      const double mean = less[r], scale = scales[r];
      each(n, [=](auto v, Size i) {
        using V = decltype(v);
        V z = (load<V>(row + i) - V(mean)) * V(scale);
        if (weight) z = z * load<V>(w + i);
        if (bias) z = z + load<V>(b + i);
        put(z, to + i);
      });
    }
  });
}

/// x is z, without a weight.
template <class T>
void rows_gradient(const Slices& s, double eps, const T* g, const T* weight, const T* x, const double* means, T* dx,
                   double* sums) {
  const Size n = s.inner;
  const double share = 1 / double(n);
  alignas(64) double of_g[room], of_z[room], weights[room], less[room], parts[room], scales[room];
  if (weight) widen(weight, n, weights);
  const double* const w = weights;
  for_each_group(s, [&](Size first, Size rows) {
    for (Size r = 0; r < rows; ++r) {
      const Size begin = (first + r) * n, at = r * n;
      const double mean = means[first + r], scale = 1 / root(means[s.slices + first + r] + eps);
      const Pair<double> both = totals(n, [&](auto v, Size i) {
        using V = decltype(v);
        V h = load<V>(g + begin + i), z = load<V>(x + begin + i);
        if (weight) z = (z - V(mean)) * V(scale);
        store(h, of_g + at + i);
        store(z, of_z + at + i);
        if (weight) h = h * load<V>(weights + i);
        return Pair<V>{h, h * z};
      });
      less[r] = s.centred ? both.first * share : 0;
      parts[r] = both.second * share;
      scales[r] = scale;
    }
    if (sums)
      each(n, [&](auto v, Size i) {
        using V = decltype(v);
        V of_weight = load<V>(sums + i), of_bias = load<V>(sums + n + i);
        for (Size at = i; at < rows * n; at += n) {
          const V own = load<V>(of_g + at);
          of_weight = of_weight + own * load<V>(of_z + at);
          of_bias = of_bias + own;
        }
        store(of_weight, sums + i);
        store(of_bias, sums + n + i);
      });
    for (Size r = 0; r < rows; ++r) {
      const double *const own = of_g + r * n, *const z = of_z + r * n;
      T* const to = dx + (first + r) * n;
      const double mean = less[r], part = parts[r], scale = scales[r];
      each(n, [=](auto v, Size i) {
        using V = decltype(v);
        const V h = weight ? load<V>(own + i) * load<V>(w + i) : load<V>(own + i);
        put((h - V(mean) - load<V>(z + i) * V(part)) * V(scale), to + i);
      });
    }
  });
}

template <class T>
void standardise_slice(const Slices& s, double eps, const T* x, const T* weight, const T* bias, T* y, double& its_mean,
                       double& its_variance) {
  const double share = 1 / double(s.outer * s.inner);
  const double mean = s.centred ? total(s, [x](auto v, Size at) { return load<decltype(v)>(x + at); }) * share : 0;
  const double variance = share * total(s, [&](auto v, Size at) {
                            const auto apart = load<decltype(v)>(x + at) - decltype(v)(mean);
                            return apart * apart;
                          });
  const double scale = 1 / root(variance + eps);
  for (Size o = 0; o < s.outer; ++o) {
    const Size row = o * step_of(s);
    each(s.inner, [&](auto v, Size i) {
      using V = decltype(v);
      V z = (load<V>(x + row + i) - V(mean)) * V(scale);
      if (weight) z = z * load<V>(weight + i);
      if (bias) z = z + load<V>(bias + i);
      put(z, y + row + i);
    });
  }
  its_mean = mean;
  its_variance = variance;
}

template <class T>
void standardise(const Slices& s, double eps, const void* x_, const void* weight_, const void* bias_, void* y_,
                 double* means) {
  const T *x = static_cast<const T*>(x_), *weight = static_cast<const T*>(weight_);
  const T* const bias = static_cast<const T*>(bias_);
  T* y = static_cast<T*>(y_);
  double* const variances = means + s.slices;
  if (in_columns(s))
    return each(s.count, [&](auto v, Size i) {
      using V = decltype(v);
      const Size slice = s.first + i;
      const V share(1 / double(s.outer));
      const V mean = s.centred ? column_total<V>(s, slice, [x](V, Size at) { return load<V>(x + at); }) * share : V(0.);
      const V variance = share * column_total<V>(s, slice, [&](V, Size at) {
                           const V apart = load<V>(x + at) - mean;
                           return apart * apart;
                         });
      const V scale = V(1.) / root(variance + V(eps));
      for (Size at = slice; at < s.outer * s.slices; at += s.slices) put((load<V>(x + at) - mean) * scale, y + at);
      put(mean, means + slice);
      put(variance, variances + slice);
    });
  if (are_rows<T>(s)) return standardise_rows(s, eps, x, weight, bias, y, means);
  for (Size slice = s.first; slice < s.first + s.count; ++slice)
    standardise_slice(s, eps, x + slice * s.inner, weight, bias, y + slice * s.inner, means[slice], variances[slice]);
}

/// The vjp of a slice, for h(V, place), the cotangent of its standardised elements z(V, place).
template <class H, class Z, class T>
void slice_gradient(const Slices& s, double scale, H h, Z z, T* dx) {
  const double share = 1 / double(s.outer * s.inner);
  const double mean = s.centred ? total(s, h) * share : 0;
  const double part = total(s, [&](auto v, Size at) { return h(v, at) * z(v, at); }) * share;
  for (Size o = 0; o < s.outer; ++o) {
    const Size row = o * step_of(s);
    each(s.inner, [&](auto v, Size i) {
      using V = decltype(v);
      put((h(v, row + i) - V(mean) - z(v, row + i) * V(part)) * V(scale), dx + row + i);
    });
  }
}

template <class T>
void standardise_grad(const Slices& s, double eps, const void* g_, const void* weight_, const void* x_,
                      const double* means, void* dx_, double* sums) {
  const T *g = static_cast<const T*>(g_), *x = static_cast<const T*>(x_), *weight = static_cast<const T*>(weight_);
  T* dx = static_cast<T*>(dx_);
  const double* const variances = means + s.slices;
  if (in_columns(s))
    return each(s.count, [&](auto v, Size i) {
      using V = decltype(v);
      const Size slice = s.first + i;
      const V share(1 / double(s.outer)), scale = V(1.) / root(load<V>(variances + slice) + V(eps));
      const auto h = [&](V, Size at) { return load<V>(g + at); };
      const auto along = [&](V, Size at) { return h(v, at) * load<V>(x + at); };
      const V mean = s.centred ? column_total<V>(s, slice, h) * share : V(0.);
      const V part = column_total<V>(s, slice, along) * share;
      for (Size at = slice; at < s.outer * s.slices; at += s.slices)
        put((h(v, at) - mean - load<V>(x + at) * part) * scale, dx + at);
    });
  for (Size i = 0; sums && i < 2 * s.inner; ++i) sums[i] = 0;
  if (are_rows<T>(s)) return rows_gradient(s, eps, g, weight, x, means, dx, sums);
  for (Size slice = s.first; slice < s.first + s.count; ++slice) {
    const Size begin = slice * s.inner;
    const double mean = means[slice], scale = 1 / root(variances[slice] + eps);
    const auto h = [&](auto v, Size i) {
      using V = decltype(v);
      const V own = load<V>(g + begin + i);
      return weight ? own * load<V>(weight + i) : own;
    };
    const auto z = [&](auto v, Size i) {
      using V = decltype(v);
      const V own = load<V>(x + begin + i);
      return weight ? (own - V(mean)) * V(scale) : own;
    };
    if (sums)
      each(s.inner, [&](auto v, Size i) {
        using V = decltype(v);
        const V own = load<V>(g + begin + i);
        store(load<V>(sums + i) + own * z(v, i), sums + i);
        store(load<V>(sums + s.inner + i) + own, sums + s.inner + i);
      });
    slice_gradient(s, scale, h, z, dx + begin);
  }
}

template <class T>
void fill(Table& t, Dtype d) {
  t.standardise[int(d)] = standardise<T>;
  t.standardise_grad[int(d)] = standardise_grad<T>;
}

}  // namespace

void fill_standardise(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
