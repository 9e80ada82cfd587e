#include "sections.hpp"
#include "torch/peer.hpp"

#include <autograd/autograd.hpp>
#include <autograd/capture.hpp>

namespace bench {
namespace {

using xgrad::Tensor;

/// Forward and backward of a chain whose i-th op is op(y, i).
template <class Op>
auto eager(Op op) {
  const Tensor x = xgrad::ones({4}, {.requires_grad = true});
  return [x, op] {
    Tensor y = x;
    for (int i = 0; i < Chains::length; ++i) y = op(y, i);
    Tensor(x).zero_grad();
    sum(y).backward();
  };
}

template <class Op>
auto captured(Op op) {
  return [step = std::make_shared<xgrad::Captured<decltype(eager(op))>>(eager(op))] { (*step)(); };
}

template <class Make>
Chains chains(Make make) {
  const Tensor a = xgrad::full({4}, 1.001), b = xgrad::full({4}, -0.001);
  return {make([a, b](const Tensor& y, int i) { return i % 2 ? y + b : y * a; }),
          make([](const Tensor& y, int i) { return i % 2 ? y - 0.001 : y * 1.001; }),
          make([](const Tensor& y, int) { return sin(y); })};
}

}  // namespace

void small_ops(Run& run) {
  set_threads(1);
  const Chains ours = chains([](auto op) { return eager(op); }),
               replayed = chains([](auto op) { return captured(op); });
  const TorchPeer* const torch = torch_peer();
  const auto rows = [&](const std::string& name, std::function<void()> Chains::*member) {
    run.progress(name);
    const Unit unit = nanoseconds_per(Chains::length);
    std::vector<Competitor> competitors = {{"xgrad", repeat(ours.*member), unit},
                                           {"captured", repeat(replayed.*member), unit}};
    if (torch) competitors.push_back({"libtorch", repeat(torch->chains.*member), unit});
    const std::vector<Series> series = measure(competitors, run.settings);
    const auto row = [&](const std::string& what, const Series& s) {
      run.rows.push_back(torch ? compare({what, "size", "4"}, s, series[2]) : compare({what, "size", "4"}, {s}));
    };
    row(name, series[0]);
    row(name + ", captured", series[1]);
  };
  rows("small op, tensor with tensor", &Chains::tensor_with_tensor);
  rows("small op, tensor with scalar", &Chains::tensor_with_scalar);
  rows("small op, sin", &Chains::unary);
}

}  // namespace bench
