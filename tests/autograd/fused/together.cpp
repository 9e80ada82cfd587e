#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/fused/together/polynomial.hpp>
#include <support.hpp>

// Sources with different flags share a fused function in one program.
using namespace xgrad;

TEST_CASE("sources compiled plainly and with -march=native can be linked together, and agree") {
  manual_seed(0);
  const Tensor x = rand({1001}).set_requires_grad(true), m = rand({1001}).set_requires_grad(true);
  const Tensor plain = fused("polynomial", Polynomial(), x, m), native = native_polynomial(x, m);
  CHECK(same_bits(plain, Polynomial()(x, m)));
  CHECK(same_bits(plain, native));
  const auto of_plain = grad(sum(plain), {x, m}), of_native = grad(sum(native), {x, m});
  CHECK(same_bits(of_plain, of_native));
  MESSAGE("batches of " << xsimd::batch<float>::size << " and of " << native_width());
}
