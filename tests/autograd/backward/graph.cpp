#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>
#include <chrono>
#include <thread>

#include <support.hpp>
#include "small_stack.hpp"
using namespace xgrad;

namespace {

constexpr std::size_t small = 256 << 10;
constexpr int million = 1'000'000;

/// x + 1 + 1 + ...
Tensor chain(const Tensor& x, int length) {
  Tensor y = x;
  for (int i = 0; i < length; ++i) y = y + 1;
  return y;
}

/// A user's op: twice its input, counting how often its rule runs.
Tensor doubled(const Tensor& x, int* calls = nullptr) {
  return primitive(
      "doubled", {x}, [&] { return (x.detach() * 2).array(); },
      [calls](const Tensor& g) {
        if (calls) ++*calls;
        return g * 2;
      });
}

std::int64_t live_nodes() { return memory::statistics().live_nodes; }
std::int64_t live_bytes() { return memory::statistics().live_bytes; }

double seconds(int length) {
  const auto start = std::chrono::steady_clock::now();
  const Tensor x = leaf(1);
  chain(x, length).backward();
  { const Tensor dropped = chain(x, length); }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("a chain of a million ops is built, differentiated and destroyed on a stack of 256 KiB") {
  const std::int64_t before = live_nodes();
  on_stack_of(small, [] {
    const Tensor x = leaf(1);
    Tensor y = chain(x, million);
    CHECK(y.item<double>() == million + 1);
    y.backward({.retain_graph = true});
    CHECK(x.grad().item<double>() == 1);
    y.backward();
    CHECK(x.grad().item<double>() == 2);
    y = Tensor();
  });
  CHECK(live_nodes() == before);
}

TEST_CASE("a chain of a million ops that is dropped without backward is destroyed on a stack of 256 KiB") {
  const std::int64_t before = live_nodes();
  on_stack_of(small, [] {
    const Tensor x = leaf(1);
    Tensor y = chain(x, million);
    y = Tensor();
  });
  CHECK(live_nodes() == before);
}

TEST_CASE("a long graph with skip connections is differentiated and destroyed on a small stack") {
  const std::int64_t before = live_nodes();
  on_stack_of(small, [] {
    const Tensor x = leaf(1);
    Tensor older = x, y = x;
    for (int i = 0; i < 100'000; ++i) {
      Tensor next = (y + older) * 0.5;
      older = y;
      y = next;
    }
    y.backward({.retain_graph = true});
    CHECK(x.grad().item<double>() == doctest::Approx(1));
    y = older = Tensor();
  });
  CHECK(live_nodes() == before);
}

TEST_CASE("a long chain of user functions is differentiated and destroyed on a small stack") {
  const std::int64_t before = live_nodes();
  on_stack_of(small, [] {
    const Tensor x = leaf(0x1p-10);
    Tensor y = x;
    for (int i = 0; i < 100'000; ++i) y = doubled(y * 0.5);
    y.backward({.retain_graph = true});
    CHECK(x.grad().item<double>() == 1);
    y = Tensor();
  });
  CHECK(live_nodes() == before);
}

TEST_CASE("a long graph that only a saved tensor keeps alive is destroyed on a small stack") {
  const std::int64_t before = live_nodes();
  on_stack_of(small, [] {
    const Tensor x = leaf(1);
    Tensor y = chain(x, 100'000);
    Tensor holder = x * y;  // its rule for x saved y
    y = Tensor();
    holder = Tensor();
  });
  CHECK(live_nodes() == before);
}

TEST_CASE("a long graph is freed by another thread") {
  const std::int64_t nodes = live_nodes(), bytes = live_bytes();
  for (int round = 0; round < 3; ++round) {
    Tensor y = chain(leaf(1), 100'000);
    on_stack_of(small, [&] { y = Tensor(); });
  }
  CHECK(live_nodes() == nodes);
  CHECK(live_bytes() == bytes);
}

TEST_CASE("the time for a graph is linear in its nodes: ten times the nodes take less than 15 times the time") {
  seconds(100'000);
  double ratio = 1e9;
  for (int attempt = 0; attempt < 3 && ratio >= 15; ++attempt) ratio = seconds(million) / seconds(100'000);
  CHECK(ratio < 15);
}

TEST_CASE("a node used 10^5 times gets exactly the summed gradient and its vjp runs once") {
  constexpr int uses = 100'000;
  int calls = 0;
  const Tensor x = leaf(1), y = doubled(x, &calls);
  Tensor total = y * 0;
  for (int i = 1; i < uses; ++i) total = total + y * i;
  total.backward();
  CHECK(calls == 1);
  CHECK(x.grad().item<double>() == 2.0 * uses * (uses - 1) / 2);
}

TEST_CASE("diamonds: 2^64 paths in 64 layers take time linear in the layers") {
  int calls = 0;
  const Tensor x = leaf(1);
  Tensor y = x;
  for (int i = 0; i < 64; ++i) {
    const Tensor half = doubled(y, &calls) * 0.25;
    y = half + half;
  }
  y.backward();
  CHECK(calls == 64);
  CHECK(x.grad().item<double>() == 1);
}

TEST_CASE("a gradient that several branches share is never changed by one of them") {
  const Tensor x = leaf(3), a = x + 2, b = x + 2;
  // d/da = 2 a b + b + ... : the same cotangent meets identity rules and products
  const Tensor sum_ab = a + b;
  ((sum_ab + sum_ab) + (sum_ab * sum_ab + a)).backward();
  CHECK(x.grad().item<double>() == 2 * 2 + 2 * 10 * 2 + 1);
  const Tensor cotangent = tensor({1., 2.}, {.dtype = f64}),
               u = tensor({1., 1.}, {.dtype = f64, .requires_grad = true}),
               v = tensor({1., 1.}, {.dtype = f64, .requires_grad = true});
  ((u + v) + (u + u) + v).backward(cotangent);
  CHECK(u.grad().data<double>()[1] == 6);
  CHECK(v.grad().data<double>()[1] == 4);
  CHECK(cotangent.data<double>()[1] == 2);
}

TEST_CASE("one op with the same tensor twice is right") {
  const Tensor x = leaf(3);
  CHECK(grad(x * x, {x})[0].item<double>() == 6);
  CHECK(grad(x - x, {x})[0].item<double>() == 0);
  CHECK(grad(x / x, {x})[0].item<double>() == 0);
  CHECK(grad(x + x, {x})[0].item<double>() == 2);
}

TEST_CASE("a root given twice counts twice, and a root may depend on another") {
  const Tensor x = leaf(3), y = x * x, z = y * 5;
  backward({y, y}, {}, {.retain_graph = true});
  CHECK(x.grad().item<double>() == 12);
  Tensor(x).zero_grad();
  backward({y, z});
  CHECK(x.grad().item<double>() == 6 + 30);
}

TEST_CASE("after backward without retain the saved values are gone although the root is alive") {
  const std::int64_t before = live_bytes();
  const Tensor x = ones({1000}, {.dtype = f64, .requires_grad = true});
  const Tensor y = sum(exp(x) * exp(x));
  CHECK(live_bytes() - before >= 3 * 8000);
  y.backward();
  CHECK(live_bytes() - before <= 2 * 8000 + 64);  // x, its gradient, y
}

TEST_CASE("what backward does not need is not saved: add saves nothing, a product its other factor only") {
  const Tensor c = ones({1000}, {.dtype = f64});
  const std::int64_t before = live_bytes();
  const Tensor x = ones({1000}, {.dtype = f64, .requires_grad = true});
  const Tensor y = sum((x + 1) + (x + 2));
  CHECK(live_bytes() - before == 8000 + 8);
  Tensor z = x + 1;
  z = sum(z * c);  // the product saves c, not z
  CHECK(live_bytes() - before == 8000 + 16);
}

TEST_CASE("no reference cycle: dropping all handles frees every byte, also after create_graph through grad") {
  const std::int64_t nodes = live_nodes(), bytes = live_bytes();
  {
    const Tensor x = ones({10}, {.dtype = f64, .requires_grad = true});
    const Tensor y = sum(exp(x) * x);
    const Tensor g = grad(y, {x}, {.create_graph = true})[0];
    const Tensor h = grad(sum(g * g), {x}, {.create_graph = true})[0];
    CHECK(h.defined());
  }
  CHECK(live_nodes() == nodes);
  CHECK(live_bytes() == bytes);
}

TEST_CASE("live nodes and bytes return to the start after 1000 training steps") {
  const std::int64_t nodes = live_nodes(), bytes = live_bytes();
  {
    Tensor w = ones({4, 3}, {.requires_grad = true});
    std::int64_t nodes_between = 0, bytes_between = 0;
    for (int step = 0; step < 1000; ++step) {
      w.zero_grad();
      const Tensor loss = sum(square(w * randn({4, 3}) - 1));
      loss.backward();
      const NoGrad guard;
      w.assign(w - 0.01 * w.grad());
      if (step == 10) nodes_between = live_nodes(), bytes_between = live_bytes();
    }
    CHECK(live_nodes() <= nodes_between);
    CHECK(live_bytes() <= bytes_between);
  }
  CHECK(live_nodes() == nodes);
  CHECK(live_bytes() == bytes);
}

TEST_CASE("a detached view does not keep the graph alive") {
  const std::int64_t nodes = live_nodes();
  Tensor view;
  {
    const Tensor x = ones({4}, {.requires_grad = true});
    view = reshape(exp(x) * 2, {2, 2}).detach();
  }
  CHECK(live_nodes() == nodes);
  CHECK(view.shape() == Shape{2, 2});
}
