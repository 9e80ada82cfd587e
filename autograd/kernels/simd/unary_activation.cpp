#include <autograd/kernels/simd/elementwise.hpp>
#include <autograd/kernels/simd/math.hpp>

namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// 1 / (1 + exp(-x)); the exponential is of -|x|, so that it cannot overflow.
template <class V>
V sigmoid(V x) {
  const V e = math::exp(-math::abs(x));
  return math::select(x >= V(0), V(1), e) / (V(1) + e);
}

/// x * gate, and the limit 0 at -inf, where the gate is 0.
template <class V>
V gated(V x, V gate) {
  return math::select(x == math::constant<V>(-__builtin_inf()), V(0), x * gate);
}

}  // namespace

void fill_activations(Table& t) {
  using K = Unary;
  batched_f32(t, K::sigmoid, [](auto x) { return sigmoid(x); });
  batched_f32(t, K::softplus, [](auto x) { return math::positive_part(x) + math::log1p_exp(x); });
  batched_f32(t, K::log_sigmoid, [](auto x) { return -(math::positive_part(-x) + math::log1p_exp(x)); });
  batched_f32(t, K::silu, [](auto x) { return gated(x, sigmoid(x)); });
  batched_f32(t, K::gelu, [](auto x) {  // 1 + erf(x / sqrt 2) as erfc, which does not cancel for negative x
    using V = decltype(x);
    return gated(x, V(0.5f) * math::erfc(x * math::constant<V>(-0.70710678118654752440)));
  });
}

}  // namespace xgrad::kernels::XGRAD_ISA
