#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/fused/together/polynomial.hpp>
#include <cstring>

// Sources with different flags share a fused function in one program.
using namespace xgrad;

TEST_CASE("sources compiled plainly and with -march=native can be linked together, and agree") {
  manual_seed(0);
  const Tensor x = rand({1001}).set_requires_grad(true), m = rand({1001}).set_requires_grad(true);
  const Tensor plain = fused("polynomial", Polynomial(), x, m), native = native_polynomial(x, m);
  const auto equal = [](const Tensor& a, const Tensor& b) {
    return std::memcmp(a.array().data(), b.array().data(), a.array().bytes()) == 0;
  };
  CHECK(equal(plain, Polynomial()(x, m)));
  CHECK(equal(plain, native));
  const auto of_plain = grad(sum(plain), {x, m}), of_native = grad(sum(native), {x, m});
  for (std::size_t i = 0; i < 2; ++i) CHECK(equal(of_plain[i], of_native[i]));
  MESSAGE("batches of " << xsimd::batch<float>::size << " and of " << native_width());
}
