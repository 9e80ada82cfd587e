#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <cmath>
#include <limits>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "nn/models.hpp"
#include "support.hpp"

using namespace xgrad;

namespace {

struct MyOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
};

/// Adam, from its paper.
struct MyAdam : optim::Custom<MyOptions> {
  using Custom::Custom;
  void update(Tensor& p, const Tensor& g, State& s, const MyOptions& o, std::int64_t step) override {
    Tensor &m = s["mean"], &v = s["mean_square"];
    m = o.betas.first * m + (1 - o.betas.first) * g;
    v = o.betas.second * v + (1 - o.betas.second) * g * g;
    const double rate = o.lr / (1 - std::pow(o.betas.first, step));
    p -= rate * m / (sqrt(v) * (1 / std::sqrt(1 - std::pow(o.betas.second, step))) + o.eps);
  }
};

/// A model and its optimiser, which train on the same batches.
template <class Optimizer>
struct Training {
  nn::Sequential model;
  Optimizer optimizer;

  explicit Training(const nn::Sequential& start) : model(start), optimizer(model.parameters(), {.lr = 2e-3}) {}

  Tensor step(const Tensor& x, const Tensor& t) {
    const Tensor loss = nn::binary_cross_entropy(model(x), t);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    return loss.detach();
  }
  void train(int from, int to, bool captured = false) {
    auto replayed = capture([&](const Tensor& x, const Tensor& t) { return step(x, t); });
    for (int i = from; i < to; ++i) {
      manual_seed(static_cast<std::uint64_t>(i));
      const Tensor x = rand({16, 784}, {.dtype = f64}), t = (rand({16, 1}) > 0.5).to(f64);
      captured ? replayed(x, t) : step(x, t);
    }
    CHECK(replayed.recordings() == (captured ? 1 : 0));
  }
};

nn::Sequential seeded_network() {
  manual_seed(1);
  nn::Sequential model = reference_network();
  model.to(f64);
  return model;
}

/// An optimiser whose every step is the given function.
struct Options {
  double lr = 1;
  int every = 1;
  bool on = true;
  float share = 0.5F;
};
struct Each : optim::Custom<Options> {
  using Custom::Custom;
  std::function<void(Tensor& p, const Tensor& g, State& s, const Options& o, std::int64_t step)> f;
  void update(Tensor& p, const Tensor& g, State& s, const Options& o, std::int64_t step) override {
    f(p, g, s, o, step);
  }
};

}  // namespace

TEST_CASE(
    "an imitation of Adam trains the reference network to the bits of the built-in one, captured and resumed too") {
  const nn::Sequential start = seeded_network();
  Training<optim::Adam> built_in(start);
  Training<MyAdam> eager(start), captured(start), before(start), after(start);
  built_in.train(0, 20);
  eager.train(0, 20);
  captured.train(0, 20, true);
  before.train(0, 10);
  after.model.load_state_dict(before.model.state_dict());
  after.optimizer.set_lr(1);
  after.optimizer.load_state_dict(before.optimizer.state_dict());
  after.train(10, 20, true);

  const std::vector<Tensor> expected = built_in.model.parameters();
  CHECK(!same_bits(expected, start.parameters()));
  for (auto* own : {&eager, &captured, &after}) CHECK(same_bits(own->model.parameters(), expected));
  CHECK(same_bits(after.optimizer.state_dict(), eager.optimizer.state_dict()));
  const StateDict state = eager.optimizer.state_dict();
  CHECK(same_bits(state["parameter.3.mean"], built_in.optimizer.state_dict()["parameter.3.mean"]));
  CHECK(state["group.0.option.1.second"].item<double>() == 0.999);
}

TEST_CASE("a parameter may be changed in place or by assignment, and graphs that need its old values throw") {
  for (const bool in_place : {true, false}) {
    Tensor w = leaf(ones({2}));
    Each optimizer{{w}};
    optimizer.f = [&](Tensor& p, const Tensor& g, optim::State&, const Options& o, std::int64_t step) {
      CHECK(!p.requires_grad());
      if (in_place) {
        p.assign(p - o.lr * static_cast<double>(step) * g);
      } else {
        p -= o.lr * static_cast<double>(step) * g;
      }
    };
    const Tensor y = w * w;
    w.set_grad(ones({2}));
    for (int i = 0; i < 3; ++i) optimizer.step();
    CHECK(w.data<float>()[1] == 1 - 1 - 2 - 3);
    CHECK(w.requires_grad());
    CHECK_THROWS_AS(sum(y).backward(), GraphError);
  }
}

TEST_CASE("groups have options of their own, and an optimiser of one's own moves, also while a captured step uses it") {
  Tensor a = leaf(ones({2})), b = leaf(ones({3})), idle = leaf(ones({4})), frozen = ones({1});
  std::vector<Each> optimizers;
  optimizers.push_back(Each{{{{a, idle, frozen}, {.lr = 1}}, {{b}, {.lr = 10, .on = false}}}});
  optimizers[0].f = [calls = 0](Tensor& p, const Tensor& g, optim::State& s, const Options& o, std::int64_t) mutable {
    s["calls"] += ++calls;
    p -= o.lr * g * (o.on ? 1 : 2);
  };
  auto step = capture([&] {
    optimizers[0].zero_grad();
    (sum(a) + sum(b)).backward();
    optimizers[0].step();
  });
  for (int i = 0; i < 3; ++i) step();
  optimizers.reserve(optimizers.capacity() + 1);
  for (int i = 0; i < 3; ++i) step();
  CHECK(step.recordings() == 1);
  CHECK(a.data<float>()[0] == 1 - 6);
  CHECK(b.data<float>()[0] == 1 - 6 * 20);
  CHECK(idle.data<float>()[0] == 1);
  const StateDict state = optimizers[0].state_dict();
  CHECK(state["parameter.0.calls"].data<float>()[0] == 1 + 3 + 5 + 7 + 9 + 11);
  CHECK(state["parameter.1.steps"].item<int>() == 0);
  CHECK(!state.contains("parameter.1.calls"));
  CHECK(state["group.1.option.2"].item<double>() == 0);
}

TEST_CASE("a state that is the gradient itself keeps its numbers when the gradient changes") {
  Tensor w = leaf(ones({2}));
  Each optimizer{{w}};
  std::vector<double> seen;
  optimizer.f = [&](Tensor&, const Tensor& g, optim::State& s, const Options&, std::int64_t) {
    CHECK(s.contains("before") == !seen.empty());
    seen.push_back(s["before"].data<float>()[0]);
    s["before"] = g;
  };
  auto step = capture([&](const Tensor& x) {
    optimizer.zero_grad();
    sum(w * x).backward();
    optimizer.step();
  });
  for (int i = 1; i < 6; ++i) step(full({2}, i));
  CHECK(seen == std::vector<double>{0, 1, 2, 3, 4});
}

TEST_CASE("mistakes in an optimiser of one's own are named") {
  Tensor a = leaf(ones({2})), b = leaf(ones({3}));
  CHECK(message_of<ValueError>([&] { Each o({a}, {.lr = -1}); }) ==
        "Custom: lr is -1; expected a finite number of at least 0");
  CHECK(message_of<ValueError>([&] { Each o({a}, {.share = std::numeric_limits<float>::infinity()}); }) ==
        "Custom: option.3 is inf; expected a finite number");
  Each optimizer{{a, b}};
  CHECK(
      message_of<GraphError>([&] { optimizer.step(); }).starts_with("Custom: none of the 2 parameters has a gradient"));
  b.set_grad(ones({3}));
  optimizer.f = [](Tensor& p, const Tensor&, auto&&...) { p = ones({2}); };
  CHECK(message_of<ShapeError>([&] { optimizer.step(); }) ==
        "Custom: the values are (2,), the tensor is (3,); they must be equal");
  optimizer.f = [](Tensor&, const Tensor&, optim::State& s, auto&&...) { s["mean"] = ones({2}); };
  CHECK(message_of<ValueError>([&] { optimizer.step(); }) ==
        "Custom: the state mean of parameter 1 is f32 (2,); it must be of the parameter's dtype and shape, f32 (3,)");
  Each other{{b}};
  other.f = [](Tensor& p, const Tensor& g, auto&&...) { p -= matmul(g, ones({7})); };
  CHECK(message_of<ShapeError>([&] { other.step(); }).starts_with("matmul: inner dimensions differ"));
  CHECK(other.state_dict()["parameter.0.steps"].item<int>() == 0);

  StateDict state = other.state_dict();
  state.set("parameter.0.mean", zeros({2}));
  state.set("parameter.7.mean", zeros({2}));
  CHECK_THROWS_WITH_AS(other.load_state_dict(state, {"program.cpp", 7}),
                       "program.cpp:7: load_state_dict: the state does not fit this Custom, which stays as it was:\n"
                       "  parameter.0.mean is f32 (2,), expected f32 (3,)\n"
                       "  parameter.7.mean is unexpected",
                       ValueError);
}
