#include <autograd/kernels/simd/elementwise.hpp>
#include <autograd/kernels/simd/root.hpp>

namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// A batch's rounding with the sign of x also where it gives zero, which SSE2's does not.
template <class V>
V signed_as(V rounded, V x) {
  return xsimd::copysign(rounded, x);
}

}  // namespace

void fill_arithmetic(Table& t) {
  using xsimd::select;
  using K = Unary;
  batched(t, K::negate, [](auto x) { return x * -1; });  // xsimd's -0 is 0 on AVX-512
  batched(t, K::abs, [](auto x) { return xsimd::abs(x); });
  batched(t, K::sign, [](auto x) {  // keeps 0 and NaN
    return select(x > 0, decltype(x)(1), select(x < 0, decltype(x)(-1), x));
  });
  batched(t, K::square, [](auto x) { return x * x; });
  batched(t, K::sqrt, [](auto x) { return math::sqrt(x); });
  batched(t, K::rsqrt, [](auto x) { return 1 / math::sqrt(x); });
  batched(t, K::reciprocal, [](auto x) { return 1 / x; });
  batched(t, K::floor, [](auto x) { return signed_as(xsimd::floor(x), x); });
  batched(t, K::ceil, [](auto x) { return signed_as(xsimd::ceil(x), x); });
  batched(t, K::round, [](auto x) { return signed_as(xsimd::nearbyint(x), x); });  // half to even
  batched(t, K::relu, [](auto x) { return select(x <= 0, decltype(x)(0), x); });

  integer<Unsigned>(t, K::negate, [](Unsigned x) { return 0 - x; });
  integer<Signed>(t, K::abs, [](Signed x) { return x < 0 ? Signed(0 - Unsigned(x)) : x; });
  integer<Signed>(t, K::sign, [](Signed x) { return Signed((x > 0) - (x < 0)); });
  integer<Unsigned>(t, K::square, [](Unsigned x) { return x * x; });
}

}  // namespace xgrad::kernels::XGRAD_ISA
