#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <support.hpp>

using namespace xgrad;

TEST_CASE("a result's gradient is retained on demand, adds up, and does not come from grad()") {
  const Tensor x = leaf(3);
  Tensor y = x * 2;
  y.retain_grad();
  y.register_hook([](const Tensor& g) { return g * 100; });
  const Tensor loss = y * y;
  (void)grad(loss, {x}, {.retain_graph = true});
  CHECK(!y.has_grad());
  loss.backward({.retain_graph = true});
  CHECK(y.grad().item() == 1200);
  loss.backward();
  CHECK(y.grad().item() == 2400);
  CHECK(x.grad().item() == 4800);
  y.zero_grad();
  CHECK(!y.has_grad());
  x.retain_grad();  // a leaf does so anyway
  CHECK(x.grad().item() == 4800);
  CHECK_THROWS_AS(tensor(1.).retain_grad(), GraphError);
}

TEST_CASE("a retained gradient has numbers of its own") {
  const Tensor x = leaf(3), y = x + 0, z = y + 0;
  y.retain_grad();
  z.retain_grad();
  z.backward();
  Tensor(x.grad()).assign(tensor(50., {.dtype = f64}));
  CHECK(y.grad().item() == 1);
  CHECK(z.grad().item() == 1);
}

TEST_CASE("a captured step may retain a result's gradient") {
  const Tensor w = leaf(2);
  auto step = capture([&](const Tensor& x) {
    Tensor(w).zero_grad();
    const Tensor y = w * x;
    y.retain_grad();
    (y * y).backward();
    return y.grad();
  });
  for (const double x : {1., 2., 5.}) CHECK(step(tensor(x, {.dtype = f64})).item<double>() == 4 * x);
  CHECK(step.recordings() == 1);
}
