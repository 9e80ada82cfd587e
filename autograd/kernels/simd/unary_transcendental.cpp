#include <autograd/kernels/simd/elementwise.hpp>
#include <autograd/kernels/simd/hyperbolic.hpp>
#include <autograd/kernels/simd/inverse_trigonometric.hpp>
#include <autograd/kernels/simd/trigonometric.hpp>

namespace xgrad::kernels::XGRAD_ISA {

void fill_transcendental(Table& t) {
  using K = Unary;
  set<Batch<float>>(t, K::exp, f32, [](auto x) { return math::exp(x); });
  batched_f32(t, K::expm1, [](auto x) { return math::expm1(x); });
  set<Batch<float>>(t, K::log, f32, [](auto x) { return math::log(x); });
  batched_f32(t, K::log1p, [](auto x) { return math::log1p(x); });
  batched_f32(t, K::sin, [](auto x) { return math::sin(x); });
  batched_f32(t, K::cos, [](auto x) { return math::cos(x); });
  batched_f32(t, K::tanh, [](auto x) { return math::tanh(x); });
  batched_f32(t, K::erf, [](auto x) { return math::erf(x); });
  batched_f32(t, K::erfc, [](auto x) { return math::erfc(x); });
  batched_f32(t, K::tan, [](auto x) { return math::tan(x); });
  batched_f32(t, K::asin, [](auto x) { return math::asin(x); });
  batched_f32(t, K::acos, [](auto x) { return math::acos(x); });
  batched_f32(t, K::atan, [](auto x) { return math::atan(x); });
  batched_f32(t, K::sinh, [](auto x) { return math::sinh(x); });
  batched_f32(t, K::cosh, [](auto x) { return math::cosh(x); });
}

}  // namespace xgrad::kernels::XGRAD_ISA
