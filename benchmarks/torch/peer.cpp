#include <torch/torch.h>

#include "private.hpp"

namespace bench {
namespace {

using torch::Tensor;

/// Forward and backward of a chain whose i-th op is op(y, i).
template <class Op>
std::function<void()> chain(Op op) {
  const Tensor x = torch::ones({4}).requires_grad_();
  return [x, op] {
    Tensor y = x;
    for (int i = 0; i < Chains::length; ++i) y = op(y, i);
    x.mutable_grad() = Tensor();
    y.sum().backward();
  };
}

Chains chains() {
  const Tensor a = torch::full({4}, 1.001), b = torch::full({4}, -0.001);
  return {chain([a, b](const Tensor& y, int i) { return i % 2 ? y + b : y * a; }),
          chain([](const Tensor& y, int i) { return i % 2 ? y - 0.001 : y * 1.001; }),
          chain([](const Tensor& y, int) { return torch::sin(y); })};
}

}  // namespace

const TorchPeer* torch_peer() {
  static const TorchPeer peer{TORCH_VERSION, [](int n) { torch::set_num_threads(n); }, torch_reference_network,
                              torch_classifier, chains()};
  return &peer;
}

}  // namespace bench
