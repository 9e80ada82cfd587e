#include <doctest/doctest.h>
#include <cmath>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "support.hpp"

using namespace xgrad;

namespace {

/// A parameter that takes these values, one after the other, and the averages after each.
std::vector<double> averages(const optim::AveragedOptions& options, const std::vector<double>& values,
                             Dtype dtype = f64) {
  Tensor p = full({1}, 100, {.dtype = dtype});
  optim::Averaged average{{p}, options};
  std::vector<double> result;
  for (const double value : values) {
    p.assign(full({1}, value, {.dtype = dtype}));
    average.update();
    result.push_back(average.averages()[0].item<double>());
  }
  return result;
}

/// A small model in training.
struct Run {
  explicit Run(const optim::AveragedOptions& options = {.decay = .9})
      : model{nn::Dense{3, 4}, nn::Tanh{}, nn::Dense{4, 1}},
        optimizer{model.parameters(), {.lr = .05}},
        average{model.parameters(), options} {}
  void train() {
    const Tensor loss = nn::mse_loss(model(x), t);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    average.update();
  }

  const Tensor x = reshape(linspace(-1, 1, 24), {8, 3}), t = sum(x, {1}, true);
  nn::Sequential model;
  optim::Adam optimizer;
  optim::Averaged average;
};

}  // namespace

TEST_CASE("an exponential average begins with the first values and forgets them by the decay") {
  for (const Dtype dtype : {f32, f64}) {
    CHECK(averages({.decay = .5}, {8, 4, 0, 1}, dtype) == std::vector<double>{8, 6, 3, 2});
    CHECK(averages({.decay = 0}, {8, 4, 0}, dtype) == std::vector<double>{8, 4, 0});
  }
  double expected = 0;
  std::vector<double> values;
  for (int i = 0; i < 500; ++i) {
    values.push_back(std::sin(i));
    expected = i == 0 ? values[0] : .99 * expected + (1 - .99) * values.back();
  }
  CHECK(std::abs(averages({.decay = .99}, values).back() - expected) < 1e-14);
}

TEST_CASE("an equal average is the mean of all values") {
  CHECK(averages({.equal = true}, {8, 4, 0, 8}) == std::vector<double>{8, 6, 4, 5});
}

TEST_CASE("the model has the averages while they are swapped in, and its own weights to the bit afterwards") {
  manual_seed(0);
  Run run;
  for (int i = 0; i < 5; ++i) run.train();
  const StateDict trained = run.model.state_dict(), saved = run.average.state_dict();
  {
    const auto averaged = run.average.swap_in();
    const StateDict swapped = run.model.state_dict();
    std::size_t i = 0;
    for (const auto& entry : swapped) CHECK(same_bits(entry.second, saved[text("parameter.", i++, ".average")]));
    CHECK_FALSE(same_bits(swapped, trained));
  }
  CHECK(same_bits(run.model.state_dict(), trained));
  CHECK(same_bits(run.average.state_dict(), saved));
  try {
    const auto averaged = run.average.swap_in();
    throw 1;
  } catch (int) {
  }
  CHECK(same_bits(run.model.state_dict(), trained));
}

TEST_CASE("a graph that was recorded before averages were swapped in is refused, as their numbers are others") {
  manual_seed(0);
  Run run;
  run.train();
  run.train();
  const Tensor loss = nn::mse_loss(run.model(run.x), run.t);
  const auto averaged = run.average.swap_in();
  CHECK_THROWS_AS(loss.backward(), GraphError);
}

TEST_CASE("averages in a captured step have the bits of eager ones") {
  std::vector<StateDict> states;
  for (const bool captured : {false, true}) {
    manual_seed(0);
    Run run;
    auto step = capture([&](const Tensor& x) {
      run.train();
      return x;
    });
    for (int i = 0; i < 8; ++i) captured ? (void)step(run.x) : run.train();
    states.push_back(run.average.state_dict());
  }
  CHECK(states[1]["updates"].item<int>() == 8);
  CHECK(same_bits(states[0], states[1]));
}

TEST_CASE("averages that are saved and loaded continue to the same bits") {
  for (const bool equal : {false, true}) {
    manual_seed(0);
    Run first{{.decay = .9, .equal = equal}};
    for (int i = 0; i < 4; ++i) first.train();
    Run second{{.decay = .9, .equal = equal}};
    second.model.load_state_dict(first.model.state_dict());
    second.optimizer.load_state_dict(first.optimizer.state_dict());
    second.average.load_state_dict(first.average.state_dict());
    for (int i = 0; i < 4; ++i) first.train(), second.train();
    CHECK(second.average.updates() == 8);
    CHECK(same_bits(first.average.state_dict(), second.average.state_dict()));
  }
}

TEST_CASE("a model that is converted while averages are swapped in gets its own weights back") {
  manual_seed(0);
  Run run;
  for (int i = 0; i < 3; ++i) run.train();
  const StateDict trained = run.model.state_dict(), saved = run.average.state_dict();
  {
    const auto averaged = run.average.swap_in();
    run.model.to(f64);
  }
  for (const auto& [name, value] : run.model.state_dict()) CHECK(same_bits(value, trained[name].to(f64)));
  CHECK(same_bits(run.average.state_dict(), saved));
}

TEST_CASE("averages of what cannot be averaged") {
  const Tensor w = ones({2}), v = ones({2});
  SAYS("nothing", ValueError, optim::Averaged(std::vector<Tensor>{}),
       "Averaged: the list of parameters is empty; pass model.parameters()");
  SAYS("an undefined parameter", ValueError, optim::Averaged({w, Tensor()}),
       "Averaged: parameter 1 is undefined (default-built); give it a value first");
  SAYS("whole numbers", DtypeError, optim::Averaged({w.to(i64)}), "Averaged: parameter 0 is i64; f32 or f64 is needed");
  SAYS("one parameter twice", ValueError, optim::Averaged({w, v, w}),
       "Averaged: parameter 0 and parameter 2 are the same tensor; pass each parameter once");
  SAYS("a decay of 1", ValueError, optim::Averaged({w}, {.decay = 1}),
       "Averaged: decay is 1; expected a number in [0, 1)");
}

TEST_CASE("averages at times when they cannot be used") {
  nn::Sequential model{nn::Dense{2, 2}};
  optim::Averaged average{model.parameters()};
  {
    const auto averaged = average.swap_in();
    const std::string rest = ": the averages are swapped in; let what swap_in returned go out of scope first";
    SAYS("an update while swapped in", ValueError, average.update(), "Averaged" + rest);
    SAYS("swapping in twice", ValueError, (void)average.swap_in(), "swap_in" + rest);
    SAYS("saving while swapped in", ValueError, average.state_dict(), "state_dict" + rest);
    SAYS("loading while swapped in", ValueError, average.load_state_dict({}), "load_state_dict" + rest);
  }
  auto captured = capture([&](const Tensor& x) {
    const auto averaged = average.swap_in();
    return model(x);
  });
  CHECK_THROWS_AS(captured(ones({1, 2})), GraphError);
  model.to(f64);
  SAYS("a model that was converted", DtypeError, average.update(),
       "Averaged: parameter 0 was f32 (2, 2) and is f64 (2, 2) now; convert a model before its averages are made");
  CHECK(average.updates() == 0);
  StateDict state = average.state_dict();
  state.set("parameter.1.average", ones({3}));
  state.set("updates", full({}, -1, {.dtype = i64}));
  state.set("more", ones({3}));
  SAYS("a state that does not fit", ValueError, average.load_state_dict(state),
       "load_state_dict: the state does not fit these averages, which stay as they were:\n  updates is -1, expected at "
       "least 0\n  parameter.1.average is f32 (3,), expected f32 (2,)\n  more is unexpected");
}
