#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/trace.hpp>
#include <autograd/xtensor.hpp>
#include <support.hpp>

// Users' ops with several outputs.
using namespace xgrad;

namespace {

using Two = std::array<Tensor, 2>;

Two sine_and_cosine(const Operand& x) {
  return primitive(
      "sincos", {x}, [](const auto& v) { return std::tuple(xt::sin(v), xt::cos(v)); },
      [](const Two& g, const Two& y) { return g[0] * y[1] - g[1] * y[0]; });
}

/// The mean of x, and x less its mean, (m, n) -> (m) and (m, n): outputs of different shapes.
Two centred(const Operand& x) {
  return primitive(
      "centred", {x},
      [](const auto& v) {
        const auto means = xt::eval(xt::mean(v, {1}));
        return std::pair(means, xt::eval(v - xt::view(means, xt::all(), xt::newaxis())));
      },
      [n = x.shape()[1]](const Two& g) { return (unsqueeze(g[0], 1) - sum(g[1], {1}, true)) / n + g[1]; });
}

/// x exp(x) and exp(x), the second of which only the rule uses.
template <class Count>
Tensor times_its_exponential(const Tensor& x, Count count) {
  return primitive(
      "times_its_exponential", {x},
      [&](const auto& v) {
        count();
        const auto e = xt::eval(xt::exp(v));
        return std::tuple(xt::eval(v * e), e);
      },
      [x](const Two& g, const Two& y) { return (g[0] * (1 + x) + g[1]) * y[1]; })[0];
}

}  // namespace

TEST_CASE("an op with several outputs has their values and derivatives of any order") {
  manual_seed(0);
  const auto check = [](const auto& f, const Shape& shape) {
    const GradcheckReport report = gradcheck(f, {uniform(shape, -1, 2, f64)}, {.order = 3});
    CHECK_MESSAGE(report.ok(), report.str());
  };
  const Tensor x = uniform({2, 3}, -1, 2, f64);
  CHECK(max(abs(sine_and_cosine(x)[0] - sin(x))).item<double>() < 1e-15);
  CHECK(max(abs(sine_and_cosine(x)[1] - cos(x))).item<double>() < 1e-15);
  check([](const Tensor& v) { return sine_and_cosine(v)[0] * square(sine_and_cosine(v)[1]); }, {2, 2});
  check(
      [](const Tensor& v) {
        const auto [s, c] = sine_and_cosine(v);
        return s * exp(c);
      },
      {3});
  check(
      [](const Tensor& v) {
        const auto [mean, rest] = centred(v);
        return unsqueeze(square(mean), 1) * square(rest);
      },
      {2, 3});
  check([](const Tensor& v) { return centred(v)[0]; }, {2, 2});
}

TEST_CASE("the cotangent of an output that nobody uses is zero") {
  const Tensor x = leaf(uniform({4}, -1, 2, f64));
  sum(sine_and_cosine(x)[1]).backward();
  CHECK(max(abs(x.grad() + sin(x))).item<double>() < 1e-15);
  x.grad().assign(zeros({4}, {.dtype = f64}));
  const auto [s, c] = sine_and_cosine(x);
  CHECK(max(abs(grad(sum(s), {x}, {.retain_graph = true})[0] - cos(x))).item<double>() < 1e-15);
  CHECK(max(abs(grad(sum(s + c), {x})[0] - cos(x) + sin(x))).item<double>() < 1e-15);
}

TEST_CASE("an output that only the rules use is computed once and freed with the graph") {
  int calls = 0;
  const auto f = [&](const Tensor& x) { return times_its_exponential(x, [&] { ++calls; }); };
  manual_seed(1);
  const Tensor x = leaf(uniform({1000}, -1, 2, f64));
  const memory::Statistics before = memory::statistics();
  {
    const Tensor y = f(x);
    const Tensor first = grad(sum(y), {x}, {.create_graph = true})[0];
    const Tensor second = grad(sum(first), {x})[0];
    CHECK(max(abs(first - (1 + x) * exp(x))).item<double>() < 1e-13);
    CHECK(max(abs(second - (2 + x) * exp(x))).item<double>() < 1e-13);
    CHECK(calls == 1);
  }
  CHECK(memory::statistics().live_bytes == before.live_bytes);
  CHECK(memory::statistics().live_nodes == before.live_nodes);
  const GradcheckReport report = gradcheck(f, {uniform({3}, -1, 2, f64)}, {.order = 3});
  CHECK_MESSAGE(report.ok(), report.str());
}

TEST_CASE("outputs that are not floating have no derivative, and rules get them") {
  // The largest of each row, and where it stands.
  const auto largest = [](const Tensor& x) {
    return primitive(
        "largest", {x},
        [&] {
          return std::array{max(x.detach(), {1}).array(), argmax(x.detach(), 1).array()};
        },
        [n = x.shape()[1]](const Two& g, const Two& y) {
          CHECK(!g[1].defined());
          return unsqueeze(g[0], 1) * one_hot(y[1], n).to(f64);
        });
  };
  const Tensor x = leaf(tensor({{1., 5., 2.}, {7., 0., 3.}}, {.dtype = f64}));
  const auto [value, index] = largest(x);
  CHECK(value.str() == "[5. 7.]");
  CHECK(index.str() == "[1 0]");
  CHECK(index.dtype() == i64);
  CHECK(!index.requires_grad());
  sum(square(value)).backward();
  CHECK(x.grad().str() == "[[ 0. 10.  0.]\n [14.  0.  0.]]");
}

TEST_CASE("several inputs, of which one is not differentiable, each have a rule") {
  const auto rotated = [](const Tensor& x, const Tensor& y, const Tensor& angle) {
    return primitive(
        "rotated", {x, y, angle},
        [](const auto& a, const auto& b, const auto& t) {
          return std::tuple(a * xt::cos(t) - b * xt::sin(t), a * xt::sin(t) + b * xt::cos(t));
        },
        [angle](const Two& g) { return g[0] * cos(angle) + g[1] * sin(angle); },
        [angle](const Two& g) { return g[1] * cos(angle) - g[0] * sin(angle); }, not_differentiable);
  };
  const Tensor angle = uniform({2}, -1, 2, f64);
  const auto f = [&](const Tensor& x, const Tensor& y) {
    const auto [a, b] = rotated(x, y, angle);
    return a * b * b;
  };
  const GradcheckReport report = gradcheck(f, {uniform({2}, -1, 2, f64), uniform({2}, -1, 2, f64)}, {.order = 2});
  CHECK_MESSAGE(report.ok(), report.str());
  const Tensor t = leaf(angle);
  CHECK_THROWS_AS(grad(sum(rotated(uniform({2}, -1, 2, f64), uniform({2}, -1, 2, f64), t)[0]), {t}), GraphError);
}

TEST_CASE("without a gradient outputs are arrays of their own") {
  const NoGrad guard;
  const std::int64_t before = memory::statistics().live_bytes;
  const Tensor s = sine_and_cosine(ones({1000}))[0];
  CHECK(memory::statistics().live_bytes - before == 4000);
}

TEST_CASE("wrong shapes and exceptions are named and leave the engine usable") {
  const Tensor x = leaf(uniform({3}, -1, 2, f64));
  const auto wrong = primitive(
      "wrong", {x}, [](const auto& v) { return std::tuple(v + 1, v - 1); }, [](const Two& g) { return sum(g[0]); });
  CHECK(message_of<GraphError>([&] { sum(wrong[0] * wrong[1]).backward(); }) ==
        "wrong: its vjp returned an invalid gradient for input 0: got f64 (), expected f64 (3,)");
  CHECK(!x.has_grad());
  struct Mine {};
  const auto throws = primitive(
      "throws", {x}, [](const auto& v) { return std::tuple(v + 1, v - 1); },
      [](const Two&) -> Tensor { throw Mine(); });
  CHECK_THROWS_AS(sum(throws[1]).backward(), Mine);
  const auto forward = [](const auto& v) {
    if (v.size() > 0) throw Mine();
    return std::tuple(v + 1, v - 1);
  };
  CHECK_THROWS_AS(primitive("throws", {x}, forward, [](const Two& g) { return g[0]; }), Mine);
  const auto uneven = [&] { return std::array{x.array(), ones({2}).array()}; };
  CHECK(message_of<DtypeError>([&] { primitive("uneven", {x}, uneven, [](const Two& g) { return g[0]; }); }) ==
        "uneven: output 0 is f64, output 1 is f32; all floating ones must be of one dtype");
  sum(sine_and_cosine(x)[0]).backward();
  CHECK(max(abs(x.grad() - cos(x))).item<double>() < 1e-15);
}

TEST_CASE("an op with several outputs that is made of ops is captured") {
  const auto f = [](const Tensor& x) {
    return primitive(
        "sum_and_square", {x},
        [&] {
          return std::array{sum(x.detach()).array(), square(x.detach()).array()};
        },
        [x](const Two& g) { return g[0] + g[1] * 2 * x; });
  };
  Tensor w = leaf(uniform({5}, -1, 2, f64));
  const auto step = [&](const Tensor& x) {
    w.zero_grad();
    const auto [a, b] = f(w * x);
    (a * sum(b)).backward();
    return w.grad();
  };
  auto captured = capture(step);
  for (int i = 0; i < 3; ++i) {
    const Tensor x = uniform({5}, -1, 2, f64);
    CHECK(captured(x).str() == step(x).str());
  }
}

TEST_CASE("observers see the op, and its outputs as slices of its result") {
  Trace trace;
  const Tensor x = leaf(uniform({3}, -1, 2, f64));
  const std::size_t before = trace.ops().size();
  sine_and_cosine(x);
  std::string names;
  for (std::size_t i = before; i < trace.ops().size(); ++i) names += text(trace.ops()[i].name, " ");
  CHECK(names == "sincos slice reshape slice reshape ");
  CHECK(trace.ops()[before].inputs[0].tensor.same(x));
  CHECK(trace.ops()[before].output.shape() == Shape{6});
}
