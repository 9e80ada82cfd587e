#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

using namespace xgrad;

TEST_CASE("a captured function computes what the function computes") {
  Tensor x = tensor({1., 2.}, {.requires_grad = true});
  int runs = 0;
  auto step = capture([&](const Tensor& a) {
    ++runs;
    const Tensor y = sum(x * a);
    x.zero_grad();
    y.backward();
    return y;
  });
  CHECK(step(tensor({3., 4.})).item<double>() == 11);
  CHECK(step(tensor({5., 6.})).item<double>() == 17);
  CHECK(x.grad().data<float>()[1] == 6);
  CHECK(runs == 1);
}
