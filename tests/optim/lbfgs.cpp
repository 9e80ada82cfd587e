#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <optim/optim.hpp>

#include "support.hpp"

using namespace xgrad;
using optim::LBFGS, optim::LBFGSOptions, optim::LineSearch;

namespace {

/// Rosenbrock's function of n variables, from its usual start.
struct Rosenbrock {
  Tensor x;
  int evaluations = 0;

  explicit Rosenbrock(int n, Dtype dtype = f64) {
    std::vector<double> start;
    for (int i = 0; i < n; ++i) start.push_back(i % 2 == 0 ? -1.2 : 1);
    x = from_values(start, {n}).to(dtype).set_requires_grad(true);
  }
  Tensor value() const {
    const Tensor a = slice(x, 0, 0, x.size() - 1), b = slice(x, 0, 1, x.size());
    return sum(100 * square(b - square(a)) + square(1 - a));
  }
  Tensor operator()() {
    ++evaluations;
    x.zero_grad();
    const Tensor loss = value();
    loss.backward();
    return loss;
  }
};

}  // namespace

TEST_CASE("Rosenbrock's function is minimised to 1e-10 in two dimensions by 60 evaluations, and in ten by 150") {
  for (const int n : {2, 10}) {
    CAPTURE(n);
    Rosenbrock f(n);
    LBFGS optimizer{{f.x}, {.max_iter = 200, .tolerance_change = 1e-14, .line_search = LineSearch::strong_wolfe}};
    const Tensor before = optimizer.step([&] { return f(); });
    CAPTURE(f.evaluations);
    CHECK(before.item<double>() == doctest::Approx(Rosenbrock(n).value().item<double>()));
    CHECK(f.evaluations <= (n == 2 ? 60 : 150));
    CHECK(f.value().item<double>() < 1e-10);
    CHECK(max(abs(f.x - 1)).item<double>() < 1e-4);
  }
}

TEST_CASE("the iterations and evaluations are those of PyTorch 1.13") {
  const auto check = [](LBFGSOptions options, int steps, int evaluations, const Tensor& x) {
    Rosenbrock f(4);
    LBFGS optimizer{{f.x}, options};
    for (int i = 0; i < steps; ++i) optimizer.step([&] { return f(); });
    CHECK(f.evaluations == evaluations);
    CHECK(max(abs(f.x - x)).item<double>() < 1e-10);
  };
  const TensorOptions wide{.dtype = f64};
  check({.lr = .3, .max_iter = 4}, 3, 12,
        tensor({-0.5076326712365079, 0.2631167364314962, 0.01494691011001884, 0.01326557658017654}, wide));
  check({.lr = .3, .max_iter = 4, .history_size = 2}, 3, 12,
        tensor({-0.532504122410684, 0.2886146906807191, 0.0262240151817932, 0.0064768655240685}, wide));
  check({.max_iter = 4, .line_search = LineSearch::strong_wolfe}, 3, 17,
        tensor({0.06519940899319157, 0.0026707467595583263, -0.01835666771387483, -0.02463261221588475}, wide));
}

TEST_CASE("without a line search too, the minimum of a quadratic function is found") {
  const Tensor a = tensor({{3., 1.}, {1., 2.}}, {.dtype = f64}), b = tensor({1., -1.}, {.dtype = f64});
  for (const LineSearch search : {LineSearch::none, LineSearch::strong_wolfe}) {
    Tensor x = zeros({2}, {.dtype = f64, .requires_grad = true}), unused = ones({3}, {.dtype = f64});
    LBFGS optimizer{{unused, x}, {.tolerance_grad = 1e-12, .tolerance_change = 1e-14, .line_search = search}};
    optimizer.step([&] {
      optimizer.zero_grad();
      const Tensor loss = dot(x, matmul(a, x)) / 2 - dot(b, x);
      loss.backward();
      return loss;
    });
    CHECK(max(abs(matmul(a, x) - b)).item<double>() < 1e-7);
    CHECK(unused.data<double>()[0] == 1);
  }
}

TEST_CASE("f32 comes as far as f32 goes, and a loss that becomes NaN or infinite on the way is stepped back from") {
  Rosenbrock f(2, f32);
  LBFGS optimizer{{f.x}, {.max_iter = 100, .line_search = LineSearch::strong_wolfe}};
  optimizer.step([&] { return f(); });
  CHECK(f.value().item<double>() < 1e-6);

  Tensor x = tensor({3.}, {.dtype = f64, .requires_grad = true});
  LBFGS logarithmic{{x}, {.lr = 100, .line_search = LineSearch::strong_wolfe}};
  logarithmic.step([&] {
    x.zero_grad();
    const Tensor loss = sum(x - log(x));  // NaN below 0
    loss.backward();
    return loss;
  });
  CHECK(x.item<double>() == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE(
    "a run that is saved and resumed between steps, or moved, equals an undisturbed one, with short histories too") {
  for (const std::int64_t history : {0, 2, 100}) {
    const LBFGSOptions options{.max_iter = 3, .history_size = history, .line_search = LineSearch::strong_wolfe};
    Rosenbrock f(4), g(4);
    LBFGS undisturbed{{f.x}, options}, before{{g.x}, options};
    for (int i = 0; i < 8; ++i) undisturbed.step([&] { return f(); });
    for (int i = 0; i < 4; ++i) before.step([&] { return g(); });
    LBFGS after{{g.x}, {.lr = 3}};
    after.load_state_dict(before.state_dict());
    CHECK(same_bits(after.state_dict(), before.state_dict()));
    LBFGS moved = std::move(after);
    for (int i = 0; i < 4; ++i) moved.step([&] { return g(); });
    CHECK(same_bits(f.x, g.x));
    CHECK(same_bits(moved.state_dict(), undisturbed.state_dict()));
  }
}

TEST_CASE("the closure may be a captured function, but not the step a part of one") {
  Rosenbrock f(3), g(3);
  LBFGS eager{{f.x}, {.line_search = LineSearch::strong_wolfe}},
      replayed{{g.x}, {.line_search = LineSearch::strong_wolfe}};
  auto closure = capture([&] { return g(); });
  for (int i = 0; i < 3; ++i) {
    eager.step([&] { return f(); });
    replayed.step([&] { return closure(); });
  }
  CHECK(same_bits(f.x, g.x));
  auto whole = capture([&] { eager.step([&] { return f(); }); });
  CHECK(message_of<GraphError>([&] { whole(); }) ==
        "LBFGS: how often it evaluates the loss depends on numbers, and a replay cannot decide that; capture the "
        "closure instead of the step");
}

TEST_CASE("what LBFGS cannot do is refused") {
  Tensor x = ones({2}, {.dtype = f64, .requires_grad = true}), narrow = ones({2}, {.requires_grad = true});
  CHECK(message_of<DtypeError>([&] {
          LBFGS o({x, narrow});
        }) == "LBFGS: parameter 0 is f64, parameter 1 is f32; all must be of one dtype");
  CHECK(message_of<ValueError>([&] { LBFGS o({x}, {.max_iter = -1}); }) ==
        "LBFGS: max_iter is -1; expected at least 0, and a number of 32 bits");
  LBFGS optimizer{{x}};
  optim::Optimizer& base = optimizer;
  CHECK(message_of<GraphError>([&] { base.step(); }) ==
        "LBFGS: a step evaluates the loss several times; call step(closure) of the LBFGS itself");
  CHECK(message_of<GraphError>([&] { optimizer.step([&] { return sum(x); }); }) ==
        "LBFGS: none of the 1 parameters has a gradient after the closure; it must call backward on the loss");
  x.set_grad(ones({2}, {.dtype = f64}));
  CHECK(message_of<ShapeError>([&] { optimizer.step([&] { return x * 2; }); }) ==
        "LBFGS: a tensor of shape (2,) has 2 elements, not one; reduce or slice it first");
  StateDict state = optimizer.state_dict();
  state.set("parameter.0.gradient", zeros({3}, {.dtype = f64}));
  CHECK_THROWS_WITH_AS(optimizer.load_state_dict(state, {"program.cpp", 7}),
                       "program.cpp:7: load_state_dict: the state does not fit this LBFGS, which stays as it was:\n"
                       "  parameter.0.gradient is f64 (3,), expected f64 (2,)",
                       ValueError);
}
