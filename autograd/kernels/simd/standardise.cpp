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
    for (Doubles& sum : sums_) sum = Doubles(0.);
  }
  template <class Element>
  void add(Size n, Element element) {
    Size i = 0;
    for (; i + lanes <= n; i += lanes)
      for (Size k = 0; k < batches; ++k) sums_[k] = sums_[k] + element(Doubles(), i + k * width);
    for (; i < n; ++i) rest_ += element(double(), i);
  }
  double sum() const {
    alignas(64) double all[lanes];
    for (Size k = 0; k < batches; ++k) sums_[k].store_aligned(all + k * width);
    for (Size half = lanes / 2; half > 0; half /= 2)
      for (Size k = 0; k < half; ++k) all[k] += all[half + k];
    return all[0] + rest_;
  }

 private:
  static constexpr Size lanes = 16, width = Lanes<Doubles>::width, batches = lanes / width;
  Doubles sums_[batches];
  double rest_ = 0;
};

/// Calls body(V, i) for places i < n, in batches and one by one.
template <class Body>
void each(Size n, Body body) {
  Size i = 0;
  for (; i + Lanes<Doubles>::width <= n; i += Lanes<Doubles>::width) body(Doubles(), i);
  for (; i < n; ++i) body(double(), i);
}

/// Where row o of a slice begins.
Size row_of(const Slices& s, Size slice, Size o) { return (o * s.slices + slice) * s.inner; }

/// The sum over a slice of element(V, place).
template <class Element>
double total(const Slices& s, Size slice, Element element) {
  Total all;
  for (Size o = 0; o < s.outer; ++o) {
    const Size row = row_of(s, slice, o);
    all.add(s.inner, [&](auto v, Size i) { return element(v, row + i); });
  }
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

template <class T>
void standardise(const Slices& s, double eps, const void* x_, const void* weight_, const void* bias_, void* z_,
                 void* y_, double* means) {
  const T *x = static_cast<const T*>(x_), *weight = static_cast<const T*>(weight_);
  const T* const bias = static_cast<const T*>(bias_);
  T *z = static_cast<T*>(z_), *y = static_cast<T*>(y_);
  double* const variances = means + s.slices;
  const double share = 1 / double(s.outer * s.inner);
  const auto square_of = [x](auto v, Size at, auto mean) {
    const auto apart = load<decltype(v)>(x + at) - mean;
    return apart * apart;
  };
  if (in_columns(s))
    return each(s.count, [&](auto v, Size i) {
      using V = decltype(v);
      const Size slice = s.first + i;
      const V mean =
          s.centred ? column_total<V>(s, slice, [x](V, Size at) { return load<V>(x + at); }) * V(share) : V(0.);
      const V variance = column_total<V>(s, slice, [&](V w, Size at) { return square_of(w, at, mean); }) * V(share);
      const V scale = V(1.) / root(variance + V(eps));
      for (Size at = slice; at < s.outer * s.slices; at += s.slices) put((load<V>(x + at) - mean) * scale, z + at);
      put(mean, means + slice);
      put(variance, variances + slice);
    });
  for (Size slice = s.first; slice < s.first + s.count; ++slice) {
    const double mean =
        s.centred ? total(s, slice, [x](auto v, Size at) { return load<decltype(v)>(x + at); }) * share : 0;
    const double variance =
        total(s, slice, [&](auto v, Size at) { return square_of(v, at, decltype(v)(mean)); }) * share;
    const double scale = 1 / root(variance + eps);
    for (Size o = 0; o < s.outer; ++o) {
      const Size row = row_of(s, slice, o);
      each(s.inner, [&](auto v, Size i) {
        using V = decltype(v);
        const V own = (load<V>(x + row + i) - V(mean)) * V(scale);
        if (z) put(own, z + row + i);
        if (weight) put(own * load<V>(weight + i) + (bias ? load<V>(bias + i) : V(0.)), y + row + i);
      });
    }
    means[slice] = mean;
    variances[slice] = variance;
  }
}

template <class T>
void standardise_grad(const Slices& s, double eps, const void* g_, const void* weight_, const void* z_,
                      const double* moments, void* dx_) {
  const T *g = static_cast<const T*>(g_), *z = static_cast<const T*>(z_), *weight = static_cast<const T*>(weight_);
  T* dx = static_cast<T*>(dx_);
  const double* const variances = moments + s.slices;
  const double share = 1 / double(s.outer * s.inner);
  if (in_columns(s)) {
    const auto gradient = [g](auto v, Size at) { return load<decltype(v)>(g + at); };
    const auto along = [g, z](auto v, Size at) { return load<decltype(v)>(g + at) * load<decltype(v)>(z + at); };
    return each(s.count, [&](auto v, Size i) {
      using V = decltype(v);
      const Size slice = s.first + i;
      const V mean = s.centred ? column_total<V>(s, slice, gradient) * V(share) : V(0.);
      const V part = column_total<V>(s, slice, along) * V(share);
      const V scale = V(1.) / root(load<V>(variances + slice) + V(eps));
      for (Size at = slice; at < s.outer * s.slices; at += s.slices)
        put((load<V>(g + at) - mean - load<V>(z + at) * part) * scale, dx + at);
    });
  }
  for (Size slice = s.first; slice < s.first + s.count; ++slice) {
    const T* const weight_at = weight ? weight - row_of(s, slice, 0) : nullptr;
    const auto gradient = [g, weight_at](auto v, Size at) {
      const auto own = load<decltype(v)>(g + at);
      return weight_at ? own * load<decltype(v)>(weight_at + at) : own;
    };
    const auto along = [&](auto v, Size at) { return gradient(v, at) * load<decltype(v)>(z + at); };
    const double mean = s.centred ? total(s, slice, gradient) * share : 0;
    const double part = total(s, slice, along) * share;
    const double scale = 1 / root(variances[slice] + eps);
    for (Size o = 0; o < s.outer; ++o) {
      const Size row = row_of(s, slice, o);
      each(s.inner, [&](auto v, Size i) {
        using V = decltype(v);
        put((gradient(v, row + i) - V(mean) - load<V>(z + row + i) * V(part)) * V(scale), dx + row + i);
      });
    }
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
