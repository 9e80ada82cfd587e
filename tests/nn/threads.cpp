#include <doctest/doctest.h>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <support.hpp>

// What threads of a program may do with models at once.
using namespace xgrad;

namespace {

constexpr int thread_count = 4;

/// What each of several threads makes at once.
template <class F>
std::vector<Tensor> made_at_once(F f) {
  std::vector<Tensor> results(thread_count);
  on_threads(thread_count, [&](int i) { results[std::size_t(i)] = f(i); });
  return results;
}

nn::Sequential network() {
  return nn::Sequential{nn::Dense{4, 8}, nn::BatchNorm1d{8}, nn::ReLU{}, nn::Dropout{0.2}, nn::Dense{8, 1}};
}

/// What a model predicts that has been trained from this seed.
Tensor trained(int seed, bool captured) {
  manual_seed(std::uint64_t(seed));
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
    for (int i = 0; i < thread_count; ++i) alone.push_back(trained(i, captured));
    CHECK(same_bits(made_at_once([&](int i) { return trained(i, captured); }), alone));
  }
}

TEST_CASE("several threads may predict with one model") {
  nn::Sequential model = network();
  model.eval();
  const Tensor x = randn({16, 4});
  const NoGrad guard;
  const Tensor alone = model(x);
  const auto predicted = made_at_once([&](int) {
    const NoGrad own;
    Tensor y;
    for (int k = 0; k < 50; ++k) y = model(x);
    return y;
  });
  for (const Tensor& y : predicted) CHECK(same_bits(y, alone));
}
