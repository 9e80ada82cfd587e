#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <support.hpp>

using namespace xgrad;

namespace {

using Tensors = std::vector<Tensor>;

struct Setting {
  Tensor x = leaf(randn({5, 4}, f64)), w = leaf(randn({4, 4}, f64)), scale = leaf(randn({4}, f64));
  /// With random numbers, parameters and a result of an earlier op that it refers to.
  Tensor block(const Tensor& h, const Tensor& factor) const {
    return tanh(matmul(h, w) * factor) * bernoulli(h.shape(), 0.5).to(h.dtype()) + h;
  }
  /// Loss and gradients of two blocks, from the same random numbers each time.
  template <class Run>
  Tensors gradients(Run run) const {
    manual_seed(5);
    const Tensor factor = exp(scale), h = run([&, factor](const Tensor&t) { return block(t, factor); }, sin(x));
    const Tensor y = run([&, factor](const Tensor& t) { return block(t, factor); }, h);
    const Tensor loss = sum(square(y) * factor);
    Tensors result = grad(loss, {x, w, scale});
    result.push_back(loss.detach());
    return result;
  }
};

constexpr auto plainly = [](auto f, const Tensor& x) { return f(x); };
constexpr auto checkpointed = [](auto f, const Tensor& x) { return checkpoint(f, x); };

}  // namespace

TEST_CASE("a checkpoint changes no bit of values and gradients, of inputs and of what f refers to") {
  manual_seed(1);
  const Setting s;
  CHECK(same_bits(s.gradients(plainly), s.gradients(checkpointed)));
  CHECK(same_bits(s.gradients(plainly), s.gradients([](auto f, const Tensor& x) {
    return checkpoint([f](const Tensor& t) { return checkpoint(f, t); }, x);
  })));
}

TEST_CASE("backward fills the leaves that f refers to, and as often as asked") {
  const Tensor x = leaf(randn({3}, f64)), w = leaf(randn({3}, f64)),
               y = sum(checkpoint([&](const Tensor&t) { return exp(t * w); }, x));
  y.backward({.retain_graph = true});
  CHECK(same_bits(w.grad(), exp(x.detach() * w.detach()) * x.detach()));
  y.backward();
  CHECK(difference(w.grad(), 2 * exp(x * w) * x) < 1e-14);
  CHECK(difference(x.grad(), 2 * exp(x * w) * w) < 1e-14);
  CHECK_THROWS_AS(y.backward(), GraphError);
}

TEST_CASE("only what f refers to may require a gradient") {
  const Tensor x = randn({3}, {.dtype = f64}), w = leaf(randn({3}, f64));
  const Tensor y = checkpoint([&](const Tensor& t) { return t * w; }, x);
  CHECK(same_bits(grad(sum(y), {w})[0], x));
  CHECK_FALSE(checkpoint([&](const Tensor& t) { return t * 2; }, x).requires_grad());
  const NoGrad guard;
  CHECK_FALSE(checkpoint([&](const Tensor& t) { return t * w; }, x).requires_grad());
}

TEST_CASE("several inputs and outputs, of several dtypes, and integers among them") {
  const Tensor a = leaf(randn({3}, f64)), b = leaf(randn({2, 3})), rows = from_values<std::int64_t>({2, 0}, {2});
  const auto f = [](const Tensor& p, const Tensor& q, const Tensor& i) {
    return Tensors{take(p, i), square(q), i + 1, p * q.to(f64), ones({2})};
  };
  const auto loss = [](const Tensors& y) { return sum(exp(y[0])) * sum(y[1]).to(f64) + sum(y[3] * y[3]); };
  const Tensors y = checkpoint(f, {a, b, rows});
  CHECK(y[2].data<std::int64_t>()[0] == 3);
  CHECK_FALSE(y[4].requires_grad());
  CHECK(same_bits(grad(loss(y), {a, b}), grad(loss(f(a, b, rows)), {a, b})));
  CHECK(same_bits(grad(sum(checkpoint(f, a, b, rows)[1]), {b}), Tensors{2 * b.detach()}));
  CHECK(same_bits(checkpoint([](const Tensors& list) { return list[0] * list[1]; }, {a, a}), (a * a).detach()));
}

TEST_CASE("a function that hands through its input or what it refers to") {
  const Tensor x = leaf(randn({3}, f64)), w = leaf(randn({3}, f64));
  CHECK(
      same_bits(grad(sum(checkpoint([](const Tensor& t) { return t; }, x) * 3), {x})[0], full({3}, 3, {.dtype = f64})));
  CHECK(
      same_bits(grad(sum(checkpoint([&](const Tensor&) { return w; }, x) * 3), {w})[0], full({3}, 3, {.dtype = f64})));
  const Tensor none = leaf(randn({0, 2}, f64)), number = leaf(randn({}, f64));
  CHECK(grad(sum(checkpoint([](const Tensor& t) { return exp(t); }, none)), {none})[0].shape() == Shape{0, 2});
  CHECK(same_bits(grad(checkpoint([](const Tensor& t) { return exp(t); }, number), {number})[0], exp(number).detach()));
}

TEST_CASE("a checkpoint can be differentiated again, to any order") {
  const Tensor x = leaf(randn({4}, f64)), w = leaf(randn({4}, f64));
  const auto f = [&](const Tensor& t) { return sum(sin(t * w) * exp(t)); };
  const auto kept = [&](const Tensor& t) {
    return checkpoint([&](const Tensor& s) { return sin(s * w) * exp(s); }, t);
  };
  const auto total = [&](const Tensor& t) { return sum(kept(t)); };
  const Tensor v = leaf(randn({4}, f64));
  CHECK(difference(hessian(total, x), hessian(f, x)) < 1e-13);
  CHECK(difference(hvp(total, x, v), hvp(f, x, v)) < 1e-13);
  CHECK(difference(jvp(total, x, v).tangent, jvp(f, x, v).tangent) < 1e-13);
  const auto second = [&](const auto& g, const Tensor& by) {
    const Tensor first = grad(g(x), {x}, {.create_graph = true})[0];
    return grad(sum(square(first)), {by})[0];
  };
  CHECK(difference(second(total, w), second(f, w)) < 1e-12);
  CHECK(difference(second(total, x), second(f, x)) < 1e-12);
  const auto curved = [&](const auto& g) { return [&](const Tensor& t) { return sum(hvp(g, t, v) * v); }; };
  CHECK(difference(value_and_grad(curved(total), x).grad, value_and_grad(curved(f), x).grad) < 1e-12);
  CHECK(gradcheck(kept, {x}, {.order = 3}).ok());
  CHECK(gradcheck([](const Tensor& a,
                     const Tensor& b) { return checkpoint([b](const Tensor& t) { return tanh(t * b); }, a * b) * b; },
                  {x, w}, {.order = 2})
            .ok());
}

TEST_CASE("checkpoints inside of checkpoints and transforms, and transforms inside of checkpoints") {
  const Tensor x = leaf(randn({3}, f64)), w = leaf(randn({3}, f64)), v = leaf(randn({3}, f64));
  const auto f = [&](const Tensor& t) { return sum(sin(t * w) * t); };
  const auto nested = [&](const Tensor& t) {
    return checkpoint(
        [&](const Tensor& s) { return sum(checkpoint([&](const Tensor& r) { return sin(r * w); }, s) * s); }, t);
  };
  CHECK(difference(hessian(nested, x), hessian(f, x)) < 1e-13);
  const auto inside = [&](const Tensor& t) {
    return checkpoint([&](const Tensor& s) { return sum(value_and_grad(f, s).grad * v); }, t);
  };
  CHECK(difference(value_and_grad(inside, x).grad, hvp(f, x, v)) < 1e-13);
  CHECK(difference(grad(inside(x), {v})[0], value_and_grad(f, x).grad) < 1e-13);
  const auto of_w = [&](const Tensor& g) { return grad(sum(g), {w})[0]; };
  CHECK(difference(of_w(value_and_grad(inside, x).grad), of_w(hvp(f, x, v))) < 1e-12);
}

TEST_CASE("a derivative of second order draws the random numbers of the first pass") {
  const Tensor x = leaf(randn({64}, f64));
  const auto f = [](const Tensor& t) { return square(t) * bernoulli(t.shape(), 0.5).to(f64) * t; };
  const auto second = [&](const auto& run) {
    manual_seed(9);
    const Tensor first = grad(sum(run(f, x)), {x}, {.create_graph = true})[0];
    Tensors result = grad(sum(first), {x});
    result.push_back(rand({2}));
    return result;
  };
  CHECK(same_bits(second(plainly), second(checkpointed)));
}

TEST_CASE("f is not computed again for nothing, and runs once in a backward pass") {
  const Tensor x = leaf(randn({3}, f64)), w = leaf(randn({3}, f64));
  int calls = 0;
  const auto f = [&](const Tensor& a, const Tensor& b) {
    ++calls;
    return Tensors{a * b * w, a + b};
  };
  const Tensors y = checkpoint(f, x, exp(x));
  CHECK(calls == 1);
  sum(y[0] * y[1]).backward();
  CHECK(calls == 2);
  CHECK(x.has_grad());
  CHECK(w.has_grad());
}

TEST_CASE("what was overwritten since, or is done differently, is noticed") {
  Tensor x = leaf(randn({3}, f64)), w = leaf(randn({3}, f64)), other = leaf(randn({3}, f64));
  const Tensor y = sum(checkpoint([&](const Tensor& t) { return t * w; }, x));
  {
    const NoGrad guard;
    w.assign(ones({3}, {.dtype = f64}));
  }
  CHECK(error_of([&] { y.backward(); }).find("that the gradient of checkpoint needs was overwritten") !=
        std::string::npos);
  int calls = 0;
  const auto fickle = [&](const Tensor& t) { return t * (calls++ % 2 ? other : w); };
  const Tensor z = sum(checkpoint(fickle, x));
  constexpr int line = __LINE__ - 1;
  CHECK(error_of([&] { z.backward(); }) ==
        text("checkpoint.cpp:", line,
             ": checkpoint: f used other tensors that require a gradient when it was computed "
             "again, 1 instead of 1; it must do the same each time"));
  const auto growing = [&](const Tensor& t) { return t * ones({++calls, 3}, {.dtype = f64}); };
  const Tensor u = sum(checkpoint(growing, x));
  CHECK(error_of([&] {
          u.backward();
        }).find("f gave other shapes when it was computed again; it must do the same each time") != std::string::npos);
  CHECK_FALSE(x.has_grad());
  CHECK(error_of([&] {
          checkpoint([](const Tensor& t) { return t; }, Tensor());
        }).find("checkpoint: input 0 is undefined") != std::string::npos);
  CHECK(error_of([&] {
          checkpoint([](const Tensor&) { return Tensor(); }, x);
        }).find("checkpoint: f returned an undefined (default-built) tensor") != std::string::npos);
  CHECK(error_of([&] {
          checkpoint([](const Tensor& t) { return t; }, x, x);
        }).find("checkpoint: f does not take 2 tensors") != std::string::npos);
  CHECK(error_of([&] {
          checkpoint([](const Tensor& t) { return t + ones({2}, {.dtype = f64}); }, x);
        }).find("add: shapes") != std::string::npos);
}

TEST_CASE("a checkpoint frees all that it made, and what f holds with the last handle") {
  const Tensor x = leaf(randn({3}, f64)), w = leaf(randn({3}, f64));
  const std::int64_t nodes = memory::statistics().live_nodes, bytes = memory::statistics().live_bytes;
  auto owner = std::make_shared<int>(1);
  {
    Tensor y = checkpoint([owner, &w](const Tensor& t) { return exp(t * w); }, x);
    CHECK(owner.use_count() == 2);
    sum(y).backward();
    CHECK(owner.use_count() == 1);
    (void)grad(sum(checkpoint([&](const Tensor& t) { return exp(t * w); }, x)), {x, w}, {.create_graph = true});
    checkpoint([&](const Tensor& t) { return exp(t * w); }, x);
  }
  Tensor(x).zero_grad();
  Tensor(w).zero_grad();
  CHECK(memory::statistics().live_nodes == nodes);
  CHECK(memory::statistics().live_bytes == bytes);
}
