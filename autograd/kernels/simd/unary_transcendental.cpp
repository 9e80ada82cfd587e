#include <autograd/kernels/simd/elementwise.hpp>
#include <autograd/kernels/simd/wide_math.hpp>

namespace xgrad::kernels::XGRAD_ISA {

void fill_transcendental(Table& t) {
  using K = Unary;
  batched_f32(t, K::exp, [](auto x) { return math::exp(x); });
  batched_f32(t, K::expm1, [](auto x) { return math::expm1(x); });
  batched_f32(t, K::log, [](auto x) { return math::log(x); });
  batched_f32(t, K::log1p, [](auto x) { return math::log1p(x); });
  batched_f32(t, K::sin, [](auto x) { return math::sin(x); });
  batched_f32(t, K::cos, [](auto x) { return math::cos(x); });
  batched_f32(t, K::tanh, [](auto x) { return math::tanh(x); });
  batched_f32(t, K::erf, [](auto x) { return math::erf(x); });
  one_by_one(t, K::tan, [](auto x) { return std::tan(x); });
  batched_f32(t, K::asin, [](auto x) { return math::asin(x); });
  batched_f32(t, K::acos, [](auto x) { return math::acos(x); });
  batched_f32(t, K::atan, [](auto x) { return math::atan(x); });
  batched_f32(t, K::sinh, [](auto x) { return math::sinh(x); });
  batched_f32(t, K::cosh, [](auto x) { return math::cosh(x); });
}

}  // namespace xgrad::kernels::XGRAD_ISA
