#include "sections.hpp"
#include "torch/peer.hpp"

#include <autograd/autograd.hpp>

namespace bench {
namespace {

using xgrad::Tensor;

template <class Op>
std::function<void()> chain(Op op) {
  const Tensor x = xgrad::ones({4}, {.requires_grad = true});
  return [x, op] {
    Tensor y = x;
    for (int i = 0; i < Chains::length; ++i) y = op(y, i);
    Tensor(x).zero_grad();
    sum(y).backward();
  };
}

Chains xgrad_chains() {
  const Tensor a = xgrad::full({4}, 1.001), b = xgrad::full({4}, -0.001);
  return {chain([a, b](const Tensor& y, int i) { return i % 2 ? y + b : y * a; }),
          chain([](const Tensor& y, int i) { return i % 2 ? y - 0.001 : y * 1.001; }),
          chain([](const Tensor& y, int) { return sin(y); })};
}

}  // namespace

void small_ops(Run& run) {
  const TorchPeer* const torch = torch_peer();
  if (!torch) return;
  set_threads(1);
  const Chains ours = xgrad_chains();
  const auto row = [&](const char* name, std::function<void()> Chains::*member) {
    run.progress(name);
    const auto series = measure({{"xgrad", repeat(ours.*member), nanoseconds_per(Chains::length)},
                                 {"libtorch", repeat(torch->chains.*member), nanoseconds_per(Chains::length)}},
                                run.settings);
    run.rows.push_back(compare({name, "size", "4", 1}, series[0], series[1]));
  };
  row("small op, tensor with tensor", &Chains::tensor_with_tensor);
  row("small op, tensor with scalar", &Chains::tensor_with_scalar);
  row("small op, sin", &Chains::unary);
}

}  // namespace bench
