#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <cmath>
#include <numeric>
#include <support.hpp>

using namespace xgrad;

namespace {

using Tensors = std::vector<Tensor>;

Tensor f64_of(const Nested& values) { return tensor(values, {.dtype = f64}); }

/// Rosenbrock's function, and its derivatives as they stand in textbooks.
Tensor rosenbrock(const Tensor& x) {
  const Tensor a = slice(x, 0, 0, x.shape()[0] - 1), b = slice(x, 0, 1, x.shape()[0]);
  return sum(100 * square(b - square(a)) + square(1 - a));
}
Tensor rosenbrock_gradient(double x, double y) {
  return f64_of({-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)});
}
Tensor rosenbrock_hessian(double x, double y) {
  return f64_of({{1200 * x * x - 400 * y + 2, -400 * x}, {-400 * x, 200.}});
}

/// Two outputs of two inputs.
Tensors polar(const Tensor& r, const Tensor& phi) { return {r * cos(phi), r * sin(phi)}; }

}  // namespace

TEST_CASE("value_and_grad, hvp and hessian of Rosenbrock's function are the textbook's") {
  const Tensor x = f64_of({-1.2, 1.}), v = f64_of({0.3, -2.});
  const auto [value, g] = value_and_grad(rosenbrock, x);
  CHECK(value.item<double>() == doctest::Approx(24.2));
  CHECK(difference(g, rosenbrock_gradient(-1.2, 1)) < 1e-12);
  CHECK(difference(hessian(rosenbrock, x), rosenbrock_hessian(-1.2, 1)) < 1e-11);
  CHECK(difference(hvp(rosenbrock, x, v), matmul(rosenbrock_hessian(-1.2, 1), v)) < 1e-11);
  CHECK_FALSE(value.requires_grad());
  CHECK_FALSE(g.requires_grad());
}

TEST_CASE("results have the structure of inputs and outputs") {
  const Tensor r = f64_of({1., 2.}), phi = f64_of({0.5, 1.5}), one = ones({2}, {.dtype = f64});
  SUBCASE("several inputs, one output") {
    const auto f = [](const Tensor& a, const Tensor& b) { return sum(a * a * b); };
    const auto [value, g] = value_and_grad(f, {r, phi});
    CHECK(value.item<double>() == 6.5);
    REQUIRE(g.size() == 2);
    CHECK(difference(g[0], 2 * r * phi) == 0);
    CHECK(difference(g[1], r * r) == 0);
    const Tensors j = jacobian(f, {r, phi}), h = hvp(f, {r, phi}, {one, one});
    CHECK(difference(j[1], g[1]) == 0);
    CHECK(difference(h[0], 2 * phi + 2 * r) == 0);
    const std::vector<Tensors> second = hessian(f, {r, phi});
    CHECK(difference(second[0][1], 2 * r * eye(2, {.dtype = f64})) == 0);
    CHECK(difference(second[1][1], zeros({2, 2}, {.dtype = f64})) == 0);
  }
  SUBCASE("several inputs and outputs") {
    auto [y, pullback] = vjp(polar, {r, phi});
    REQUIRE(y.size() == 2);
    const Tensors back = pullback({one, one});
    CHECK(difference(back[0], cos(phi) + sin(phi)) < 1e-15);
    CHECK(difference(back[1], r * (cos(phi) - sin(phi))) < 1e-15);
    CHECK(difference(pullback({one, one})[0], back[0]) == 0);
    const auto [again, tangents] = jvp(polar, {r, phi}, {one, zeros({2}, {.dtype = f64})});
    CHECK(difference(again[1], y[1]) == 0);
    CHECK(difference(tangents[0], cos(phi)) < 1e-15);
    CHECK(difference(tangents[1], sin(phi)) < 1e-15);
    for (const JacobianMode mode : {JacobianMode::reverse, JacobianMode::forward}) {
      const std::vector<Tensors> j = jacobian(polar, {r, phi}, {.mode = mode});
      CHECK(difference(j[0][1], -r * sin(phi) * eye(2, {.dtype = f64})) < 1e-15);
      CHECK(difference(j[1][0], sin(phi) * eye(2, {.dtype = f64})) < 1e-15);
    }
  }
  SUBCASE("one input, several outputs") {
    const auto f = [](const Tensor& a) { return Tensors{sum(a), a * a}; };
    const Tensors j = jacobian(f, r);
    CHECK(j[0].shape() == Shape{2});
    CHECK(difference(j[1], 2 * r * eye(2, {.dtype = f64})) == 0);
    CHECK(difference(vjp(f, r).pullback({f64_of(1.), one}), 1 + 2 * r) == 0);
    CHECK(difference(jvp(f, r, one).tangent[0], f64_of(2.)) == 0);
  }
  SUBCASE("a function of a list") {
    const auto f = [](const Tensors& list) {
      return std::accumulate(list.begin(), list.end(), f64_of(0.),
                             [](const Tensor& a, const Tensor& b) { return a + sum(square(b)); });
    };
    CHECK(value_and_grad(f, {r, phi, one}).grad.size() == 3);
    CHECK(difference(value_and_grad(f, r).grad, 2 * r) == 0);
  }
}

TEST_CASE("functions of all forms are taken: pointers, ops, objects that change") {
  const Tensor x = f64_of({0.5, 2.});
  CHECK(difference(vjp(static_cast<Tensor (*)(const Operand&)>(xgrad::exp), x).pullback(x), exp(x) * x) < 1e-15);
  CHECK(difference(vjp(xgrad::silu, x).value, silu(x)) == 0);
  int calls = 0;
  auto counting = [&calls, own = 0](const Tensor& t) mutable { return sum(t) * (calls = ++own); };
  value_and_grad(counting, x);
  CHECK(value_and_grad(counting, x).value.item<double>() == 5);
  CHECK(calls == 2);
  const auto generic = [](const auto& t) { return sum(t * t); };
  CHECK(difference(value_and_grad(generic, x).grad, 2 * x) == 0);
}

TEST_CASE("forward and reverse Jacobians agree, for any shapes") {
  manual_seed(1);
  const Tensor w = randn({3, 4}, {.dtype = f64});
  const auto f = [&](const Tensor& x) { return tanh(matmul(x, w)); };
  for (const Shape& shape : {Shape{2, 3}, Shape{3}, Shape{0, 3}, Shape{1, 3}}) {
    const Tensor x = randn(shape, {.dtype = f64});
    const Tensor reverse = jacobian(f, x), forward = jacobian(f, x, {.mode = JacobianMode::forward});
    CHECK(reverse.ndim() == 2 * x.ndim());
    CHECK(difference(reverse, forward) < 1e-15);
  }
  const Tensor number = f64_of(0.3);
  CHECK(difference(jacobian([](const Tensor& t) { return t * t; }, number), f64_of(0.6)) == 0);
  CHECK(difference(hessian([](const Tensor& t) { return t * t * t; }, number), f64_of(6 * 0.3)) < 1e-15);
  const auto spread = [](const Tensor& t) { return t * ones({4}, {.dtype = f64}); };
  CHECK(jacobian(spread, number, {.mode = JacobianMode::forward}).shape() == Shape{4});
}

TEST_CASE("inputs of no elements have derivatives of no elements") {
  const Tensor none = zeros({0, 2}, {.dtype = f64});
  const auto f = [](const Tensor& x) { return sum(square(x)); };
  CHECK(value_and_grad(f, none).grad.shape() == Shape{0, 2});
  CHECK(hessian(f, none).shape() == Shape{0, 2, 0, 2});
  CHECK(hvp(f, none, none).shape() == Shape{0, 2});
  CHECK(jvp(f, none, none).tangent.item<double>() == 0);
  CHECK(jacobian([](const Tensor& x) { return exp(x); }, none).shape() == Shape{0, 2, 0, 2});
}

TEST_CASE("what does not depend on an input has a derivative of zero") {
  const Tensor x = f64_of({1., 2.}), y = f64_of(3.);
  const auto unused = [](const Tensor&, const Tensor& b) { return b * 2; };
  CHECK(difference(value_and_grad(unused, {x, y}).grad[0], zeros({2}, {.dtype = f64})) == 0);
  const auto constant = [](const Tensor&) { return f64_of(4.); };
  CHECK(difference(value_and_grad(constant, x).grad, zeros({2}, {.dtype = f64})) == 0);
  CHECK(jvp(constant, x, x).tangent.item<double>() == 0);
  CHECK(difference(hessian([](const Tensor& t) { return sum(t); }, x), zeros({2, 2}, {.dtype = f64})) == 0);
  CHECK(difference(hvp(constant, x, x), zeros({2}, {.dtype = f64})) == 0);
  CHECK(jacobian(constant, x, {.mode = JacobianMode::forward}).shape() == Shape{2});
}

TEST_CASE("transforms apply to functions that use transforms, to any order") {
  const Tensor x = f64_of({0.4, -0.7}), v = f64_of({1., 3.});
  const auto f = [](const Tensor& t) { return sum(sin(t) * exp(t)); };
  const auto gradient = [&](const Tensor& t) { return value_and_grad(f, t).grad; };
  const Tensor h = hessian(f, x);
  CHECK(difference(jacobian(gradient, x), h) < 1e-14);
  CHECK(difference(jacobian(gradient, x, {.mode = JacobianMode::forward}), h) < 1e-14);
  CHECK(difference(jvp(gradient, x, v).tangent, matmul(h, v)) < 1e-14);
  CHECK(difference(vjp(gradient, x).pullback(v), matmul(h, v)) < 1e-14);
  CHECK(difference(hvp(f, x, v), matmul(h, v)) < 1e-14);
  // The derivative of J(x) v along v is the second derivative along v, however it is taken.
  const auto along = [&](const Tensor& t) { return jvp(f, t, v).tangent; };
  const double second = dot(v, matmul(h, v)).item<double>();
  CHECK(dot(value_and_grad(along, x).grad, v).item<double>() == doctest::Approx(second).epsilon(1e-13));
  CHECK(jvp(along, x, v).tangent.item<double>() == doctest::Approx(second).epsilon(1e-13));
  const auto third = [&](const Tensor& t) { return sum(hvp(f, t, v) * v); };
  const Tensor expected = v * v * 2 * exp(x) * (cos(x) - sin(x));  // (e^x sin x)''' = 2 e^x (cos x - sin x)
  CHECK(difference(value_and_grad(third, x).grad, expected) < 1e-13);
  CHECK(difference(hvp(third, x, v), v * v * -4 * exp(x) * sin(x) * v) < 1e-13);
}

TEST_CASE("a derivative inside another one sees the outer variable as a constant") {
  const Tensor x = f64_of(3.);
  const auto f = [](const Tensor& a) {
    return a * value_and_grad([&](const Tensor& b) { return a * b * b; }, f64_of(2.)).grad;  // a * 2 a b = 4 a^2
  };
  CHECK(value_and_grad(f, x).grad.item<double>() == 24);
  const auto same = [](const Tensor& a) {
    return a * value_and_grad([&](const Tensor& b) { return a * b * b; }, a).grad;  // a * 2 a a
  };
  CHECK(value_and_grad(same, x).grad.item<double>() == 54);
}

TEST_CASE("what f refers to gets gradients through results, as in a gradient penalty") {
  const Tensor x = f64_of({1., 2.}), w = tensor({3., 5.}, {.dtype = f64, .requires_grad = true});
  const auto f = [&](const Tensor& t) { return sum(w * w * t * t); };
  const auto [value, g] = value_and_grad(f, x);  // g = 2 w^2 x
  REQUIRE(g.requires_grad());
  sum(g).backward({.retain_graph = true});
  CHECK(difference(w.grad(), 4 * w.detach() * x) == 0);
  CHECK(difference(grad(value, {w})[0], 2 * w.detach() * x * x) == 0);
  CHECK(hvp(f, x, x).requires_grad());
  CHECK(jacobian(f, x).requires_grad());
  CHECK(jvp(f, x, x).tangent.requires_grad());
  const NoGrad guard;
  CHECK_FALSE(value_and_grad(f, x).grad.requires_grad());
  CHECK_FALSE(value_and_grad(f, x).value.requires_grad());
  const auto captured = [&](const Tensor&) { return sum(w); };
  CHECK_FALSE(vjp(captured, x).value.requires_grad());
}

TEST_CASE("x itself gets gradients through results, and cotangents through what they are carried to") {
  const Tensor x = tensor({0.5, 2.}, {.dtype = f64, .requires_grad = true});
  const Tensor v = tensor({1., -1.}, {.dtype = f64, .requires_grad = true});
  const auto [y, pullback] = vjp([](const Tensor& t) { return t * t * t; }, x);
  const Tensor back = pullback(v);  // 3 x^2 v
  CHECK(difference(grad(sum(back), {x}, {.retain_graph = true})[0], 6 * x * v) < 1e-15);
  CHECK(difference(grad(sum(back), {v}, {.retain_graph = true})[0], 3 * x * x) < 1e-15);
  CHECK(difference(grad(sum(y), {x})[0], 3 * x * x) < 1e-15);
  const Tensor tangent = jvp([](const Tensor& t) { return t * t; }, x.detach(), v).tangent;
  CHECK(difference(grad(sum(tangent), {v})[0], 2 * x) == 0);
}

TEST_CASE("transforms work inside NoGrad, leave every grad() alone, keep the dtype and free what they made") {
  const Tensor x = tensor({1., 2.}, {.dtype = f64, .requires_grad = true}),
               w = ones({2}, {.dtype = f64, .requires_grad = true});
  sum(x).backward();
  const Tensor before = x.grad().clone();
  const auto f = [&](const Tensor& t) { return sum(exp(t) * w); };
  const std::int64_t nodes = memory::statistics().live_nodes, bytes = memory::statistics().live_bytes;
  {
    const NoGrad guard;
    const Tensor g = value_and_grad(f, x).grad, h = hvp(f, x, x.detach());
    CHECK(difference(g, exp(x)) < 1e-15);
    CHECK(difference(h, exp(x) * x) < 1e-15);
    CHECK_FALSE(grad_enabled());
    hessian(f, x);
    jacobian(f, x, {.mode = JacobianMode::forward});
    vjp(f, x).pullback(f64_of(1.));
  }
  hessian(f, x);
  jvp(f, x, x);
  CHECK(memory::statistics().live_nodes == nodes);
  CHECK(memory::statistics().live_bytes == bytes);
  CHECK(difference(x.grad(), before) == 0);
  CHECK_FALSE(w.has_grad());
  const Tensor narrow = tensor({1., 2.});
  const auto g = [](const Tensor& t) { return sum(square(t)); };
  CHECK(value_and_grad(g, narrow).grad.dtype() == f32);
  CHECK(hessian(g, narrow).dtype() == f32);
  CHECK(jacobian(g, narrow, {.mode = JacobianMode::forward}).dtype() == f32);
}

TEST_CASE("an exception in f leaves everything usable") {
  const Tensor x = f64_of({1., 2.});
  CHECK_THROWS_WITH_AS(value_and_grad([](const Tensor&) -> Tensor { throw std::logic_error("mine"); }, x), "mine",
                       std::logic_error);
  CHECK(grad_enabled());
  CHECK(difference(value_and_grad([](const Tensor& t) { return sum(t * t); }, x).grad, 2 * x) == 0);
}

TEST_CASE("a captured step may use transforms") {
  auto step = capture([](const Tensor& x) {
    return Tensors{value_and_grad(rosenbrock, x).grad, hessian(rosenbrock, x)};
  });
  for (const double at : {0.5, -1., 2.}) {
    const Tensors r = step(f64_of({at, 1.}));
    CHECK(difference(r[0], rosenbrock_gradient(at, 1)) < 1e-11);
    CHECK(difference(r[1], rosenbrock_hessian(at, 1)) < 1e-11);
  }
}
