#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <stdexcept>
#include <support.hpp>
#include <thread>

using namespace xgrad;

TEST_CASE("a leaf is what the user made; results of ops are not leaves, and only leaves get a gradient") {
  const Tensor x = leaf(2), y = x * 3, constant = tensor(1.);
  CHECK(x.is_leaf());
  CHECK(constant.is_leaf());
  CHECK(!y.is_leaf());
  CHECK(y.detach().is_leaf());
  (y * y).backward();
  CHECK(x.grad().item() == 36);
  CHECK(!y.has_grad());
  CHECK(!y.grad().defined());
  CHECK(!constant.has_grad());
}

TEST_CASE("a second backward adds; zero_grad leaves no gradient") {
  Tensor x = leaf(2);
  (x * 3).backward();
  (x * 4).backward();
  CHECK(x.grad().item() == 7);
  x.zero_grad();
  CHECK(!x.has_grad());
  CHECK(!x.grad().defined());
  (x * 5).backward();
  CHECK(x.grad().item() == 5);
}

TEST_CASE("accumulation is in place without create_graph and out of place with it") {
  const Tensor x = leaf(2);
  (x * 3).backward();
  const void* const place = x.grad().array().data();
  (x * 4).backward();
  CHECK(x.grad().array().data() == place);
  CHECK(x.grad().item() == 7);
  const Tensor held = x.grad();
  (x * x).backward({.create_graph = true});
  CHECK(held.item<double>() == 7);
  CHECK(x.grad().item() == 11);
  CHECK(x.grad().requires_grad());
  Tensor(x).zero_grad();  // breaks the documented cycle
}

TEST_CASE("a gradient that the user holds is not changed by the next backward") {
  const Tensor x = leaf(2);
  (x * 3).backward();
  const Tensor held = x.grad();
  (x * 4).backward();
  CHECK(held.item<double>() == 3);
  CHECK(x.grad().item() == 7);
}

TEST_CASE("two leaves never share one gradient's numbers although a vjp gives both the same tensor") {
  const Tensor a = leaf(1), b = leaf(2);
  (a + b).backward();
  CHECK(a.grad().array().data() != b.grad().array().data());
  (a * 5).backward();
  CHECK(a.grad().item() == 6);
  CHECK(b.grad().item() == 1);
}

TEST_CASE("a leaf's gradient never shares the numbers of the cotangent") {
  const Tensor x = tensor({1., 2.}, {.dtype = f64, .requires_grad = true}), c = tensor({3., 4.}, {.dtype = f64});
  (x + 0).backward(c);
  CHECK(x.grad().array().data() != c.array().data());
}

TEST_CASE("grad touches nobody's grad()") {
  const Tensor x = leaf(2), w = leaf(3);
  (x * w).backward();
  const Tensor g = grad(x * w * w, {x})[0];
  CHECK(g.item<double>() == 9);
  CHECK(x.grad().item() == 3);
  CHECK(w.grad().item() == 2);
}

TEST_CASE("grad of an input that is not used throws, or gives nothing or zeros as asked") {
  const Tensor x = leaf(2), unused = ones({2}, {.dtype = f64, .requires_grad = true});
  CHECK_THROWS_AS(grad(x * x, {x, unused}), GraphError);
  const auto some = grad(x * x, {x, unused}, {.allow_unused = true});
  CHECK(some[0].item<double>() == 4);
  CHECK(!some[1].defined());
  const auto zero = grad(x * x, {x, unused}, {.zeros_if_unused = true});
  CHECK(zero[1].shape() == Shape{2});
  CHECK(sum(abs(zero[1])).item<double>() == 0);
}

TEST_CASE("an op without an input that requires a gradient records no node") {
  const std::int64_t nodes = memory::statistics().live_nodes;
  const Tensor y = exp(tensor(1.)) * 2;
  CHECK(!y.requires_grad());
  CHECK(memory::statistics().live_nodes == nodes);
}

TEST_CASE("requires_grad cannot be switched off on a result, only on a leaf") {
  Tensor x = leaf(2), y = x * 2;
  CHECK_THROWS_AS(y.set_requires_grad(false), GraphError);
  CHECK(y.requires_grad());
  x.set_requires_grad(false);
  CHECK(!x.requires_grad());
  CHECK(!(x * 2).requires_grad());
}

TEST_CASE("detach shares values, has no history, and the gradient flows around it") {
  const Tensor x = leaf(3), d = x.detach();
  CHECK(d.array().data() == x.array().data());
  CHECK(!d.requires_grad());
  (x * d).backward();
  CHECK(x.grad().item() == 3);
}

TEST_CASE("gradients flow through a clone, which has numbers of its own") {
  const Tensor x = leaf(3), c = x.clone();
  CHECK(c.array().data() != x.array().data());
  (c * 2).backward();
  CHECK(x.grad().item() == 2);
}

TEST_CASE("NoGrad and EnableGrad nest, and restore the mode when an exception passes") {
  const Tensor x = leaf(2);
  {
    const NoGrad outer;
    CHECK(!(x * 2).requires_grad());
    {
      const EnableGrad inner;
      CHECK((x * 2).requires_grad());
      {
        const NoGrad innermost;
        CHECK(!grad_enabled());
      }
      CHECK(grad_enabled());
    }
    CHECK(!grad_enabled());
    try {
      const EnableGrad thrown;
      throw std::runtime_error("x");
    } catch (const std::runtime_error&) {
    }
    CHECK(!grad_enabled());
  }
  CHECK(grad_enabled());
}

TEST_CASE("the mode belongs to the thread, and a new thread starts with recording on") {
  const NoGrad guard;
  bool enabled = false, still = false;
  std::thread([&] {
    enabled = grad_enabled();
    const NoGrad inner;
    still = grad_enabled();
  }).join();
  CHECK(enabled);
  CHECK(!still);
  CHECK(!grad_enabled());
}

TEST_CASE("a leaf that requires a gradient can be overwritten under NoGrad only") {
  Tensor x = leaf(2);
  CHECK_THROWS_AS(x.assign(tensor(5., {.dtype = f64})), GraphError);
  CHECK(x.item<double>() == 2);
  {
    const NoGrad guard;
    x.assign(tensor(5., {.dtype = f64}));
  }
  CHECK(x.item<double>() == 5);
  CHECK(x.requires_grad());
  Tensor constant = tensor(1., {.dtype = f64});
  constant.assign(x.detach());
  CHECK(constant.item<double>() == 5);
}

TEST_CASE("an integer or boolean tensor cannot require a gradient") {
  CHECK_THROWS_AS(zeros({2}, {.dtype = i64, .requires_grad = true}), DtypeError);
  CHECK_THROWS_AS(zeros({2}, {.dtype = boolean, .requires_grad = true}), DtypeError);
  Tensor labels = zeros({2}, {.dtype = i64});
  CHECK_THROWS_AS(labels.set_requires_grad(true), DtypeError);
  CHECK(!labels.requires_grad());
}

TEST_CASE("an op with aliased operands equals the result out of place") {
  Tensor a = tensor({{1., 2.}, {3., 4.}}, {.dtype = f64});
  const Tensor expected = a + transpose(a), before = a;
  a += transpose(a);
  CHECK(sum(abs(a - expected)).item<double>() == 0);
  CHECK(before.data<double>()[1] == 2);  // the other handle keeps the old tensor
  a *= a;
  CHECK(sum(abs(a - expected * expected)).item<double>() == 0);
  Tensor x = leaf(3);
  const Tensor start = x;
  x *= x;
  x.backward();
  CHECK(start.grad().item() == 6);
}
