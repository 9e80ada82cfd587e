#include <torch/torch.h>

#include <cstdlib>

#include "private.hpp"

// Weak, so that any BLAS will do.
extern "C" {
[[gnu::weak]] char* openblas_get_config();
[[gnu::weak]] char* openblas_get_corename();
[[gnu::weak]] void openblas_set_num_threads(int);
}

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

/// Its name and version, the processor that it takes this one for, and the one thread that it is held at: a pool of
/// its own would compete with libtorch's for the cores.
std::string blas() {
  if (!openblas_get_config || !openblas_get_corename || !openblas_set_num_threads) return "not OpenBLAS";
  openblas_set_num_threads(1);
  std::string version = openblas_get_config();  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
  version = version.substr(0, version.find(' ', version.find(' ') + 1));
  std::string text = version + ", core type " + openblas_get_corename();
  if (const char* forced = std::getenv("OPENBLAS_CORETYPE")) text += std::string(" (OPENBLAS_CORETYPE=") + forced + ")";
  return text + ", one thread";
}

}  // namespace
}  // namespace bench

extern "C" const bench::TorchPeer* make_torch_peer() {
  using namespace bench;
  static const TorchPeer peer{TORCH_VERSION,
                              blas(),
                              [](int n) { torch::set_num_threads(n); },
                              torch_reference_network,
                              torch_classifier,
                              torch_classifier,
                              torch_lstm,
                              torch_transformer,
                              chains()};
  return &peer;
}
