#pragma once
#include <autograd/fused/value.hpp>
#include <utility>

namespace xgrad::kernels::XGRAD_ISA {

/// A value with its derivatives in N directions: arithmetic on it is differentiation in forward mode. The rules are
/// those of the ops. A direction that is not `active` has derivative 0 whatever it is multiplied by, infinity too;
/// which ones are active is known while compiling, unless the function loops.
template <class T, std::size_t N>
struct Dual {
  using V = Value<T>;
  V value;
  V tangent[N];
  unsigned active = 0;

  Dual(V v) : Dual(v, std::make_index_sequence<N>()) {}
  template <class A>
  requires std::is_arithmetic_v<A> Dual(A n) : Dual(V(n)) {}
  /// The variable whose derivative is direction i.
  static Dual variable(V v, int i) {
    Dual x(v);
    x.tangent[i] = V(1);
    x.active = 1u << i;
    return x;
  }
  bool depends_on(std::size_t direction) const { return active >> direction & 1; }

  friend Dual operator+(const Dual& a, const Dual& b) { return combine(a.value + b.value, a, same, b, same); }
  friend Dual operator-(const Dual& a, const Dual& b) {
    return combine(a.value - b.value, a, same, b, [](V t) { return -t; });
  }
  friend Dual operator*(const Dual& a, const Dual& b) {
    return combine(a.value * b.value, a, times(b.value), b, times(a.value));
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const V y = a.value / b.value, inverse = 1 / b.value;
    return combine(y, a, times(inverse), b, times(-(y * inverse)));
  }
  friend Dual operator-(const Dual& x) {
    return chain(-x.value, x, [](V t) { return -t; });
  }
  friend Dual operator+(const Dual& x) { return x; }
  Dual& operator+=(const Dual& b) { return *this = *this + b; }
  Dual& operator-=(const Dual& b) { return *this = *this - b; }
  Dual& operator*=(const Dual& b) { return *this = *this * b; }
  Dual& operator/=(const Dual& b) { return *this = *this / b; }

  friend Mask<T> operator==(const Dual& a, const Dual& b) { return a.value == b.value; }
  friend Mask<T> operator!=(const Dual& a, const Dual& b) { return a.value != b.value; }
  friend Mask<T> operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  friend Mask<T> operator<=(const Dual& a, const Dual& b) { return a.value <= b.value; }
  friend Mask<T> operator>(const Dual& a, const Dual& b) { return a.value > b.value; }
  friend Mask<T> operator>=(const Dual& a, const Dual& b) { return a.value >= b.value; }
  friend Mask<T> isnan(const Dual& x) { return isnan(x.value); }
  friend Mask<T> isfinite(const Dual& x) { return isfinite(x.value); }
  friend Dual select(Mask<T> m, const Dual& a, const Dual& b) {
    return combine(
        select(m, a.value, b.value), a, [&](V t) { return select(m, t, V(0)); }, b,
        [&](V t) { return select(m, V(0), t); });
  }
  friend Dual where(Mask<T> m, const Dual& a, const Dual& b) { return select(m, a, b); }

  friend Dual abs(const Dual& x) { return chain(abs(x.value), x, times(sign(x.value))); }
  friend Dual sign(const Dual& x) { return sign(x.value); }
  friend Dual floor(const Dual& x) { return floor(x.value); }
  friend Dual ceil(const Dual& x) { return ceil(x.value); }
  friend Dual round(const Dual& x) { return round(x.value); }
  friend Dual square(const Dual& x) { return chain(square(x.value), x, times(2 * x.value)); }
  friend Dual sqrt(const Dual& x) {
    const V y = sqrt(x.value);
    return chain(y, x, times(0.5 / y));
  }
  friend Dual rsqrt(const Dual& x) {
    const V y = rsqrt(x.value);
    return chain(y, x, times(-0.5 * (y * y * y)));
  }
  friend Dual minimum(const Dual& a, const Dual& b) {
    return share(minimum(a.value, b.value), a, a.value > b.value, b, b.value > a.value);
  }
  friend Dual maximum(const Dual& a, const Dual& b) {
    return share(maximum(a.value, b.value), a, a.value < b.value, b, b.value < a.value);
  }
  friend Dual clamp(const Dual& x, double low, double high) {
    const Mask<T> inside = logical_and(x.value >= low, x.value <= high);
    return chain(clamp(x.value, low, high), x, [inside](V t) { return select(inside, t, V(0)); });
  }
  friend Dual relu(const Dual& x) {
    const V y = relu(x.value);
    return chain(y, x, [below = y <= 0](V t) { return select(below, V(0), t); });
  }

  friend Dual exp(const Dual& x) {
    const V y = exp(x.value);
    return chain(y, x, times(y));
  }
  friend Dual expm1(const Dual& x) { return chain(expm1(x.value), x, times(exp(x.value))); }
  friend Dual log(const Dual& x) { return chain(log(x.value), x, times(log_slope(x.value))); }
  friend Dual log1p(const Dual& x) { return chain(log1p(x.value), x, times(log_slope(1 + x.value))); }
  friend Dual sin(const Dual& x) { return chain(sin(x.value), x, times(cos(x.value))); }
  friend Dual cos(const Dual& x) { return chain(cos(x.value), x, times(-sin(x.value))); }
  friend Dual tan(const Dual& x) {
    const V y = tan(x.value);
    return chain(y, x, times(1 + y * y));
  }
  friend Dual asin(const Dual& x) { return chain(asin(x.value), x, times(arc_slope(x.value))); }
  friend Dual acos(const Dual& x) { return chain(acos(x.value), x, times(-arc_slope(x.value))); }
  friend Dual atan(const Dual& x) { return chain(atan(x.value), x, times(1 / (1 + x.value * x.value))); }
  friend Dual atan2(const Dual& y, const Dual& x) {
    // Scaled, so that the squares stay in range; 0 at the origin and where one is infinite.
    const V size = maximum(abs(x.value), abs(y.value));
    const Mask<T> infinite = size == V(__builtin_inf());
    const V h = select(logical_or(size == 0, infinite), V(1), size);
    const V u = select(infinite, V(0), x.value) / h, v = select(infinite, V(0), y.value) / h;
    const V r2 = u * u + v * v, s = select(r2 == 0, V(1), r2);
    return combine(atan2(y.value, x.value), y, times(u / s / h), x, times(-(v / s / h)));
  }
  friend Dual sinh(const Dual& x) { return chain(sinh(x.value), x, times(cosh(x.value))); }
  friend Dual cosh(const Dual& x) { return chain(cosh(x.value), x, times(sinh(x.value))); }
  friend Dual tanh(const Dual& x) { return chain(tanh(x.value), x, times(tanh_slope(x.value))); }
  friend Dual erf(const Dual& x) { return chain(erf(x.value), x, times(erf_slope(x.value))); }
  friend Dual erfc(const Dual& x) { return chain(erfc(x.value), x, times(-erf_slope(x.value))); }
  friend Dual pow(const Dual& a, double n) {
    if (n == 0) return pow(a.value, n);
    return chain(pow(a.value, n), a, times(n * pow(a.value, n - 1)));
  }
  friend Dual pow(const Dual& a, const Dual& b) {
    const V y = pow(a.value, b.value);
    const Mask<T> flat_a = b.value == 0, flat_b = logical_and(a.value == 0, b.value >= 0);
    return combine(
        y, a,
        [&](V t) { return select(flat_a, V(0), t * (b.value * pow(a.value, select(flat_a, V(1), b.value - 1)))); }, b,
        [&](V t) { return select(flat_b, V(0), t * (y * log(select(flat_b, V(1), a.value)))); });
  }

  friend Dual sigmoid(const Dual& x) { return chain(sigmoid(x.value), x, times(sigmoid_slope(x.value))); }
  friend Dual softplus(const Dual& x) { return chain(softplus(x.value), x, times(sigmoid(x.value))); }
  friend Dual log_sigmoid(const Dual& x) { return chain(log_sigmoid(x.value), x, times(sigmoid(-x.value))); }
  // Limits keep inf * 0 out of the two below.
  friend Dual silu(const Dual& x) {
    return chain(silu(x.value), x, times(sigmoid(x.value) + limited(x.value, 1000) * sigmoid_slope(x.value)));
  }
  friend Dual gelu(const Dual& x) {
    const V c = limited(x.value, 100);  // Phi(x) + x phi(x)
    return chain(gelu(x.value), x,
                 times(0.5 * erfc(c * -0.70710678118654752440) + 0.39894228040143267794 * c * exp(-0.5 * (c * c))));
  }

 private:
  template <std::size_t... j>
  Dual(V v, std::index_sequence<j...>) : value(v), tangent{((void)j, V(0))...} {}

  static V same(V t) { return t; }
  static auto times(V factor) {
    return [factor](V t) { return t * factor; };
  }
  /// NaN where the logarithm is.
  static V log_slope(V x) { return 1 / select(x < 0, V(__builtin_nan("")), x); }
  static V erf_slope(V x) { return 1.1283791670955126 * exp(-(x * x)); }  // 2 / sqrt(pi)
  static V arc_slope(V x) { return rsqrt((1 - x) * (1 + x)); }
  static V limited(V x, double to) { return minimum(maximum(x, V(-to)), V(to)); }

  /// y with the directions of a, each through da, and those of b through db.
  template <class A, class B>
  static Dual combine(V y, const Dual& a, A da, const Dual& b, B db) {
    Dual result(y);
    const auto one = [&](std::size_t j) {
      if (a.depends_on(j)) result.tangent[j] = da(a.tangent[j]);
      if (b.depends_on(j))
        result.tangent[j] = a.depends_on(j) ? result.tangent[j] + db(b.tangent[j]) : db(b.tangent[j]);
    };
    [&]<std::size_t... j>(std::index_sequence<j...>) { (one(j), ...); }
    (std::make_index_sequence<N>());
    result.active = a.active | b.active;
    return result;
  }
  template <class D>
  static Dual chain(V y, const Dual& x, D d) {
    Dual result(y);
    [&]<std::size_t... j>(std::index_sequence<j...>) {
      ((x.depends_on(j) ? void(result.tangent[j] = d(x.tangent[j])) : void()), ...);
    }
    (std::make_index_sequence<N>());
    result.active = x.active;
    return result;
  }
  /// Who lost gets nothing; a tie is shared by halves.
  static Dual share(V y, const Dual& a, Mask<T> a_lost, const Dual& b, Mask<T> b_lost) {
    const Mask<T> tie = a.value == b.value;
    const auto part = [tie](Mask<T> lost) {
      return [tie, lost](V t) { return select(lost, V(0), select(tie, t * 0.5, t)); };
    };
    return combine(y, a, part(a_lost), b, part(b_lost));
  }
};

template <class X>
inline constexpr bool is_fused = false;
template <class T>
inline constexpr bool is_fused<Value<T>> = true;
template <class T, std::size_t N>
inline constexpr bool is_fused<Dual<T, N>> = true;

template <class X>
requires is_fused<X> X leaky_relu(X x, double slope = 0.01) { return select(x > 0, x, x * slope); }
template <class X>
requires is_fused<X> X elu(X x, double alpha = 1) { return select(x > 0, x, alpha * expm1(select(x > 0, X(0), x))); }
template <class X>
requires is_fused<X> X selu(X x) {
  return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717);
}

}  // namespace xgrad::kernels::XGRAD_ISA
