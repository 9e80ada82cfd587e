#include <autograd/kernels/simd/elementwise.hpp>
#include <autograd/kernels/simd/math.hpp>

namespace xgrad::kernels::XGRAD_ISA {

void fill_activations(Table& t) {
  using K = Unary;
  set<Batch<float>>(t, K::sigmoid, f32, [](auto x) { return math::sigmoid(x); });
  batched_f32(t, K::softplus, [](auto x) { return math::softplus(x); });
  batched_f32(t, K::log_sigmoid, [](auto x) { return math::log_sigmoid(x); });
  set<Batch<float>>(t, K::silu, f32, [](auto x) { return math::silu(x); });
  batched_f32(t, K::gelu, [](auto x) { return math::gelu(x); });
}

}  // namespace xgrad::kernels::XGRAD_ISA
