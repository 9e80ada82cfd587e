#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/fused.hpp>
#include <autograd/trace.hpp>
#include <cmath>
#include <support.hpp>

// Compiled twice: plainly, and with -march=native (fused_native.cpp).
using namespace xgrad;

namespace {

constexpr auto gate = [](auto x, auto m) { return x * sigmoid(m * x); };
Tensor fused_gate(const Operand& x, const Operand& m) { return fused("gate", gate, x, m); }

/// Arithmetic only, of six inputs.
constexpr auto mixture = [](auto a, auto b, auto c, auto d, auto e, auto f) {
  return (a * b + c) / (1 + square(d)) - 0.5 * e * sqrt(f);
};

Tensor random(const Shape& shape, Dtype dtype = f64) { return uniform(shape, 0.25, 1.25, dtype); }

/// The largest difference, relative to the largest number.
double error(const Tensor& a, const Tensor& b) {
  CHECK(a.shape() == b.shape());
  if (a.size() == 0) return 0;
  return max(abs(a - b)).item<double>() / std::max(max(abs(b)).item<double>(), 1e-30);
}

}  // namespace

TEST_CASE("a fused op has the values and gradients of the composed one, whatever broadcasts") {
  manual_seed(1);
  const std::pair<Shape, Shape> shapes[] = {{{}, {}},
                                            {{1}, {}},
                                            {{0}, {1}},
                                            {{3, 0}, {3, 1}},
                                            {{5}, {5}},
                                            {{1000}, {1000}},
                                            {{1000}, {}},
                                            {{7, 3}, {3}},
                                            {{7, 1}, {1, 3}},
                                            {{33, 100}, {100}},
                                            {{40, 64}, {40, 1}},
                                            {{2, 1, 5}, {3, 1}},
                                            {{2, 600}, {600}},
                                            {{1, 700, 2}, {3, 1, 2}}};
  for (const auto& pair : shapes) {
    for (const Dtype dtype : {f32, f64}) {
      const std::string tried = text(pair.first, " with ", pair.second);
      CAPTURE(tried);
      const Tensor x = leaf(random(pair.first, dtype)), m = leaf(random(pair.second, dtype));
      const Tensor one = fused_gate(x, m), other = gate(x, m), g = random(one.shape(), dtype);
      const double tolerance = dtype == f32 ? 4e-7 : 4e-16;
      CHECK(one.dtype() == dtype);
      CHECK(error(one, other) <= tolerance);
      const auto dx = grad(one, {x, m}, g), expected = grad(other, {x, m}, g);
      for (std::size_t i = 0; i < 2; ++i) CHECK(error(dx[i], expected[i]) <= 4 * tolerance);
    }
  }
}

TEST_CASE("arithmetic, roots and choices have the bits of the composed op") {
  manual_seed(2);
  for (const Dtype dtype : {f32, f64}) {
    std::vector<Tensor> in;
    for (int i = 0; i < 6; ++i) in.push_back(random({100, 37}, dtype) * 3 - (i < 5 ? 1 : 0));
    CHECK(same_bits(fused("mixture", mixture, in[0], in[1], in[2], in[3], in[4], in[5]),
                    mixture(in[0], in[1], in[2], in[3], in[4], in[5])));
    const auto cancels = [](auto x, auto y) { return x * x - y * y + select(x > y, maximum(x, 0.5), -y); };
    CHECK(same_bits(fused("cancels", cancels, in[0], in[1]), cancels(in[0], in[1])));
  }
}

TEST_CASE("select is a choice inside a fused function, of integers too, and elsewhere a slice") {
  const Tensor x = leaf(tensor({1., 2., 3.}, {.dtype = f64}));
  const auto f = [](auto a) { return a * select(a > 1.5, 2, 1); };
  const Tensor first = grad(sum(fused("f", f, x)), {x}, {.create_graph = true})[0];
  CHECK(first.str() == "[1. 2. 2.]");
  CHECK(grad(sum(first * x), {x})[0].str() == "[1. 2. 2.]");
  CHECK(select(x, 0, 1).item<double>() == 2);
  CHECK(select(x > 1.5, 0, 0).dtype() == boolean);
  CHECK(select(x > 1.5, 2., 1.).str() == "[1. 2. 2.]");
}

TEST_CASE("C++ numbers take the tensors' dtype, as inputs and inside") {
  const Tensor x = leaf(tensor({1., 2., 3.}, {.dtype = f64}));
  const auto f = [](auto a, auto b) { return 0.1 * a + b * 3 + select(a > 1.5, 1, 0.1); };
  CHECK(same_bits(fused("f", f, x, 0.7),
                  0.1 * x + tensor(0.7, {.dtype = f64}) * 3 + where(x > 1.5, 1., tensor(0.1, {.dtype = f64}))));
  CHECK(error(fused("f", f, 0.7, x), 0.07 + x * 3 + 0.1) < 1e-15);
  const Tensor d = grad(sum(fused("f", f, x, 2)), {x}, {.create_graph = true})[0];
  CHECK(d.str() == "[0.1 0.1 0.1]");
}

TEST_CASE("derivatives of orders 1 to 3 pass the gradient check") {
  manual_seed(3);
  const GradcheckReport two = gradcheck(fused_gate, {random({3, 2}), random({2})}, {.order = 3});
  CHECK_MESSAGE(two.ok(), two.str());
  const auto chosen = [](const Tensor& x, const Tensor& y, const Tensor& z) {
    return fused(
        "chosen", [](auto a, auto b, auto c) { return select(a > b, a * a * c, sin(b) / (c + 2)) + pow(c, 3); }, x, y,
        z);
  };
  const GradcheckReport three = gradcheck(chosen, {random({2, 2}), random({2, 1}), random({})}, {.order = 3});
  CHECK_MESSAGE(three.ok(), three.str());
  const GradcheckReport twice =
      gradcheck([](const Tensor& x) { return fused_gate(x, x); }, {random({3})}, {.order = 3});
  CHECK_MESSAGE(twice.ok(), twice.str());
}

TEST_CASE("a recorded gradient equals the one from dual numbers, and hvp and jvp come of it") {
  manual_seed(4);
  const Tensor x = leaf(random({50})), m = leaf(random({50})), g = random({50});
  const auto dual = grad(fused_gate(x, m), {x, m}, g),
             recorded = grad(fused_gate(x, m), {x, m}, g, {.create_graph = true});
  for (std::size_t i = 0; i < 2; ++i) CHECK(error(dual[i], recorded[i]) < 1e-15);
  const auto second = grad(sum(recorded[0] * recorded[1]), {x, m});
  const auto first = grad(gate(x, m), {x, m}, g, {.create_graph = true});
  const auto expected = grad(sum(first[0] * first[1]), {x, m});
  for (std::size_t i = 0; i < 2; ++i) CHECK(error(second[i], expected[i]) < 1e-14);
  // J v as the derivative, by u, of u^T J.
  const Tensor u = leaf(zeros({50}, {.dtype = f64}));
  const Tensor forward = grad(grad(fused_gate(x, m), {x}, u, {.create_graph = true})[0], {u}, g)[0];
  CHECK(error(forward, dual[0]) < 1e-15);  // J is diagonal
}

TEST_CASE("every transform takes it") {
  manual_seed(8);
  const Tensor x = random({6}), m = random({6}), v = random({6});
  const auto one = [&](const Tensor& t) { return sum(fused_gate(t, m)); };
  const auto other = [&](const Tensor& t) { return sum(gate(t, m)); };
  CHECK(error(hessian(one, x), hessian(other, x)) < 1e-14);
  CHECK(error(hvp(one, x, v), hvp(other, x, v)) < 1e-14);
  const auto f = [&](const Tensor& t) { return fused_gate(t, m); };
  CHECK(error(jvp(f, x, v).tangent, v * value_and_grad(one, x).grad) < 1e-14);
  CHECK(error(jacobian(f, x), jacobian([&](const Tensor& t) { return gate(t, m); }, x)) < 1e-14);
  const Tensor w = leaf(x);
  CHECK(same_bits(grad(sum(checkpoint(f, w)), {w})[0], value_and_grad(one, x).grad));
}

TEST_CASE("observers see it as one op of its inputs") {
  const Tensor x = leaf(random({3})), m = random({3, 1});
  Trace trace;
  const Tensor y = fused_gate(x, m);
  REQUIRE(trace.ops().size() == 1);
  const TracedOp& op = trace.ops()[0];
  CHECK(std::string(op.name) == "gate");
  CHECK(op.place.line == __LINE__ - 4);
  CHECK(op.inputs.size() == 2);
  CHECK(op.output.same(y));
}

TEST_CASE("each rule gets its cotangent, in any order, again and again, and of a part of the inputs") {
  manual_seed(5);
  const Tensor x = leaf(random({20})), m = leaf(random({20})), g = random({20}), h = random({20});
  const Tensor y = fused_gate(x, m);
  const auto keep = GradOptions{.retain_graph = true};
  const auto both = grad(y, {x, m}, g, keep);
  const Tensor of_h = grad(y, {m}, h, keep)[0];
  CHECK(same_bits(grad(y, {m}, g, keep)[0], both[1]));
  CHECK(same_bits(grad(y, {x}, g, keep)[0], both[0]));
  CHECK(same_bits(grad(y, {x}, g, keep)[0], both[0]));
  CHECK(same_bits(grad(y, {m}, g, keep)[0], both[1]));
  CHECK(same_bits(grad(y, {m}, h, keep)[0], of_h));
  Tensor changing = g.clone();
  CHECK(same_bits(grad(y, {x}, changing, keep)[0], both[0]));
  changing.assign(h);
  CHECK(same_bits(grad(y, {m}, changing)[0], of_h));
}

TEST_CASE("nothing but the inputs is saved, and everything is freed") {
  const Tensor x = leaf(rand({100000})), m = leaf(rand({100000}));
  const auto kept = [&](const auto& f) {
    const std::int64_t before = memory::statistics().live_bytes;
    const Tensor y = f(x, m);
    return memory::statistics().live_bytes - before;  // y itself included
  };
  const auto steps = [](auto a, auto b) { return square(a * b + a) * (a - b) / (1 + b * b); };
  CHECK(kept([&](auto& a, auto& b) { return fused("steps", steps, a, b); }) == 400000);
  CHECK(kept(steps) >= 4 * 400000);
  const memory::Statistics before = memory::statistics();
  {
    Tensor y = fused_gate(x, m);
    const Tensor part = grad(y, {x}, ones({100000}), {.retain_graph = true})[0];
    // A cotangent that depends on y must not be held by y's node.
    y = grad(square(y), {m}, ones({100000}), {.create_graph = true})[0];
  }
  CHECK(memory::statistics().live_bytes == before.live_bytes);
  CHECK(memory::statistics().live_nodes == before.live_nodes);
}

TEST_CASE("the number of threads changes no bit") {
  const RestoreThreads restore;
  manual_seed(6);
  const Tensor x = leaf(rand({700, 1000})), m = leaf(rand({1000})), c = leaf(rand({700, 1}));
  const auto run = [&] {
    const auto f = [](auto a, auto b, auto d) { return exp(a * b) + d * a; };
    const Tensor y = fused("f", f, x, m, c);
    std::vector<Tensor> all = grad(y, {x, m, c}, y.detach());
    all.push_back(y);
    return all;
  };
  set_num_threads(1);
  const auto one = run();
  for (const int n : {2, 3}) {
    set_num_threads(n);
    const auto many = run();
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], many[i]));
  }
}

TEST_CASE("a captured step replays a fused op, forward and backward") {
  manual_seed(7);
  Tensor w = leaf(rand({5})), bias = leaf(rand({}));
  const auto step = [&](const Tensor& x) {
    w.zero_grad();
    bias.zero_grad();
    const auto f = [a = 0.5](auto v, auto s, auto b, auto n) { return tanh(v * s + a) * n + b; };
    const Tensor y = fused("f", f, x, w, bias, 3);
    y.backward(ones(y.shape()));
    return std::vector<Tensor>{y, w.grad(), bias.grad()};
  };
  auto captured = capture(step);
  for (int i = 0; i < 4; ++i) {
    const Tensor x = rand({11, 5});
    const auto replayed = captured(x), eager = step(x);
    for (std::size_t k = 0; k < 3; ++k) CHECK(same_bits(replayed[k], eager[k]));
    const NoGrad guard;
    w.assign(rand({5}));
  }
  CHECK(captured.recordings() == 1);
}

TEST_CASE("a function may loop, assign and call functions of its own") {
  const auto horner = [](auto x, auto c) {
    auto y = c;
    for (int i = 0; i < 3; ++i) y = y * x + i;
    y -= 1;
    return y;
  };
  const Tensor x = leaf(tensor({0.5, 2.}, {.dtype = f64})), c = leaf(tensor({3., -1.}, {.dtype = f64}));
  const Tensor y = fused("horner", horner, x, c);
  CHECK(same_bits(y, horner(x, c)));
  const auto d = grad(y, {x, c}, ones({2}, {.dtype = f64})),
             expected = grad(horner(x, c), {x, c}, ones({2}, {.dtype = f64}));
  for (std::size_t i = 0; i < 2; ++i) CHECK(error(d[i], expected[i]) < 1e-15);
}

TEST_CASE("an infinite factor of one input leaves the other's derivative alone") {
  const Tensor x = leaf(tensor(1., {.dtype = f64})), m = leaf(tensor(1000., {.dtype = f64}));
  const auto f = [](auto a, auto b) { return a * exp(b); };
  CHECK(grad(fused("f", f, x, m), {x})[0].item<double>() == INFINITY);
  const auto root = [](auto a) { return select(a > 0, sqrt(a), 0); };
  const Tensor zero = leaf(tensor(0., {.dtype = f64}));
  CHECK(grad(fused("root", root, zero), {zero})[0].item<double>() == 0);
}

TEST_CASE("a value that is overwritten before the backward pass is named") {
  Tensor x = leaf(rand({3}));
  const Tensor m = rand({3}), y = fused_gate(x, m);
  {
    const NoGrad guard;
    x.assign(m);
  }
  CHECK(message_of<GraphError>([&] {
          sum(y).backward();
        }).find("a value of shape (3,) that the gradient of gate needs") != std::string::npos);
}

TEST_CASE("inputs that do not fit are named with the user's line") {
  const Tensor x = ones({3}), wide = ones({3}, {.dtype = f64}), whole = ones({3}, {.dtype = i64});
  CHECK(message_of<ShapeError>([&] {
          fused("f", gate, x, ones({2, 4}));
        }) == "f: shapes do not broadcast: (3,), (2, 4); sizes must agree or be 1, counted from the last axis");
  CHECK(message_of<DtypeError>([&] { fused("f", gate, x, wide); }) ==
        "f: argument 0 is f32, argument 1 is f64; convert one with .to(...)");
  CHECK(message_of<DtypeError>([&] { fused("f", gate, 2, whole); }) ==
        "f: argument 1 is i64, not f32 or f64; convert it with .to(f32)");
  CHECK(message_of<ValueError>([&] { fused("f", gate, 2, 1.5); }) ==
        "f: all arguments are plain numbers; make one a tensor with tensor(...)");
  CHECK(message_of<ValueError>([&] { fused("f", gate, x, Tensor()); }) ==
        "f: argument 1 is an undefined (default-built) tensor; give it a value first");
  const auto clamped = [](auto v) { return clamp(v, 1, 0); };
  CHECK(message_of<ValueError>([&] { fused("f", clamped, x); }) ==
        "f: clamp: low is 1, high is 0; expected low <= high");
}
