#pragma once
#include <autograd/fused/isa.hpp>
#include <autograd/fused/probe.hpp>
#include <autograd/kernels/simd/value.hpp>
#include <utility>

/// What the derivatives of fused functions are computed with.
namespace xgrad::kernels::XGRAD_ISA {

/// A value with its derivatives in N directions: arithmetic on it is differentiation in forward mode. The rules are
/// those of the ops. A direction that is not `active` has derivative 0 whatever it is multiplied by, infinity too;
/// which ones are active is known while compiling, unless the function loops.
template <class T, std::size_t N>
struct Dual {
  using V = Value<T>;
  using M = Mask<T>;
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

  friend M operator==(const Dual& a, const Dual& b) { return a.value == b.value; }
  friend M operator!=(const Dual& a, const Dual& b) { return a.value != b.value; }
  friend M operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  friend M operator<=(const Dual& a, const Dual& b) { return a.value <= b.value; }
  friend M operator>(const Dual& a, const Dual& b) { return a.value > b.value; }
  friend M operator>=(const Dual& a, const Dual& b) { return a.value >= b.value; }
  friend M isnan(const Dual& x) { return isnan(x.value); }
  friend M isfinite(const Dual& x) { return isfinite(x.value); }
  friend Dual select(M m, const Dual& a, const Dual& b) {
    return combine(
        select(m, a.value, b.value), a, [&](V t) { return select(m, t, V(0)); }, b,
        [&](V t) { return select(m, V(0), t); });
  }
  friend Dual where(M m, const Dual& a, const Dual& b) { return select(m, a, b); }

  friend Dual clamp(const Dual& x, double low, double high) {
    const M inside = logical_and(x.value >= low, x.value <= high);
    return chain(clamp(x.value, low, high), x, [inside](V t) { return select(inside, t, V(0)); });
  }

#define XGRAD_FUNCTION(name) \
  friend Dual name(const Dual& x) { return through<Unary::name>(name(x.value), x); }
  XGRAD_UNARY_KERNELS(XGRAD_FUNCTION)
#undef XGRAD_FUNCTION
#define XGRAD_FUNCTION(name) \
  friend Dual name(const Dual& a, const Dual& b) { return through<Binary::name>(name(a.value, b.value), a, b); }
  XGRAD_BINARY_KERNELS(XGRAD_FUNCTION)
#undef XGRAD_FUNCTION
  friend Dual pow(const Dual& a, double n) {
    if (n == 0) return pow(a.value, n);
    return chain(pow(a.value, n), a, times(n * pow(a.value, n - 1)));
  }

 private:
  template <std::size_t... j>
  Dual(V v, std::index_sequence<j...>) : value(v), tangent{((void)j, V(0))...} {}

  static V same(V t) { return t; }
  static auto times(V factor) {
    return [factor](V t) { return t * factor; };
  }

  /// y = f(x), by the derivative of a kernel's function.
  template <Unary f>
  static Dual through(V y, const Dual& x) {
    const auto slope = Elementwise<f>::slope(x.value, y);
    using Slope = std::remove_const_t<decltype(slope)>;
    if constexpr (std::is_same_v<Slope, Zero>)
      return y;
    else if constexpr (std::is_same_v<Slope, M>)
      return chain(y, x, [slope](V t) { return select(slope, t, V(0)); });
    else
      return chain(y, x, times(slope));
  }
  template <Binary f>
  static Dual through(V y, const Dual& a, const Dual& b) {
    const auto [da, db] = Elementwise<f>::tangents(a.value, b.value, y);
    return combine(y, a, da, b, db);
  }

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
};

template <class X>
inline constexpr bool is_fused = false;
template <class T>
inline constexpr bool is_fused<Value<T>> = true;
template <class T, std::size_t N>
inline constexpr bool is_fused<Dual<T, N>> = true;
template <>
inline constexpr bool is_fused<Probe> = true;

template <class X>
requires is_fused<X> X leaky_relu(X x, double slope = 0.01) { return select(x > 0, x, x * slope); }
template <class X>
requires is_fused<X> X elu(X x, double alpha = 1) { return select(x > 0, x, alpha * expm1(select(x > 0, X(0), x))); }
template <class X>
requires is_fused<X> X selu(X x) {
  return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717);
}

}  // namespace xgrad::kernels::XGRAD_ISA
