#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/memory.hpp>
#include <autograd/primitive.hpp>
#include <cmath>
#include <nn/nn.hpp>
#include <stdexcept>

#include "small_stack.hpp"
#include "support.hpp"

using namespace xgrad;

TEST_CASE("a hook runs once in a pass, with the sum of all that arrives, however many paths there are") {
  const Tensor x = leaf(3), y = x * 2;
  int runs = 0;
  double seen = 0;
  y.register_hook([&](const Tensor& g) {
    ++runs;
    seen = g.item<double>();
  });
  (y * y + y).backward();
  CHECK(runs == 1);
  CHECK(seen == 13);
  CHECK(x.grad().item() == 26);
}

TEST_CASE("hooks run in the order of registration, each on what the one before returned") {
  const Tensor x = leaf(1), y = x * 1;
  std::string order;
  y.register_hook([&](const Tensor& g) { return order += "a", g + 1; });
  y.register_hook([&](const Tensor&) { order += "b"; });
  y.register_hook([&](const Tensor& g) { return order += "c", g * 10; });
  y.backward();
  CHECK(order == "abc");
  CHECK(x.grad().item() == 20);
}

TEST_CASE("a hook on a leaf runs before its gradient is accumulated") {
  const Tensor x = leaf(1);
  double before = -1;
  x.register_hook([&](const Tensor& g) {
     before = x.has_grad() ? x.grad().item() : 0;
     return g * 2;
   }).remove();
  HookHandle hook = x.register_hook([&](const Tensor& g) {
    before = x.has_grad() ? x.grad().item() : 0;
    return g * 2;
  });
  (x * 3).backward();
  CHECK(before == 0);
  CHECK(x.grad().item() == 6);
  (x * 3).backward();
  CHECK(before == 6);
  CHECK(x.grad().item() == 12);
  CHECK(grad(x * 3, {x})[0].item<double>() == 6);
  hook.remove();  // it refers to x, and so would keep it
}

TEST_CASE("what a hook returns must have the gradient's shape and dtype, and the error names the hook and its tensor") {
  const Tensor x = tensor({1., 2.}, {.requires_grad = true}), y = exp(x);
  y.register_hook([](const Tensor& g) { return sum(g); });
  const Tensor loss = sum(y);
  const std::string said = message_of<GraphError>([&] { loss.backward(); });
  CHECK(said.starts_with("register_hook: the hook on the result of exp ("));
  CHECK(said.ends_with(") returned f32 (), and the gradient is f32 (2,); they must be equal"));
  CHECK(!x.has_grad());
  x.register_hook([](const Tensor& g) { return g.to(f64); });
  CHECK(message_of<GraphError>([&] { sum(x).backward(); }) ==
        "register_hook: the hook on a leaf returned f64 (2,), and the gradient is f32 (2,); they must be equal");
}

TEST_CASE("a hook that is removed does not run, and what it captured is freed") {
  const Tensor x = leaf(1);
  int runs = 0;
  HookHandle hook;
  const auto bytes = memory::statistics().live_bytes;
  {
    const Tensor large = zeros({1000});
    hook = x.register_hook([&runs, large](const Tensor&) { ++runs; });
  }
  CHECK(memory::statistics().live_bytes > bytes);
  x.backward();
  hook.remove();
  CHECK(memory::statistics().live_bytes == bytes + std::int64_t(x.grad().array().bytes()));
  x.backward();
  CHECK(runs == 1);
  hook.remove();  // nothing to do
  HookHandle().remove();
}

TEST_CASE("a hook may remove itself, and the one that comes after it") {
  const Tensor x = leaf(1);
  int self = 0, next = 0, last = 0;
  HookHandle first, second;
  first = x.register_hook([&, large = zeros({1000})](const Tensor& g) {
    first.remove();
    second.remove();
    ++self;
    return g + large.size();
  });
  second = x.register_hook([&](const Tensor&) { ++next; });
  x.register_hook([&](const Tensor&) { ++last; });
  x.backward();
  CHECK(x.grad().item() == 1001);
  x.backward();
  CHECK(self == 1);
  CHECK(next == 0);
  CHECK(last == 2);
}

TEST_CASE("letting go of a handle removes nothing, and a handle outlives its tensor") {
  HookHandle hook;
  int runs = 0;
  {
    const Tensor x = leaf(1);
    hook = x.register_hook([&](const Tensor&) { ++runs; });
    x.register_hook([&](const Tensor&) { ++runs; });
    x.backward();
  }
  hook.remove();
  CHECK(runs == 2);
}

TEST_CASE("a hook that throws ends the pass: its exception comes out, no gradient is added, the next pass is right") {
  struct Mine {};
  const Tensor x = leaf(2), w = leaf(5);
  HookHandle hook = x.register_hook([](const Tensor&) { throw Mine(); });
  CHECK_THROWS_AS((x * w).backward(), Mine);
  CHECK(!w.has_grad());
  hook.remove();
  (x * w).backward();
  CHECK(w.grad().item() == 2);
  CHECK(x.grad().item() == 5);
  CHECK(grad_enabled());
}

TEST_CASE("after a pass that threw the graph is gone, but for what computing it again or retaining it gives") {
  const Tensor x = ones({2}, {.requires_grad = true});
  bool throws = true;
  const auto compute = [&] {
    const Tensor y = exp(x);
    y.register_hook([&](const Tensor&) {
      if (throws) throw std::runtime_error("mine");
    });
    return sum(y * 2);
  };
  const Tensor dropped = compute(), retained = compute();
  CHECK_THROWS_WITH_AS(dropped.backward(), "mine", std::runtime_error);
  CHECK_THROWS_WITH_AS(retained.backward({.retain_graph = true}), "mine", std::runtime_error);
  throws = false;
  CHECK(
      message_of<GraphError>([&] { dropped.backward(); }) ==
      "backward: second pass through the graph at sum, whose saved values are gone; pass {.retain_graph = true} to the "
      "first one, or compute the output again");
  CHECK_FALSE(x.has_grad());
  compute().backward();
  CHECK(x.grad().data<float>()[1] == 2 * std::exp(1.f));
  retained.backward();
  CHECK(x.grad().data<float>()[1] == 4 * std::exp(1.f));
}

TEST_CASE("what is computed in a hook has a graph under an EnableGrad, as the errors without it say") {
  const Tensor x = ones({2}, {.requires_grad = true});
  const Tensor y = sum(x);
  double found = 0;
  y.register_hook([&](const Tensor&) {
    Tensor v = tensor(3., {.requires_grad = true});
    CHECK(message_of<GraphError>([&] { square(v).backward(); }) ==
          "backward: the tensor of shape () does not require a gradient and has no graph; mark a leaf with "
          ".requires_grad = true and compute under an EnableGrad, as this is in a hook, a rule or NoGrad");
    CHECK(
        message_of<GraphError>([&] { square(v).retain_grad(); }) ==
        "retain_grad: a constant has no gradient; mark a leaf with .requires_grad = true before computing, here under "
        "an EnableGrad");
    CHECK(
        message_of<GraphError>([&] { square(v).register_hook([](const Tensor&) {}); }) ==
        "register_hook: no gradient comes by a constant; mark a leaf with .requires_grad = true before computing, here "
        "under an EnableGrad");
    const EnableGrad on;
    const Tensor s = square(v);
    s.retain_grad();
    s.backward();
    found = v.grad().item<double>() + s.grad().item<double>();
  });
  y.backward();
  CHECK(found == 7);
}

TEST_CASE("with create_graph what a hook does is differentiated") {
  const Tensor x = leaf(3), y = x * 1;
  y.register_hook([](const Tensor& g) { return g * g; });
  const Tensor first = grad(y * y, {x}, {.create_graph = true})[0];  // (2y)^2
  CHECK(first.item<double>() == 36);
  CHECK(grad(first, {x})[0].item<double>() == 24 * 24);  // the second pass comes by y, too
}

TEST_CASE("a hook is handed zeros where the gradient is a zero without numbers") {
  const Tensor x = tensor({1.5, 2.5}, {.requires_grad = true});
  double largest = -1;
  x.register_hook([&](const Tensor& g) {
     CHECK(g.shape() == x.shape());
     largest = max(abs(g)).item<double>();
   }).remove();
  HookHandle hook = x.register_hook([&](const Tensor& g) { largest = max(abs(g)).item<double>(); });
  sum(floor(x)).backward();
  CHECK(largest == 0);
}

TEST_CASE("a gradient that a hook keeps is not changed by later passes, nor is one that it returned twice") {
  const Tensor x = leaf(1), z = leaf(1), c = tensor(7., {.dtype = f64});
  Tensor kept;
  x.register_hook([&](const Tensor& g) {
    kept = g;
    return c;
  });
  z.register_hook([&](const Tensor&) { return c; });
  (x * 2 + z).backward();
  (x * 2 + z).backward();
  CHECK(x.grad().item() == 14);
  CHECK(z.grad().item() == 14);
  CHECK(kept.item<double>() == 2);
  CHECK(c.item<double>() == 7);
}

TEST_CASE("a hook may run a pass over another graph") {
  const Tensor x = leaf(2), other = leaf(3);
  x.register_hook([&](const Tensor& g) {
    const EnableGrad guard;
    (other * other).backward();
    return g * other.grad();
  });
  (x * 5).backward();
  CHECK(x.grad().item() == 30);
  CHECK(other.grad().item() == 6);
}

namespace {

/// A pass whose hook runs a pass whose hook ..., `depth` deep.
void nested(int depth, int& reached) {
  const EnableGrad guard;
  const Tensor x = leaf(1);
  x.register_hook([&reached, depth](const Tensor&) {
    ++reached;
    if (depth > 1) nested(depth - 1, reached);
  });
  (x * 2).backward();
}

}  // namespace

TEST_CASE("passes within one another, 2000 deep, work, or are refused where the stack is too small") {
  int reached = 0;
  on_stack_of(64 << 20, [&] { nested(2000, reached); });
  CHECK(reached == 2000);
  reached = 0;
  std::string said;
  on_stack_of(512 << 10, [&] { said = message_of<GraphError>([&] { nested(2000, reached); }, __FILE__, 203); });
  CHECK(reached >= 10);
  CHECK(said.find("passes within one another leave no room on the stack") != std::string::npos);
  const Tensor x = leaf(1);
  x.backward();
  CHECK(x.grad().item() == 1);
}

TEST_CASE("a deep graph that only a hook's capture keeps alive is freed with the tensor, or with the pass") {
  const auto nodes = memory::statistics().live_nodes;
  const auto deep = [] {
    Tensor y = leaf(1);
    for (int i = 0; i < 200000; ++i) y = y + 1;
    return y;
  };
  on_stack_of(256 << 10, [&] {
    {
      const Tensor x = leaf(1);
      x.register_hook([y = deep()](const Tensor&) {});
      CHECK(memory::statistics().live_nodes > nodes + 200000);
    }
    CHECK(memory::statistics().live_nodes == nodes);
    {
      const Tensor x = leaf(1), y = x * 2;
      y.register_hook([z = deep()](const Tensor&) {});
      y.register_hook([y](const Tensor&) {});  // a cycle, until the pass takes the graph
      y.backward();
      CHECK(memory::statistics().live_nodes <= nodes + 2);
    }
    CHECK(memory::statistics().live_nodes == nodes);
  });
}

TEST_CASE("a chain of nodes with hooks that each keep the next is freed without recursion") {
  const auto nodes = memory::statistics().live_nodes;
  on_stack_of(256 << 10, [&] {
    Tensor x = leaf(0);
    for (int i = 0; i < 50000; ++i) {
      const Tensor next = leaf(0);
      next.register_hook([x](const Tensor&) {});
      x = next;
    }
  });
  CHECK(memory::statistics().live_nodes == nodes);
}

TEST_CASE("a probability with a hook, or that retains its gradient, is not passed over by the loss") {
  const Tensor z = tensor({0.5, -1.}, {.requires_grad = true}), t = tensor({1., 0.}), p = sigmoid(z);
  CHECK(!p.has_grad());
  p.retain_grad();
  int runs = 0;
  p.register_hook([&](const Tensor&) { ++runs; });
  nn::binary_cross_entropy(p, t).backward();
  CHECK(runs == 1);
  CHECK(p.grad().defined());
  const double first = slice(p, 0, 0, 1).item<double>();
  CHECK(slice(p.grad(), 0, 0, 1).item<double>() == doctest::Approx(-0.5 / first));
  CHECK(slice(z.grad(), 0, 0, 1).item<double>() == doctest::Approx((first - 1) / 2));
}

TEST_CASE("a constant takes no hook") {
  CHECK(message_of<GraphError>([] { tensor(1.).register_hook([](const Tensor&) {}); }) ==
        "register_hook: no gradient comes by a constant; mark a leaf with .requires_grad = true before computing");
}

TEST_CASE("threads that share a leaf with hooks run them on their own") {
  const Tensor x = leaf(2);
  std::atomic<int> runs{0};
  x.register_hook([&](const Tensor& g) {
    ++runs;
    return g * 2;
  });
  on_threads(4, [&](int) {
    for (int k = 0; k < 100; ++k) (x * 3).backward();
  });
  CHECK(runs == 400);
  CHECK(x.grad().item() == 2400);
}

TEST_CASE("a captured step does what its hooks compute, and is recorded anew when a leaf's hooks change") {
  const Tensor w = leaf(2);
  const auto body = [&](const Tensor& x) {
    Tensor(w).zero_grad();
    const Tensor y = w * x;
    y.register_hook([](const Tensor& g) { return g * 3; });
    y.backward();
    return w.grad() * 1;
  };
  auto step = capture(body);
  const auto run = [&](double x) { return step(tensor(x, {.dtype = f64})).item<double>(); };
  CHECK(run(1) == 3);
  CHECK(run(5) == 15);
  CHECK(step.recordings() == 1);
  HookHandle hook = w.register_hook([](const Tensor& g) { return clamp(g, -10, 10); });
  CHECK(run(5) == 10);
  CHECK(run(2) == 6);
  CHECK(run(6) == 10);
  CHECK(step.recordings() == 2);
  hook.remove();
  CHECK(run(5) == 15);
  CHECK(step.recordings() == 2);
}
