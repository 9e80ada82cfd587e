#include <autograd/kernels/simd/elementwise.hpp>
#include <autograd/kernels/simd/math.hpp>

namespace xgrad::kernels::XGRAD_ISA {

void fill_activations(Table& t) {
  using K = Unary;
  set<Batch<float>>(t, K::sigmoid, f32, [](auto x) { return math::sigmoid(x); });
  batched_f32(t, K::softplus, [](auto x) { return math::positive_part(x) + math::log1p_exp(x); });
  batched_f32(t, K::log_sigmoid, [](auto x) { return -(math::positive_part(-x) + math::log1p_exp(x)); });
  set<Batch<float>>(t, K::silu, f32, [](auto x) { return math::gated(x, math::sigmoid(x)); });
  batched_f32(t, K::gelu, [](auto x) {  // 1 + erf(x / sqrt 2) as erfc, which does not cancel for negative x
    using V = decltype(x);
    return math::gated(x, V(0.5f) * math::erfc(x * math::constant<V>(-0.70710678118654752440)));
  });
}

}  // namespace xgrad::kernels::XGRAD_ISA
