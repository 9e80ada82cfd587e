#include <algorithm>
#include <autograd/autograd.hpp>
#include <autograd/kernels/decorate.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

/// What the engine itself costs: the kernels are replaced by ones that do nothing. `measure chain` runs a chain of 100
/// small ops forward and backward, `measure step` a training step of the reference network, and says how long an op or
/// a step takes; check.sh counts the instructions of `measured`. A last argument says how often to measure.
using namespace xgrad;

namespace {

template <class... Args>
struct Idle {
  static void call(Args..., const kernels::Kernel<void (*)(Args...)>&) {}
};

constexpr int repetitions = 10;

}  // namespace

template <class F>
[[gnu::noinline]] void measured(F& f) {
  for (int i = 0; i < repetitions; ++i) f();
}

namespace {

template <class F>
void measure(F f, int parts, int rounds) {
  static const kernels::Table idle = kernels::decorated<Idle>(kernels::table());
  for (int i = 0; i < 20; ++i) f();
  kernels::thread_table = &idle;
  double least = 1e9;
  for (int i = 0; i < rounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    measured(f);
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    least = std::min(least, time.count() / repetitions);
  }
  kernels::thread_table = nullptr;
  std::printf("%.3f us\n", least / parts);
}

}  // namespace

int main(int count, char** arguments) {
  manual_seed(1);
  const int rounds = count > 2 ? std::atoi(arguments[2]) : 500;
  if (count > 1 && std::strcmp(arguments[1], "chain") == 0) {
    constexpr int ops = 100;
    Tensor x = ones({4}, {.requires_grad = true});
    const Tensor c = full({4}, 1.5), g = ones({4});
    measure(
        [&] {
          Tensor y = x;
          for (int i = 0; i < ops; ++i) y = y * c;
          y.backward(g);
          x.zero_grad();
        },
        ops, rounds);
  } else {
    nn::Sequential model{nn::Dense{784, 64}, nn::ReLU{}, nn::Dropout{0.2},
                         nn::Dense{64, 32},  nn::ReLU{}, nn::Dense{32, 1}};
    optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};
    const Tensor x = randn({1, 784}), t = ones({1, 1});
    measure(
        [&] {
          optimizer.zero_grad();
          nn::binary_cross_entropy_with_logits(model(x), t).backward();
          optimizer.step();
        },
        1, rounds);
  }
}
