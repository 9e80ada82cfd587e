#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "nn/models.hpp"
#include "sanitized.hpp"
#include "support.hpp"

using namespace xgrad;

/// Captured training steps of models against eager ones.
namespace {

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
  CHECK(same_bits(replayed.model.state_dict(), eager.model.state_dict()));
  CHECK(same_bits(replayed.optimizer.state_dict(), eager.optimizer.state_dict()));
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
  // Without a pool, a tensor and numbers for each result.
  CHECK(after.system_allocations == before.system_allocations + (sanitized ? 200 : 0));
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
  CHECK(same_bits(replayed.model.state_dict(), eager.model.state_dict()));
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

namespace {

/// A step of y = f(x), run eagerly and captured side by side from equal models, on batches given by `draw`.
template <class Optimizer, class Options, class Loss, class Draw>
void check_training(const char* name, Options options, Loss loss_of, Draw draw) {
  CAPTURE(name);
  nn::Sequential eager{nn::Dense{6, 8}, nn::Tanh{}, nn::Dropout{0.1}, nn::Dense{8, 4}}, replayed = eager;
  Optimizer eager_optimizer{eager.parameters(), options}, replayed_optimizer{replayed.parameters(), options};
  const auto run = [&](nn::Sequential& model, optim::Optimizer& optimizer, const Tensor& x, const Tensor& t) {
    const Tensor loss = loss_of(model(x), t);
    loss.backward();
    optimizer.step();
    optimizer.zero_grad();
    return loss.detach();
  };
  auto step = capture([&](const Tensor& x, const Tensor& t) { return run(replayed, replayed_optimizer, x, t); });
  for (int i = 0; i < 12; ++i) {
    const Tensor x = randn({5, 6}), t = draw();
    const RandomState state = random_state();
    const Tensor want = run(eager, eager_optimizer, x, t);
    set_random_state(state);
    const Tensor got = step(x, t);
    CHECK_MESSAGE(same_bits(got, want), name, " step ", i, ": ", got.item<double>(), ", ", want.item<double>());
  }
  CHECK(step.recordings() == 1);
  CHECK(same_bits(replayed.state_dict(), eager.state_dict()));
  CHECK(same_bits(replayed_optimizer.state_dict(), eager_optimizer.state_dict()));
}

Tensor probabilities() { return rand({5, 4}); }
Tensor classes() { return floor(rand({5}) * 4).to(i64); }
/// Some of them -100, which stands for none, in some of the batches.
Tensor some_classes() { return where(rand({5}) * rand({}) > 0.4, -100, classes()); }

}  // namespace

TEST_CASE("every loss trains in replays as it does eagerly") {
  manual_seed(12);
  const auto check = [](const char* name, auto loss, auto draw) {
    check_training<optim::SGD>(name, optim::SGDOptions{.lr = 0.1, .momentum = 0.9}, loss, draw);
  };
  check(
      "mse", [](const Tensor& y, const Tensor& t) { return nn::mse_loss(y, t); }, probabilities);
  check(
      "l1", [](const Tensor& y, const Tensor& t) { return nn::l1_loss(y, t); }, probabilities);
  check(
      "huber", [](const Tensor& y, const Tensor& t) { return nn::huber_loss(y, t); }, probabilities);
  check(
      "bce of a sigmoid", [](const Tensor& y, const Tensor& t) { return nn::binary_cross_entropy(sigmoid(y), t); },
      probabilities);
  check(
      "bce", [](const Tensor& y, const Tensor& t) { return nn::binary_cross_entropy(square(sin(y)), t); },
      probabilities);
  check(
      "bce with logits",
      [](const Tensor& y, const Tensor& t) { return nn::binary_cross_entropy_with_logits(y, t, {.pos_weight = 2}); },
      probabilities);
  check(
      "hinge", [](const Tensor& y, const Tensor& t) { return nn::hinge_loss(y, t); },
      [] {
        return sign(rand({5, 4}) - 0.5);
      });
  check(
      "kl", [](const Tensor& y, const Tensor& t) { return nn::kl_div(log_softmax(y), t); }, probabilities);
  check(
      "cross entropy of distributions", [](const Tensor& y, const Tensor& t) { return nn::cross_entropy(y, t); },
      probabilities);
  const Tensor weight = rand({4});
  for (const auto& draw : {classes, some_classes}) {
    check(
        "cross entropy", [](const Tensor& y, const Tensor& t) { return nn::cross_entropy(y, t); }, draw);
    check(
        "nll, summed",
        [](const Tensor& y, const Tensor& t) {
          return nn::nll_loss(log_softmax(y), t, {.reduction = nn::Reduction::sum});
        },
        draw);
    check(
        "weighted and smoothed cross entropy",
        [&](const Tensor& y, const Tensor& t) {
          return nn::cross_entropy(y, t, {.weight = weight, .label_smoothing = 0.1});
        },
        draw);
  }
}

TEST_CASE("every optimiser steps in replays as it does eagerly") {
  manual_seed(13);
  const auto loss = [](const Tensor& y, const Tensor& t) { return nn::mse_loss(y, t); };
  check_training<optim::SGD>("SGD", optim::SGDOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true}, loss,
                             probabilities);
  check_training<optim::Adam>("Adam", optim::AdamOptions{.weight_decay = 0.1, .amsgrad = true}, loss, probabilities);
  check_training<optim::AdamW>("AdamW", optim::AdamWOptions{}, loss, probabilities);
  check_training<optim::RMSprop>("RMSprop", optim::RMSpropOptions{.momentum = 0.5, .centered = true}, loss,
                                 probabilities);
  check_training<optim::Adagrad>("Adagrad", optim::AdagradOptions{.lr_decay = 0.1}, loss, probabilities);
}

TEST_CASE("targets are checked in each replay") {
  nn::Sequential model{nn::Dense{3, 2}};
  auto classify = capture([&](const Tensor& x, const Tensor& t) { return nn::cross_entropy(model(x), t); });
  auto decide =
      capture([&](const Tensor& x, const Tensor& t) { return nn::binary_cross_entropy(sigmoid(model(x)), t); });
  const Tensor x = rand({2, 3}), good = tensor({0, 1}, {.dtype = i64}), bad = tensor({1, 2}, {.dtype = i64});
  classify(x, good);
  CHECK_THROWS_WITH_AS(classify(x, bad), doctest::Contains("cross_entropy: target 2 at position 1 is out of bounds"),
                       ValueError);
  CHECK(same_bits(classify(x, good), nn::cross_entropy(model(x), good).detach()));
  decide(x, rand({2, 2}));
  CHECK_THROWS_WITH_AS(decide(x, full({2, 2}, 1.5)), doctest::Contains("the target holds 1.5 at position 0"),
                       ValueError);
}

TEST_CASE("a model that was converted, assigned or copied is trained as it is then") {
  manual_seed(14);
  Training eager, replayed;
  replayed.model = eager.model;
  auto step = capture([&](const Tensor& x, const Tensor& t) { return replayed.step(x, t); });
  const Batch b = batches(4, 1)[0];
  const auto both = [&](const Batch& batch) {
    const RandomState state = random_state();
    const Tensor want = eager.step(batch.x, batch.t);
    set_random_state(state);
    CHECK(same_bits(step(batch.x, batch.t), want));
  };
  both(b);
  const nn::Sequential best = eager.model;
  both(b);
  both(b);
  eager.model = best;
  replayed.model = best;
  both(b);
  CHECK(step.recordings() == 1);
  CHECK(same_bits(replayed.model.state_dict(), eager.model.state_dict()));
  CHECK(!same_bits(best.parameters()[0], eager.model.parameters()[0]));

  nn::Sequential model{nn::Dense{3, 2}};
  auto predict = capture([&](const Tensor& x) { return model(x); });
  const Tensor x = rand({2, 3});
  predict(x);
  model.to(f64);
  CHECK(same_bits(predict(x.to(f64)), model(x.to(f64)).detach()));
  model.to(f32);
  CHECK(same_bits(predict(x), model(x).detach()));
}

TEST_CASE("two captured steps take turns") {
  manual_seed(15);
  Training eager, replayed;
  replayed.model = eager.model;
  auto train = capture([&](const Tensor& x, const Tensor& t) { return replayed.step(x, t); });
  auto measure = capture([&](const Tensor& x) {
    const NoGrad guard;
    return mean(replayed.model(x));
  });
  for (const Batch& b : batches(4, 6)) {
    const RandomState state = random_state();
    const Tensor want = eager.step(b.x, b.t), want_mean = mean(eager.model(b.x)).detach();
    set_random_state(state);
    CHECK(same_bits(train(b.x, b.t), want));
    CHECK(same_bits(measure(b.x), want_mean));
  }
}

TEST_CASE("digits: 784-128-10 with softmax cross-entropy replays to the bits of eager training") {
  manual_seed(16);
  nn::Sequential eager{nn::Dense{784, 128}, nn::ReLU{}, nn::Dense{128, 10}}, replayed = eager;
  optim::SGD eager_optimizer{eager.parameters(), {.lr = 0.1}}, replayed_optimizer{replayed.parameters(), {.lr = 0.1}};
  const auto run = [](auto& model, auto& optimizer, const Tensor& x, const Tensor& t) {
    const Tensor loss = nn::cross_entropy(model(x), t);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    return loss.detach();
  };
  auto step = capture([&](const Tensor& x, const Tensor& t) { return run(replayed, replayed_optimizer, x, t); });
  for (int i = 0; i < 10; ++i) {
    const Tensor x = rand({64, 784}), t = floor(rand({64}) * 10).to(i64);
    CHECK(same_bits(step(x, t), run(eager, eager_optimizer, x, t)));
  }
  CHECK(same_bits(replayed.state_dict(), eager.state_dict()));
}

TEST_CASE("what is computed outside of kernels is refused, not frozen") {
  auto orthogonal = capture([] { return nn::init::orthogonal()({3, 3}); });
  CHECK_THROWS_WITH_AS(orthogonal(), doctest::Contains("init: capture: this is computed outside of xgrad's kernels"),
                       GraphError);
  auto uniform = capture([] { return nn::init::glorot_uniform()({3, 3}); });
  for (int i = 0; i < 3; ++i) {
    const RandomState state = random_state();
    const Tensor got = uniform();
    set_random_state(state);
    CHECK(same_bits(got, nn::init::glorot_uniform()({3, 3})));
  }
}
