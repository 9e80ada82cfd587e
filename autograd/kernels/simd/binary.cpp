#include <autograd/kernels/simd/elementwise.hpp>
#include <autograd/kernels/simd/math.hpp>

namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// z (step(z) - t), which is max(z, 0) - z t without inf - inf: where the factor is 0 so is the product.
template <class V>
V logit_term(V z, V target) {
  const V factor = math::select(z > V(0), V(1), V(0)) - target;
  return math::select(factor == V(0), V(0), z * factor);
}

}  // namespace

void fill_binary(Table& t) {
  using xsimd::isnan;  // and not a != a, which xsimd's AVX compares as false
  using xsimd::select;
  using K = Binary;
  batched(t, K::add, [](auto a, auto b) { return a + b; });
  batched(t, K::subtract, [](auto a, auto b) { return a - b; });
  batched(t, K::multiply, [](auto a, auto b) { return a * b; });
  batched(t, K::divide, [](auto a, auto b) { return a / b; });
  batched(t, K::minimum, [](auto a, auto b) { return select((a < b) | isnan(a), a, b); });  // NaN in either wins
  batched(t, K::maximum, [](auto a, auto b) { return select((a > b) | isnan(a), a, b); });
  batched(t, K::relu_grad, [](auto g, auto y) { return select(y <= 0, decltype(g)(0), g); });
  batched(t, K::sigmoid_grad, [](auto g, auto x) { return g * math::sigmoid_slope(x); });
  batched(t, K::tanh_grad, [](auto g, auto x) { return g * math::tanh_slope(x); });
  batched_f32(t, K::bce_with_logits, [](auto z, auto target) { return logit_term(z, target) + math::log1p_exp(z); });

  integer<Unsigned>(t, K::add, [](auto a, auto b) { return a + b; });
  integer<Unsigned>(t, K::subtract, [](auto a, auto b) { return a - b; });
  integer<Unsigned>(t, K::multiply, [](auto a, auto b) { return a * b; });
  integer<Signed>(t, K::minimum, [](auto a, auto b) { return a < b ? a : b; });
  integer<Signed>(t, K::maximum, [](auto a, auto b) { return a > b ? a : b; });

  fill_binary_transcendental(t);
  fill_compare(t);
}

}  // namespace xgrad::kernels::XGRAD_ISA
