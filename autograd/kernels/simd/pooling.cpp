#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/lanes.hpp>

/// The largest element of each window.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// The largest element so far and where it stands. No number replaces a NaN, which does not compare.
template <class T>
struct Largest {
  T value;
  Size at;
  void take(T x, Size place) {
    const bool takes = (x > value) | ((x != x) & (value == value));
    value = takes ? x : value;
    at = takes ? place : at;
  }
};

/// As many elements as the processor compares at once, and integers of their size.
inline constexpr int vector_bytes = int(Lanes<Batch<float>>::width * Size(sizeof(float)));
template <class T>
inline constexpr Size lanes = vector_bytes / Size(sizeof(T));
template <class T>
using Vector __attribute__((vector_size(vector_bytes))) = T;
template <class T>
using Place = std::conditional_t<sizeof(T) == sizeof(float), std::int32_t, std::int64_t>;

/// The elements at even places, or at odd ones, of two neighbouring vectors.
template <int odd, class V, Size... k>
V every_other(V a, V b, std::integer_sequence<Size, k...>) {
  return __builtin_shufflevector(a, b, (2 * k + odd)...);
}

/// The first n of the elements that follow each other, with zeros behind.
template <class T>
Vector<T> load_up_to(const T* from, Size n) {
  Vector<T> v{};
  if (n >= lanes<T>) {
    std::memcpy(&v, from, sizeof v);
  } else if (n > 0) {
    const Batch<T> few = load_few(from, n);
    std::memcpy(&v, &few, sizeof v);
  }
  return v;
}

/// Windows of two by two, side by side and all within x, in rows of `columns`.
template <class T>
void pairs(const T* x, Size row, Size place, Size columns, T* y, Size* index) {
  using V = Vector<T>;
  using I = Vector<Place<T>>;
  constexpr std::make_integer_sequence<Size, lanes<T>> all{};
  for (Size p = 0; p < columns; p += lanes<T>) {
    const Size n = columns - p < lanes<T> ? columns - p : lanes<T>, second = 2 * n - lanes<T>;
    V best{};
    I at{};
    for (int below = 0; below < 2; ++below) {
      const T* const from = x + 2 * p + below * row;
      const V a = load_up_to(from, 2 * n), b = load_up_to(from + lanes<T>, second);
      const V even = every_other<0>(a, b, all), odd = every_other<1>(a, b, all);
      if (below) {
        const I takes = (even > best) | ((even != even) & (best == best));
        best = takes ? even : best;
        at = takes ? I{} + Place<T>(row) : at;
      } else {
        best = even;
      }
      const I takes = (odd > best) | ((odd != odd) & (best == best));
      best = takes ? odd : best;
      at = takes ? I{} + Place<T>(below * row + 1) : at;
    }
    if (n == lanes<T>)
      std::memcpy(y + p, &best, sizeof best);
    else
      store_few(y + p, Batch<T>::load_unaligned(reinterpret_cast<const T*>(&best)), n);
    if (!index) continue;
    Place<T> places[lanes<T>];
    std::memcpy(places, &at, sizeof at);
    for (Size i = 0; i < n; ++i) index[p + i] = place + 2 * (p + i) + places[i];
  }
}

/// The taps of a window along axis d that lie in x, for position p: [first, last).
struct Taps {
  Size begin, first, last;
  Taps(const Convolution& c, int d, Size p) : begin(p * c.stride[d] - c.before[d]) {
    first = begin < 0 ? -begin : 0;
    last = c.in[d] - begin < c.kernel[d] ? c.in[d] - begin : c.kernel[d];
  }
};

template <class T>
void row(const Convolution& c, const Taps& taps0, const Taps& taps1, const T* x, T* y, Size* index) {
  for (Size p = 0; p < c.out[2]; ++p) {
    const Taps taps2(c, 2, p);
    const auto place = [&](Size k0, Size k1, Size k2) {
      return ((taps0.begin + k0) * c.in[1] + taps1.begin + k1) * c.in[2] + taps2.begin + k2;
    };
    const Size first = place(taps0.first, taps1.first, taps2.first);
    Largest<T> best{x[first], first};
    for (Size k0 = taps0.first; k0 < taps0.last; ++k0)
      for (Size k1 = taps1.first; k1 < taps1.last; ++k1) {
        const Size at = place(k0, k1, 0);
        for (Size k2 = taps2.first; k2 < taps2.last; ++k2) best.take(x[at + k2], at + k2);
      }
    y[p] = best.value;
    if (index) index[p] = best.at;
  }
}

template <class T>
void max_windows(const Convolution& c, const void* x_, void* y_, Size* index) {
  const T* x = static_cast<const T*>(x_);
  T* y = static_cast<T*>(y_);
  const bool in_pairs = c.kernel[0] == 1 && c.kernel[1] == 2 && c.kernel[2] == 2 && c.stride[0] == 1 &&
                        c.stride[1] == 2 && c.stride[2] == 2 && c.before[1] == 0 && c.before[2] == 0 &&
                        c.in[2] < (Size(1) << 30);
  for (Size image = 0; image < c.images; ++image, x += c.in_size())
    for (Size p0 = 0; p0 < c.out[0]; ++p0)
      for (Size p1 = 0; p1 < c.out[1]; ++p1) {
        if (in_pairs) {
          const Size place = (p0 * c.in[1] + 2 * p1) * c.in[2];
          pairs(x + place, c.in[2], place, c.out[2], y, index);
        } else {
          row(c, Taps(c, 0, p0), Taps(c, 1, p1), x, y, index);
        }
        y += c.out[2];
        if (index) index += c.out[2];
      }
}

}  // namespace

void fill_pooling(Table& t) {
  t.max_windows[int(f32)] = max_windows<float>;
  t.max_windows[int(f64)] = max_windows<double>;
}

}  // namespace xgrad::kernels::XGRAD_ISA
