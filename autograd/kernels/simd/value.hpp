#pragma once
#include <autograd/kernels/binary.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/kernels/simd/division.hpp>
#include <autograd/kernels/simd/hyperbolic.hpp>
#include <autograd/kernels/simd/inverse_trigonometric.hpp>
#include <autograd/kernels/simd/power.hpp>
#include <autograd/kernels/simd/root.hpp>
#include <autograd/kernels/simd/special.hpp>
#include <autograd/kernels/simd/trigonometric.hpp>
#include <autograd/kernels/simd/wrapping.hpp>
#include <autograd/kernels/unary.hpp>
#include <type_traits>

/// What the definitions of elementwise functions (unary.hpp, binary.hpp) are written with.
namespace xgrad::kernels::XGRAD_ISA {

/// A batch of elements of type T, or one of them. (A parameter that is a batch would have the functions of xsimd found
/// beside those of this namespace.)
template <class T, bool batch = true>
struct Value;

/// A kernel's function of lanes: a batch, or a single element.
template <auto kernel>
struct Function;

/// Whether a kernel computes elements of type T in batches.
template <auto kernel, class T>
inline constexpr bool in_batches = sizeof(T) == sizeof(float) ? Elementwise<kernel>::f32_in_batches
                                                              : Elementwise<kernel>::f64_in_batches;

/// The truth of a comparison, lane by lane.
template <class T, bool batch = true>
struct Mask {
  using Truth = std::conditional_t<batch, xsimd::batch_bool<T>, bool>;
  using V = Value<T, batch>;
  Truth lanes;

  friend Mask logical_and(Mask a, Mask b) { return {Truth(a.lanes & b.lanes)}; }
  friend Mask logical_or(Mask a, Mask b) { return {Truth(a.lanes | b.lanes)}; }
  friend Mask logical_not(Mask a) { return {!a.lanes}; }
  /// a where the mask is true, b elsewhere.
  friend V select(Mask m, V a, V b) { return math::select(m.lanes, a.lanes, b.lanes); }
  friend V where(Mask m, V a, V b) { return select(m, a, b); }
};

/// What an elementwise function computes with: lanes, with the elementwise functions of autograd/ops.hpp. For a fused
/// function these are the kernels' own, but in the program's instructions; arithmetic, roots and choices have the op's
/// bits. Integers wrap around.
template <class T, bool batch>
struct Value {
  using L = std::conditional_t<batch, Batch<T>, T>;
  using M = Mask<T, batch>;
  L lanes;

  Value(L l) : lanes(l) {}
  template <class N>
  requires std::is_arithmetic_v<N> Value(N n) : lanes(static_cast<T>(n)) {}
  static constexpr Size width = Lanes<L>::width;
  static Value load(const T* from) { return L::load_unaligned(from); }
  void store(T* to) const { lanes.store_unaligned(to); }

  friend Value operator+(Value a, Value b) { return L(Wrapping(a.lanes) + Wrapping(b.lanes)); }
  friend Value operator-(Value a, Value b) { return L(Wrapping(a.lanes) - Wrapping(b.lanes)); }
  friend Value operator*(Value a, Value b) { return rounded(L(Wrapping(a.lanes) * Wrapping(b.lanes))); }
  friend Value operator/(Value a, Value b) { return a.lanes / b.lanes; }
  /// xsimd's -0 is 0 on AVX-512.
  friend Value operator-(Value x) { return L(Wrapping(x.lanes) * Wrapping(T(-1))); }
  friend Value operator+(Value x) { return x; }
  Value& operator+=(Value b) { return *this = *this + b; }
  Value& operator-=(Value b) { return *this = *this - b; }
  Value& operator*=(Value b) { return *this = *this * b; }
  Value& operator/=(Value b) { return *this = *this / b; }

  friend M operator==(Value a, Value b) { return {a.lanes == b.lanes}; }
  friend M operator!=(Value a, Value b) { return {!(a.lanes == b.lanes)}; }  // xsimd 8's is false for NaN on AVX
  friend M operator<(Value a, Value b) { return {a.lanes < b.lanes}; }
  friend M operator<=(Value a, Value b) { return {a.lanes <= b.lanes}; }
  friend M operator>(Value a, Value b) { return {a.lanes > b.lanes}; }
  friend M operator>=(Value a, Value b) { return {a.lanes >= b.lanes}; }
  friend M isnan(Value x) {
    if constexpr (batch)
      return {xsimd::isnan(x.lanes)};
    else
      return {x.lanes != x.lanes};
  }
  friend M isfinite(Value x) { return abs(x) < Value(__builtin_inf()); }

#define XGRAD_FUNCTION(name) \
  friend Value name(Value x) { return lanewise<Unary::name>(x); }
  XGRAD_UNARY_KERNELS(XGRAD_FUNCTION)
#undef XGRAD_FUNCTION
#define XGRAD_FUNCTION(name) \
  friend Value name(Value a, Value b) { return lanewise<Binary::name>(a, b); }
  XGRAD_BINARY_KERNELS(XGRAD_FUNCTION)
#undef XGRAD_FUNCTION
  friend Value pow(Value a, double n) { return n == 2 ? square(a) : pow(a, Value(n)); }
  friend Value clamp(Value x, double low, double high) {
    check_limits(low, high);
    return minimum(maximum(x, Value(low)), Value(high));
  }
  friend Value sigmoid_slope(Value x) { return math::sigmoid_slope(x.lanes); }
  friend Value tanh_slope(Value x) { return math::tanh_slope(x.lanes); }
  friend Value log1p_exp(Value x) { return math::log1p_exp(x.lanes); }  // not of f64 in batches
  /// |x|, at most so much that nothing is beyond it, and the standard normal's tail beyond that and its density there.
  friend math::NormalTail<Value> normal_tail(Value x) {
    if constexpr (std::is_same_v<L, math::Floats>) {
      const auto [size, tail, density] = math::normal_tail(x.lanes);
      return {size, tail, density};
    } else {
      const Value z = select(abs(x) > 100, Value(100), abs(x));
      return {z, 0.5 * erfc(z * 0.70710678118654752440), 0.39894228040143267794 * exp(-0.5 * (z * z))};
    }
  }

 private:
  using Wrapping = typename WrappingOf<L>::type;

  /// A product that compilers do not fuse with a sum that follows (fused/isa.hpp): it would round otherwise than the op
  /// does.
  static L rounded(L product) {
#ifdef XGRAD_PRODUCT_REGISTER
    if constexpr (batch)
      asm("" : XGRAD_PRODUCT_REGISTER(product.data));
    else
      asm("" : XGRAD_PRODUCT_REGISTER(product));
#endif
    return product;
  }

  /// The kernel's function of all lanes, or of one after the other.
  template <auto kernel, class... V>
  static Value lanewise(V... x) {
    constexpr Function<kernel> f;
    if constexpr (!batch || in_batches<kernel, T>)
      return L(f(x.lanes...));
    else
      return one_by_one(f, x...);
  }
  template <class F, class... V>
  static Value one_by_one(F f, V... x) {
    alignas(64) T from[sizeof...(x)][std::size_t(width)];
    std::size_t k = 0;
    (x.lanes.store_aligned(from[k++]), ...);
    for (std::size_t j = 0; j < std::size_t(width); ++j) {
      if constexpr (sizeof...(x) == 1)
        from[0][j] = f(from[0][j]);
      else
        from[0][j] = f(from[0][j], from[1][j]);
    }
    return L::load_aligned(from[0]);
  }
};

template <class L>
using ValueOf = Value<typename Lanes<L>::Element, !std::is_same_v<L, typename Lanes<L>::Element>>;

#define XGRAD_FUNCTION(kind, name)  \
  template <>                       \
  struct Function<kind::name> {     \
    template <class... L>           \
    auto operator()(L... x) const { \
      return math::name(x...);      \
    }                               \
  };
#define XGRAD_FORMULA(kind, name)                                    \
  template <>                                                        \
  struct Function<kind::name> {                                      \
    template <class... L>                                            \
    auto operator()(L... x) const {                                  \
      return Elementwise<kind::name>::value(ValueOf<L>(x)...).lanes; \
    }                                                                \
  };
#define XGRAD_UNARY(name) XGRAD_FUNCTION(Unary, name)
#define XGRAD_BINARY(name) XGRAD_FUNCTION(Binary, name)
XGRAD_UNARY_FUNCTIONS(XGRAD_UNARY)
XGRAD_BINARY_FUNCTIONS(XGRAD_BINARY)
#undef XGRAD_UNARY
#undef XGRAD_BINARY
#define XGRAD_UNARY(name) XGRAD_FORMULA(Unary, name)
#define XGRAD_BINARY(name) XGRAD_FORMULA(Binary, name)
XGRAD_UNARY_FORMULAS(XGRAD_UNARY)
XGRAD_BINARY_FORMULAS(XGRAD_BINARY)
#undef XGRAD_UNARY
#undef XGRAD_BINARY
#undef XGRAD_FUNCTION
#undef XGRAD_FORMULA

}  // namespace xgrad::kernels::XGRAD_ISA
