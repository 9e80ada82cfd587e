#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "support.hpp"
#include "xml.hpp"

using namespace xgrad;

namespace {

/// Inputs in one direction only, so that the loss of a Dense(2, 1) without bias is a parabola along it.
nn::TensorDataset line() {
  const Tensor x = tile(tensor({{1., 2.}}), {6, 1});
  return nn::TensorDataset(x, sum(x, {1}, true));
}

/// A model in training that has gradients, moments and a running order of batches.
struct Run {
  Run() {
    for (int i = 0; i < 3; ++i) train();
  }
  Tensor train() {
    for (const auto& [x, t] : loader) {
      const Tensor loss = nn::mse_loss(model(x), t);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
    }
    return model(data.features());
  }

  nn::TensorDataset data{randn({12, 3}), randn({12, 1})};
  nn::Sequential model{nn::Dense{3, 8}, nn::Tanh{}, nn::Dropout{.3}, nn::Dense{8, 1}};
  optim::Adam optimizer{model.parameters(), {.lr = 1e-2}};
  nn::Loader loader{data, {.batch_size = 5, .shuffle = true, .seed = 1}};
};

}  // namespace

TEST_CASE("rates rise by equal factors, and the test ends where the loss diverges") {
  manual_seed(0);
  nn::Sequential model{nn::Dense{2, 1, {.bias = false}}};
  optim::SGD optimizer{model.parameters()};
  nn::Loader loader(line(), {.batch_size = 2});
  const nn::LrRange range =
      nn::find_lr(model, optimizer, nn::mse_loss, loader, {.min_lr = 1e-4, .max_lr = 10, .steps = 60, .smoothing = .5});
  REQUIRE(range.lr.size() < 60);
  CHECK(range.loss.size() == range.lr.size());
  CHECK(range.smoothed.size() == range.lr.size());
  for (std::size_t i = 0; i < range.lr.size(); ++i)
    CHECK(range.lr[i] == doctest::Approx(1e-4 * std::pow(1e5, double(i) / 59)).epsilon(1e-12));
  // The parabola's second derivative is 2 |x|^2 = 10: steps with rates above 2 / 10 move away from its bottom.
  CHECK(range.lr.back() > .2);
  CHECK(range.suggestion > .2 / 100);
  CHECK(range.suggestion < .2);
  CHECK(range.loss[0] == range.smoothed[0]);
  CHECK(range.smoothed.back() > 4 * *std::min_element(range.smoothed.begin(), range.smoothed.end()));
}

TEST_CASE("a range test over several epochs leaves model, gradients, optimiser, loader and random numbers as before") {
  manual_seed(0);
  Run run, untouched = [] {
    manual_seed(0);
    return Run();
  }();
  const StateDict model = run.model.state_dict(), optimizer = run.optimizer.state_dict();
  const Tensor gradient = run.model.parameters()[0].grad().clone();
  const RandomState random = random_state();
  const nn::LrRange range =
      nn::find_lr(run.model, run.optimizer, nn::mse_loss, run.loader, {.max_lr = 1e-2, .steps = 20});
  CHECK(range.lr.size() == 20);
  CHECK(same_bits(run.model.state_dict(), model));
  CHECK(same_bits(run.optimizer.state_dict(), optimizer));
  CHECK(same_bits(run.model.parameters()[0].grad(), gradient));
  CHECK(run.loader.epoch() == 3);
  CHECK(random_state().seed == random.seed);
  CHECK(random_state().stream == random.stream);
  const Tensor after = run.train();
  set_random_state(random);
  CHECK(same_bits(after, untouched.train()));
}

TEST_CASE("a range test that throws leaves the model as before") {
  manual_seed(0);
  Run run;
  const StateDict model = run.model.state_dict(), optimizer = run.optimizer.state_dict();
  int calls = 0;
  const auto breaks = [&](const Tensor& p, const Tensor& t) {
    if (++calls == 7) throw 1;
    return nn::mse_loss(p, t);
  };
  CHECK_THROWS_AS(nn::find_lr(run.model, run.optimizer, breaks, run.loader), int);
  CHECK(same_bits(run.model.state_dict(), model));
  CHECK(same_bits(run.optimizer.state_dict(), optimizer));
  CHECK(run.loader.epoch() == 3);
}

TEST_CASE("the curve of a range test is drawn against the rates") {
  nn::LrRange range{{1e-3, 1e-2, .1, 1}, {3, 2, 1, 900}, {3, 2.5, 2, 8}, .01};
  const std::string svg = range.to_svg();
  CHECK(xml_fault(svg) == "");
  for (const char* word : {"Loss by learning rate", ">lr<", ">0.001<", ">0.1<", ">1<", "loss", "smoothed"})
    CHECK_MESSAGE(svg.find(word) != std::string::npos, word);
  CHECK(svg.find("900") == std::string::npos);
}

TEST_CASE("range tests that make no sense") {
  nn::Sequential model{nn::Dense{2, 1}};
  optim::SGD optimizer{model.parameters()};
  nn::Loader loader(line());
  SAYS("rates that fall", ValueError, nn::find_lr(model, optimizer, nn::mse_loss, loader, {.min_lr = 1, .max_lr = .1}),
       "find_lr: the rates go from 1 to 0.1; expected 0 < min_lr < max_lr");
  SAYS("a single step", ValueError, nn::find_lr(model, optimizer, nn::mse_loss, loader, {.steps = 1}),
       "find_lr: steps is 1; expected at least 2");
  SAYS("smoothing that forgets nothing", ValueError,
       nn::find_lr(model, optimizer, nn::mse_loss, loader, {.smoothing = 1}),
       "find_lr: smoothing is 1; expected a number in [0, 1)");
  SAYS("no divergence", ValueError, nn::find_lr(model, optimizer, nn::mse_loss, loader, {.divergence = 1}),
       "find_lr: divergence is 1; expected a number above 1");
  nn::Loader nothing(nn::TensorDataset(zeros({0, 2}), zeros({0, 1})));
  SAYS("no batch", ValueError, nn::find_lr(model, optimizer, nn::mse_loss, nothing),
       "find_lr: the loader has no batch to train on");
  nn::Loader broken(nn::TensorDataset(full({2, 2}, NAN), zeros({2, 1})));
  SAYS("a loss that is no number", ValueError, nn::find_lr(model, optimizer, nn::mse_loss, broken),
       "find_lr: the loss is nan at min_lr 1e-07, before any step");
  nn::Loader columns(nn::TensorDataset(zeros({2, 2}), zeros({2})));
  SAYS("targets of another shape", ShapeError, nn::find_lr(model, optimizer, nn::mse_loss, columns),
       "mse_loss: the prediction is (2, 1), the target is (2,), and a loss never broadcasts; bring one to the other's "
       "shape, as by reshape(target, {2, 1})");
}
