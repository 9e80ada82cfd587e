#pragma once
#include <autograd/fused/isa.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/kernels/simd/hyperbolic.hpp>
#include <autograd/kernels/simd/inverse_trigonometric.hpp>
#include <autograd/kernels/simd/power.hpp>
#include <autograd/kernels/simd/trigonometric.hpp>
#include <type_traits>

namespace xgrad::kernels::XGRAD_ISA {

template <class T>
struct Value;

/// The truth of a comparison, lane by lane.
template <class T>
struct Mask {
  xsimd::batch_bool<T> lanes;

  friend Mask logical_and(Mask a, Mask b) { return {a.lanes & b.lanes}; }
  friend Mask logical_or(Mask a, Mask b) { return {a.lanes | b.lanes}; }
  friend Mask logical_not(Mask a) { return {!a.lanes}; }
  /// a where the mask is true, b elsewhere.
  friend Value<T> select(Mask m, Value<T> a, Value<T> b) { return xsimd::select(m.lanes, a.lanes, b.lanes); }
  friend Value<T> where(Mask m, Value<T> a, Value<T> b) { return select(m, a, b); }
};

/// What a fused function computes with: a batch of elements of type T, float or double, with the elementwise functions
/// of autograd/ops.hpp, made of the same functions as the kernels of these ops. Arithmetic, roots and choices have the
/// op's bits.
template <class T>
struct Value {
  Batch<T> lanes;

  Value(Batch<T> batch) : lanes(batch) {}
  template <class N>
  requires std::is_arithmetic_v<N> Value(N n) : lanes(static_cast<T>(n)) {}
  static constexpr Size width = Size(Batch<T>::size);
  static Value load(const T* from) { return Batch<T>::load_unaligned(from); }
  void store(T* to) const { lanes.store_unaligned(to); }

  friend Value operator+(Value a, Value b) { return a.lanes + b.lanes; }
  friend Value operator-(Value a, Value b) { return a.lanes - b.lanes; }
  friend Value operator*(Value a, Value b) { return rounded(a.lanes * b.lanes); }
  friend Value operator/(Value a, Value b) { return a.lanes / b.lanes; }
  friend Value operator-(Value x) { return x.lanes * T(-1); }  // xsimd's -0 is 0 on AVX-512
  friend Value operator+(Value x) { return x; }
  Value& operator+=(Value b) { return *this = *this + b; }
  Value& operator-=(Value b) { return *this = *this - b; }
  Value& operator*=(Value b) { return *this = *this * b; }
  Value& operator/=(Value b) { return *this = *this / b; }

  friend Mask<T> operator==(Value a, Value b) { return {a.lanes == b.lanes}; }
  friend Mask<T> operator!=(Value a, Value b) { return {!(a.lanes == b.lanes)}; }  // xsimd 8's is false for NaN on AVX
  friend Mask<T> operator<(Value a, Value b) { return {a.lanes < b.lanes}; }
  friend Mask<T> operator<=(Value a, Value b) { return {a.lanes <= b.lanes}; }
  friend Mask<T> operator>(Value a, Value b) { return {a.lanes > b.lanes}; }
  friend Mask<T> operator>=(Value a, Value b) { return {a.lanes >= b.lanes}; }
  friend Mask<T> isnan(Value x) { return {xsimd::isnan(x.lanes)}; }
  friend Mask<T> isfinite(Value x) { return abs(x) < Value(__builtin_inf()); }

  friend Value abs(Value x) { return xsimd::abs(x.lanes); }
  friend Value sign(Value x) { return select(x > 0, Value(1), select(x < 0, Value(-1), x)); }
  friend Value square(Value x) { return x * x; }
  friend Value sqrt(Value x) { return xsimd::sqrt(x.lanes); }
  friend Value rsqrt(Value x) { return 1 / sqrt(x); }
  friend Value floor(Value x) { return xsimd::copysign(xsimd::floor(x.lanes), x.lanes); }
  friend Value ceil(Value x) { return xsimd::copysign(xsimd::ceil(x.lanes), x.lanes); }
  friend Value round(Value x) { return xsimd::copysign(xsimd::nearbyint(x.lanes), x.lanes); }
  friend Value minimum(Value a, Value b) { return select(logical_or(a < b, isnan(a)), a, b); }
  friend Value maximum(Value a, Value b) { return select(logical_or(a > b, isnan(a)), a, b); }
  friend Value clamp(Value x, double low, double high) {
    check_limits(low, high);
    return minimum(maximum(x, Value(low)), Value(high));
  }
  friend Value relu(Value x) { return select(x <= 0, Value(0), x); }

#define XGRAD_FUSED_FUNCTION(name, how)                  \
  friend Value name(Value x) {                           \
    return how([](auto v) { return math::name(v); }, x); \
  }
  XGRAD_FUSED_FUNCTION(exp, whole)
  XGRAD_FUSED_FUNCTION(log, whole)
  XGRAD_FUSED_FUNCTION(sigmoid, whole)
  XGRAD_FUSED_FUNCTION(silu, whole)
  XGRAD_FUSED_FUNCTION(sigmoid_slope, whole)
  XGRAD_FUSED_FUNCTION(tanh_slope, whole)
  XGRAD_FUSED_FUNCTION(expm1, whole_f32)
  XGRAD_FUSED_FUNCTION(log1p, whole_f32)
  XGRAD_FUSED_FUNCTION(sin, whole_f32)
  XGRAD_FUSED_FUNCTION(cos, whole_f32)
  XGRAD_FUSED_FUNCTION(tan, whole_f32)
  XGRAD_FUSED_FUNCTION(tanh, whole_f32)
  XGRAD_FUSED_FUNCTION(erf, whole_f32)
  XGRAD_FUSED_FUNCTION(erfc, whole_f32)
  XGRAD_FUSED_FUNCTION(asin, whole_f32)
  XGRAD_FUSED_FUNCTION(acos, whole_f32)
  XGRAD_FUSED_FUNCTION(atan, whole_f32)
  XGRAD_FUSED_FUNCTION(sinh, whole_f32)
  XGRAD_FUSED_FUNCTION(cosh, whole_f32)
  XGRAD_FUSED_FUNCTION(softplus, whole_f32)
  XGRAD_FUSED_FUNCTION(log_sigmoid, whole_f32)
  XGRAD_FUSED_FUNCTION(gelu, whole_f32)
#undef XGRAD_FUSED_FUNCTION
  friend Value atan2(Value y, Value x) {
    return one_by_one([](T v, T u) { return std::atan2(v, u); }, y, x);
  }
  friend Value pow(Value a, Value b) {
    return whole_f32([](auto x, auto y) { return math::pow(x, y); }, a, b);
  }
  friend Value pow(Value a, double n) { return n == 2 ? square(a) : pow(a, Value(n)); }

 private:
  /// A product that compilers do not fuse with a sum that follows: it would round otherwise than the op does.
  static Batch<T> rounded(Batch<T> product) {
#if defined __GNUC__ && !defined __clang__ && defined __FMA__
    asm("" : "+v"(product.data));
#elif defined __GNUC__ && !defined __clang__ && defined __aarch64__
    asm("" : "+w"(product.data));
#endif
    return product;
  }

  /// f of each lane.
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
    return Batch<T>::load_aligned(from[0]);
  }
  /// f of the batch.
  template <class F>
  static Value whole(F f, Value x) {
    return f(x.lanes);
  }
  /// f of the batch for f32, and of each lane for f64.
  template <class F, class... V>
  static Value whole_f32(F f, V... x) {
    if constexpr (std::is_same_v<T, float>)
      return f(x.lanes...);
    else
      return one_by_one(f, x...);
  }
};

}  // namespace xgrad::kernels::XGRAD_ISA
