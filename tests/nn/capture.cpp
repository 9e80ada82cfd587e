#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <cstring>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xgrad;

namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.array().data(), b.array().data(), a.array().bytes()) == 0;
}

void check_same(const StateDict& a, const StateDict& b) {
  CHECK(a.size() == b.size());
  for (const auto& entry : a) CHECK_MESSAGE(same_bits(entry.second, b.at(entry.first)), entry.first);
}

nn::Sequential reference_network() {
  return nn::Sequential{nn::Dense{784, 64}, nn::ReLU{},       nn::Dropout{0.2}, nn::Dense{64, 32},
                        nn::ReLU{},         nn::Dense{32, 1}, nn::Sigmoid{}};
}

struct Batch {
  Tensor x, t;
};

std::vector<Batch> batches(std::int64_t size, int count) {
  std::vector<Batch> result;
  for (int i = 0; i < count; ++i) result.push_back({rand({size, 784}), (rand({size, 1}) > 0.5).to(f32)});
  return result;
}

/// A model in training; `step` is one step of it.
struct Training {
  nn::Sequential model = reference_network();
  optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};

  Tensor step(const Tensor& x, const Tensor& t) {
    const Tensor loss = nn::binary_cross_entropy(model(x), t);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    return loss.detach();
  }
};

}  // namespace

TEST_CASE(
    "a thousand replayed steps of the reference network have the bits of eager ones, dropout and schedule included") {
  manual_seed(3);
  Training eager, replayed;
  replayed.model = eager.model;
  const std::vector<Batch> data = batches(4, 5);
  auto step = capture([&](const Tensor& x, const Tensor& t) { return replayed.step(x, t); });

  const auto train = [&](Training& training, auto&& one_step) {
    manual_seed(11);
    std::vector<Tensor> losses;
    for (std::size_t i = 0; i < 1000; ++i) {
      training.optimizer.set_lr(1e-3 / (1 + 0.01 * static_cast<double>(i)));
      losses.push_back(one_step(data[i % data.size()]));
    }
    return losses;
  };
  const std::vector<Tensor> want = train(eager, [&](const Batch& b) { return eager.step(b.x, b.t); });
  const RandomState random = random_state();
  const std::vector<Tensor> got = train(replayed, [&](const Batch& b) { return step(b.x, b.t); });

  CHECK(step.recordings() == 1);
  for (std::size_t i = 0; i < want.size(); ++i) REQUIRE_MESSAGE(same_bits(got[i], want[i]), "loss of step ", i);
  check_same(replayed.model.state_dict(), eager.model.state_dict());
  check_same(replayed.optimizer.state_dict(), eager.optimizer.state_dict());
  CHECK(random_state().seed == random.seed);
  CHECK(random_state().stream == random.stream);
  const auto a = eager.model.parameters(), b = replayed.model.parameters();
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(same_bits(a[i].grad(), b[i].grad()));
}

TEST_CASE("replays take nothing from the system and make no nodes") {
  Training training;
  const std::vector<Batch> data = batches(4, 5);
  auto step = capture([&](const Tensor& x, const Tensor& t) { return training.step(x, t); });
  for (const Batch& b : data) step(b.x, b.t);
  const auto before = memory::statistics();
  for (int i = 0; i < 20; ++i)
    for (const Batch& b : data) step(b.x, b.t);
  const auto after = memory::statistics();
  CHECK(after.system_allocations == before.system_allocations);
  CHECK(after.live_nodes == before.live_nodes);
  CHECK(after.live_bytes == before.live_bytes);
}

TEST_CASE("a last, smaller batch is recorded of its own, and both are kept") {
  manual_seed(5);
  Training eager, replayed;
  replayed.model = eager.model;
  const std::vector<Batch> large = batches(8, 2), small = batches(3, 2);
  auto step = capture([&](const Tensor& x, const Tensor& t) { return replayed.step(x, t); });
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (const auto* data : {&large, &small}) {
      for (const Batch& b : *data) {
        const RandomState state = random_state();
        const Tensor want = eager.step(b.x, b.t);
        set_random_state(state);
        CHECK(same_bits(step(b.x, b.t), want));
      }
    }
  }
  CHECK(step.recordings() == 2);
  check_same(replayed.model.state_dict(), eager.model.state_dict());
}

TEST_CASE("training and evaluation mode have recordings of their own") {
  manual_seed(6);
  nn::Sequential model = reference_network();
  const Tensor x = rand({4, 784});
  auto predict = capture([&](const Tensor& input) {
    const NoGrad guard;
    return model(input);
  });
  for (int round = 0; round < 3; ++round) {
    for (const bool training : {true, false}) {
      model.train(training);
      const RandomState state = random_state();
      const Tensor got = predict(x);
      const RandomState after = random_state();
      set_random_state(state);
      CHECK(same_bits(got, model(x).detach()));
      CHECK(after.stream == random_state().stream);
    }
  }
  CHECK(predict.recordings() == 2);
}
