#pragma once
#include <autograd/grad_mode.hpp>
#include <autograd/ops.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

/// Two clouds of points, the same on every call; a column of targets says which one a point is of.
inline xgrad::nn::TensorDataset blobs(std::int64_t n) {
  using namespace xgrad;
  const RandomState before = random_state();
  manual_seed(77);
  const Tensor t = (rand({n, 1}) > 0.5).to(f32), x = randn({n, 4}) + 2 * t - 1;
  set_random_state(before);
  return nn::TensorDataset(x, t);
}

inline xgrad::nn::Sequential small_network() {
  using namespace xgrad;
  return {nn::Dense{4, 8}, nn::ReLU{}, nn::Dropout{0.2}, nn::Dense{8, 1}, nn::Sigmoid{}};
}

/// The same run, silent and deaf to Ctrl-C.
inline xgrad::nn::FitOptions quiet(xgrad::nn::FitOptions options) {
  options.progress = false;
  options.stop_on_interrupt = false;
  return options;
}

/// A layer that remembers the mean of what it has seen in training.
struct RunningMean : xgrad::nn::Module {
  xgrad::nn::Buffer average{xgrad::zeros({4})};
  xgrad::Tensor operator()(const xgrad::Tensor& x) {
    if (is_training()) {
      const xgrad::NoGrad guard;
      average.assign(average * 0.9 + mean(x, {0}) * 0.1);
    }
    return x - average;
  }
  void members(xgrad::nn::Visitor& visit) override { visit("average", average); }
};

/// A model with its optimiser and trainer.
template <class Model>
struct Learner {
  Model model;
  xgrad::optim::Adam optimizer{model.parameters(), {.lr = 1e-2}};
  xgrad::nn::Trainer trainer{
      model, optimizer, xgrad::nn::binary_cross_entropy, {.metrics = {xgrad::nn::binary_accuracy}}};

  explicit Learner(Model m) : model(std::move(m)) {}
};

inline Learner<xgrad::nn::Sequential> learner(std::uint64_t seed = 7) {
  xgrad::manual_seed(seed);
  return Learner<xgrad::nn::Sequential>(small_network());
}
