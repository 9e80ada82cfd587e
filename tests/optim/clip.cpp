#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <cmath>
#include <limits>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "support.hpp"

using namespace xgrad;

namespace {

Tensor with_gradient(const Tensor& g) {
  Tensor p = zeros(g.shape(), {.dtype = g.dtype(), .requires_grad = true});
  p.set_grad(g);
  return p;
}

const double infinity = std::numeric_limits<double>::infinity(), not_a_number = std::nan("");

}  // namespace

TEST_CASE("the global norm is that of all gradients together, and they keep their direction") {
  const Tensor a = with_gradient(tensor({3., 0.})), b = with_gradient(tensor({{4.}}, {.dtype = f64}));
  CHECK(optim::clip_grad_norm({a, b}, 10).item<double>() == 5);
  CHECK(difference(a.grad(), tensor({3., 0.})) == 0);
  CHECK(optim::clip_grad_norm({a, b}, 1).item<double>() == 5);
  CHECK(difference(a.grad(), tensor({0.6, 0.})) < 1e-7);
  CHECK(difference(b.grad(), tensor({{0.8}}, {.dtype = f64})) < 1e-15);
  CHECK(optim::clip_grad_norm({a, b}, 0).item<double>() == doctest::Approx(1));
  CHECK(difference(a.grad(), zeros({2})) == 0);
}

TEST_CASE("a gradient may be clipped by its own norm, and element by element") {
  const Tensor a = with_gradient(tensor({3., 4.})), b = with_gradient(tensor({6., 8.}));
  CHECK(optim::clip_grad_norm(a, 2.5).item<double>() == 5);
  CHECK(difference(a.grad(), tensor({1.5, 2.})) == 0);
  CHECK(difference(b.grad(), tensor({6., 8.})) == 0);
  const Tensor c = with_gradient(tensor({-3., 0.5, infinity, -infinity}));
  optim::clip_grad_value({c, b}, 1);
  CHECK(difference(c.grad(), tensor({-1., 0.5, 1., -1.})) == 0);
  CHECK(difference(b.grad(), tensor({1., 1.})) == 0);
}

TEST_CASE("norms neither overflow nor underflow") {
  const Tensor a = with_gradient(tensor({3e200, 4e200}, {.dtype = f64}));
  CHECK(optim::clip_grad_norm(a, 1).item<double>() == doctest::Approx(5e200));
  CHECK(difference(a.grad(), tensor({0.6, 0.8}, {.dtype = f64})) < 1e-15);
  const Tensor b = with_gradient(tensor({3e-30, 4e-30}));
  CHECK(optim::clip_grad_norm(b, 1).item<double>() == doctest::Approx(5e-30));
  const Tensor c = with_gradient(full({4}, 2e38));  // the norm is no number of f32
  CHECK(optim::clip_grad_norm(c, 1).item<double>() == doctest::Approx(4e38));
  CHECK(difference(c.grad(), full({4}, 0.5)) < 1e-6);
}

TEST_CASE("finite gradients are clipped also where their norm is above the largest number of their dtype, or of all") {
  const Tensor a = with_gradient(tensor({1.5e308, -1.5e308, 1e300}, {.dtype = f64}));
  CHECK(optim::clip_grad_norm(a, 2).item<double>() == infinity);
  CHECK(difference(a.grad(), tensor({std::sqrt(2), -std::sqrt(2), std::sqrt(2) / 1.5e8}, {.dtype = f64})) < 1e-15);
  const Tensor b = with_gradient(tensor({1.5e308}, {.dtype = f64})),
               c = with_gradient(tensor({{1.5e308}}, {.dtype = f64})), d = with_gradient(tensor({3., 4.}));
  CHECK(optim::clip_grad_norm({b, c, d}, 1).item<double>() == infinity);
  CHECK(b.grad().item<double>() == doctest::Approx(std::sqrt(.5)).epsilon(1e-15));
  CHECK(c.grad().item<double>() == doctest::Approx(std::sqrt(.5)).epsilon(1e-15));
  CHECK(difference(d.grad(), zeros({2})) == 0);
  const Tensor e = with_gradient(tensor({3e38, 3e38})), f = with_gradient(tensor({1e38}));
  CHECK(optim::clip_grad_norm(e, 1).item<double>() == doctest::Approx(3e38 * std::sqrt(2)).epsilon(1e-6));
  CHECK(difference(e.grad(), full({2}, std::sqrt(.5))) < 1e-7);
  CHECK(optim::clip_grad_norm(f, 1e-2).item<double>() == doctest::Approx(1e38));
  CHECK(difference(f.grad(), tensor({1e-2})) < 1e-9);
  const Tensor g = with_gradient(tensor({1.5e308, 1.5e308}, {.dtype = f64}));
  CHECK(optim::clip_grad_norm(g, infinity).item<double>() == infinity);
  CHECK(difference(g.grad() * 1e-307, tensor({15., 15.}, {.dtype = f64})) < 1e-14);
}

TEST_CASE("no gradients, no parameters and empty gradients have the norm 0") {
  CHECK(optim::clip_grad_norm(std::vector<Tensor>{}, 1).item<double>() == 0);
  CHECK(optim::clip_grad_norm(ones({2}, {.requires_grad = true}), 1).item<double>() == 0);
  CHECK(optim::clip_grad_norm(with_gradient(zeros({0})), 1).item<double>() == 0);
  optim::clip_grad_value({with_gradient(zeros({0}))}, 1);
}

TEST_CASE("a gradient that is not finite is an error that names the parameter, and changes nothing") {
  const Tensor a = with_gradient(tensor({3., 4.})), b = with_gradient(tensor({1., infinity}));
  CHECK(message_of<ValueError>([&] {
          optim::clip_grad_norm({a, b}, 1);
        }) ==
        "clip_grad_norm: the gradient of parameter 1, f32 (2,), has the norm inf, and no gradient has been changed; "
        "find the cause with DetectAnomaly, or pass {.error_if_nonfinite = false}");
  CHECK(difference(a.grad(), tensor({3., 4.})) == 0);
  const Tensor c = with_gradient(tensor({not_a_number, 1.}));
  const std::vector<std::pair<std::string, Tensor>> named{{"hidden.weight", a}, {"hidden.bias", c}};
  CHECK(message_of<ValueError>([&] {
          optim::clip_grad_norm(named, 1);
        }).starts_with("clip_grad_norm: the gradient of parameter 1 (hidden.bias), f32 (2,), has the norm nan"));
  CHECK(std::isnan(optim::clip_grad_norm({a, c}, 1, {.error_if_nonfinite = false}).item<double>()));
  CHECK(difference(a.grad(), tensor({3., 4.})) == 0);
}

TEST_CASE("bad limits and lists are refused") {
  const Tensor a = with_gradient(tensor({3., 4.}));
  CHECK(message_of<ValueError>([&] { optim::clip_grad_norm(a, -1); }) ==
        "clip_grad_norm: max_norm is -1; it must be at least 0");
  CHECK(message_of<ValueError>([&] { optim::clip_grad_value({a}, not_a_number); }) ==
        "clip_grad_value: limit is nan; it must be at least 0");
  CHECK(message_of<ValueError>([&] {
          optim::clip_grad_norm({a, a}, 1);
        }) == "clip_grad_norm: a parameter is given twice; pass each once");
  CHECK(message_of<ValueError>([&] {
          optim::clip_grad_norm({a, Tensor()}, 1);
        }) == "clip_grad_norm: parameter 1 is undefined (default-built); give it a value first");
}

TEST_CASE("a graph that needs a gradient's old values throws after clipping") {
  const Tensor x = tensor(3., {.requires_grad = true});
  (x * x).backward({.create_graph = true});
  const Tensor penalty = x.grad() * x.grad();
  optim::clip_grad_norm(x, 1);
  CHECK_THROWS_AS(penalty.backward(), GraphError);
  Tensor(x).zero_grad();
}

TEST_CASE("a training step with clipping is replayed, with the bits of eager ones, and its checks are made again") {
  const auto train = [](bool captured) {
    manual_seed(1);
    nn::Sequential model{nn::Dense{4, 8}, nn::ReLU{}, nn::Dense{8, 1}};
    optim::SGD optimizer{model.parameters(), {.lr = 0.1}};
    const auto body = [&](const Tensor& x, const Tensor& t) {
      const Tensor loss = nn::mse_loss(model(x), t);
      optimizer.zero_grad();
      loss.backward();
      const Tensor norm = optim::clip_grad_norm(model.named_parameters(), 0.5);
      optim::clip_grad_value(model.parameters(), 0.2);
      optimizer.step();
      return std::vector<Tensor>{loss, norm};
    };
    auto step = capture(body);
    std::vector<double> seen;
    for (int i = 0; i < 20; ++i) {
      const Tensor x = randn({16, 4}), t = sum(x, {1}, true) * (i % 3);
      for (const Tensor& r : captured ? step(x, t) : body(x, t)) seen.push_back(r.item<double>());
    }
    if (captured) {
      CHECK(step.recordings() == 1);
      CHECK(message_of<ValueError>(
                [&] {
                  step(full({16, 4}, infinity), zeros({16, 1}));
                },
                __FILE__, __LINE__ - 17)
                .starts_with("clip_grad_norm: the gradient of parameter 0 (0.weight), f32 (4, 8), has the norm nan"));
    }
    return seen;
  };
  CHECK(train(true) == train(false));
}
