#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>
#include <stdexcept>
#include <string>
#include <support.hpp>

using namespace xgrad;

namespace {

/// A user's op whose forward is the identity and whose rule is `rule`.
template <class Rule>
Tensor with_rule(const Tensor& x, Rule rule) {
  return primitive(
      "mine", {x}, [&] { return x.array().clone(); }, rule);
}

struct Mine : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace

TEST_CASE("a rule that returns a gradient of another shape throws, and names op, input and both shapes") {
  const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
  const Tensor y = with_rule(x, [](const Tensor&) { return ones({7}, {.dtype = f64}); });
  const std::string said = thrown<GraphError>([&] { sum(y).backward(); });
  CHECK_MESSAGE(has(said, "mine: its vjp returned an invalid gradient for input 0: got f64 (7,), expected f64 (3,)"),
                said);
  CHECK(!x.has_grad());
}

TEST_CASE("a rule that returns a gradient of another dtype throws") {
  const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
  const Tensor y = with_rule(x, [](const Tensor&) { return ones({3}); });
  CHECK_THROWS_AS(sum(y).backward(), GraphError);
}

TEST_CASE("an undefined gradient from a rule means zero, and no numbers are made of it") {
  int calls = 0;
  const Tensor x = leaf(2);
  const Tensor between = with_rule(x, [&calls](const Tensor& g) {
    ++calls;
    return g;
  });
  const Tensor y = with_rule(between, [](const Tensor&) { return Tensor(); });
  (y + x * 3).backward();
  CHECK(x.grad().item<double>() == 3);
  CHECK(calls == 0);  // the rules behind it do not run
}

TEST_CASE("an exception in a rule reaches the caller with its type and text, and leaves the engine usable") {
  const Tensor x = leaf(2), other = leaf(5);
  const Tensor bad = with_rule(exp(x), [](const Tensor&) -> Tensor { throw Mine("my own words"); });
  for (int attempt = 0; attempt < 2; ++attempt) {
    CHECK(thrown<Mine>([&] { (bad * 2 + x).backward({.retain_graph = attempt == 0}); }) == "my own words");
    CHECK(!x.has_grad());
    CHECK(grad_enabled());
    (other * other).backward();
  }
  CHECK(other.grad().item<double>() == 20);
  exp(x).backward();  // the leaf that the failed pass met is free again
  CHECK(x.has_grad());
}

TEST_CASE("a node whose rule threw is not marked as done") {
  bool fail = true;
  const Tensor x = leaf(2);
  const Tensor y = with_rule(x, [&fail](const Tensor& g) {
    if (fail) throw Mine("not yet");
    return g;
  });
  CHECK_THROWS_AS(y.backward(), Mine);
  fail = false;
  y.backward();
  CHECK(x.grad().item<double>() == 1);
}

TEST_CASE("an error of an op inside a rule names the op whose rule it is, and the user's line") {
  const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
  const int line = __LINE__ + 2;
  const Tensor y = primitive(
      "mine", {x}, [&] { return x.array().clone(); }, [](const Tensor& g) { return g + ones({2}, {.dtype = f64}); });
  const std::string said = thrown<ShapeError>([&] { sum(y).backward(); });
  const std::string expected =
      text("user_functions.cpp:", line, ": mine: shapes do not broadcast: a is (3,), b is (2,)");
  CHECK_MESSAGE(has(said, expected), said);
}

TEST_CASE("a user function that returns its input unchanged still applies its rule") {
  const Tensor x = leaf(2);
  const Tensor y = primitive(
      "reversed", {x}, [&] { return x.array(); }, [](const Tensor& g) { return -g; });
  y.backward();
  CHECK(x.grad().item<double>() == -1);
}

TEST_CASE("a rule may run a pass over another graph, also one that shares leaves") {
  const Tensor x = leaf(2), w = leaf(3);
  const Tensor y = with_rule(x, [&](const Tensor& g) {
    const EnableGrad recording;
    return g * grad(w * w * x.detach(), {w})[0];
  });
  (y * w).backward();
  CHECK(x.grad().item<double>() == 3 * (2 * 3 * 2));
  CHECK(w.grad().item<double>() == 2);
}

TEST_CASE("a rule sees the grad mode that the pass was asked for") {
  bool recorded = true;
  const Tensor x = leaf(2);
  const auto rule = [&recorded](const Tensor& g) {
    recorded = grad_enabled();
    return g;
  };
  with_rule(x, rule).backward();
  CHECK(!recorded);
  (void)grad(with_rule(x, rule), {x}, {.create_graph = true});
  CHECK(recorded);
}

TEST_CASE("a rule of an input that needs no gradient is neither stored nor run") {
  const Tensor x = leaf(2), c = tensor(1., {.dtype = f64});
  const Tensor big = ones({1000}, {.dtype = f64});
  const std::int64_t before = memory::statistics().live_bytes;
  int calls = 0;
  Tensor y;
  {
    const Tensor captured = big + 1;
    y = primitive(
        "two", {x, c}, [&] { return x.array().clone(); }, [](const Tensor& g) { return g; },
        [&calls, captured](const Tensor& g) {
          ++calls;
          return g * sum(captured);
        });
  }
  CHECK(memory::statistics().live_bytes - before == 8);
  y.backward();
  CHECK(calls == 0);
}
