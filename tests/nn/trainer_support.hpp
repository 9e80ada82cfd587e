#pragma once
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
