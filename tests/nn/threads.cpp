#include <doctest/doctest.h>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <support.hpp>
#include <thread>

// What threads of a program may do with models at once.
using namespace xgrad;

namespace {

constexpr std::size_t thread_count = 4;

template <class F>
std::vector<Tensor> on_threads(F f) {
  std::vector<Tensor> results(thread_count);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < thread_count; ++i) threads.emplace_back([&, i] { results[i] = f(i); });
  for (std::thread& t : threads) t.join();
  return results;
}

nn::Sequential network() {
  return nn::Sequential{nn::Dense{4, 8}, nn::BatchNorm1d{8}, nn::ReLU{}, nn::Dropout{0.2}, nn::Dense{8, 1}};
}

/// What a model predicts that has been trained from this seed.
Tensor trained(std::size_t seed, bool captured) {
  manual_seed(seed);
  nn::Sequential model = network();
  optim::Adam optimizer{model.parameters()};
  nn::Trainer trainer{model, optimizer, nn::mse_loss, {.capture = captured}};
  const Tensor x = randn({64, 4});
  trainer.fit(nn::TensorDataset(x, sum(x, 1, true)), {.epochs = 3, .batch_size = 16, .progress = false});
  return trainer.predict(x);
}

}  // namespace

TEST_CASE("several threads that train models of their own get the bits that one gets") {
  for (const bool captured : {false, true}) {
    std::vector<Tensor> alone;
    for (std::size_t i = 0; i < thread_count; ++i) alone.push_back(trained(i, captured));
    CHECK(same_bits(on_threads([&](std::size_t i) { return trained(i, captured); }), alone));
  }
}

TEST_CASE("several threads may predict with one model") {
  nn::Sequential model = network();
  model.eval();
  const Tensor x = randn({16, 4});
  const NoGrad guard;
  const Tensor alone = model(x);
  const auto predicted = on_threads([&](std::size_t) {
    const NoGrad own;
    Tensor y;
    for (int k = 0; k < 50; ++k) y = model(x);
    return y;
  });
  for (const Tensor& y : predicted) CHECK(same_bits(y, alone));
}
