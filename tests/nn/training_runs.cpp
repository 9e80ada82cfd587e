#include <doctest/doctest.h>
#include <autograd/grad_mode.hpp>
#include <autograd/memory.hpp>
#include <autograd/ops.hpp>
#include <autograd/threads.hpp>
#include <nn/io/safetensors.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include <memory>

#include "folder.hpp"
#include "nn/models.hpp"
#include "sanitized.hpp"
#include "support.hpp"

using namespace xgrad;

/// Whole training runs, repeated.
namespace {

/// Images with more light in one half than in the other, the same on every call.
nn::TensorDataset images(std::int64_t n) {
  const RandomState before = random_state();
  manual_seed(77);
  const Tensor x = rand({n, 784});
  set_random_state(before);
  const Tensor difference = sum(slice(x, 1, 0, 392), {1}, true) - sum(slice(x, 1, 392, 784), {1}, true);
  return nn::TensorDataset(x, (difference > 0).to(f32));
}

/// A training run: all that decides what its next step does.
struct Run {
  nn::Sequential model = reference_network();
  optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};
  nn::Loader loader;
  std::vector<double> losses;

  Run(const nn::TensorDataset& data, std::uint64_t shuffling)
      : loader(data, {.batch_size = 32, .shuffle = true, .seed = shuffling}) {}

  void epoch() {
    model.train();
    for (const auto& [x, t] : loader) {
      const Tensor loss = nn::binary_cross_entropy(model(x), t);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      losses.push_back(loss.item<double>());
    }
  }

  void save(const Folder& folder) const {
    nn::save_weights(model, folder / "model");
    nn::save_tensors(folder / "optimizer", optimizer.state_dict());
    // Seeds use all 64 bits; a file's integers are signed.
    const auto bits = [](std::uint64_t n) { return tensor(static_cast<std::int64_t>(n), {.dtype = i64}); };
    const RandomState random = random_state();
    nn::save_tensors(
        folder / "progress",
        {{"epoch", bits(loader.epoch())}, {"random.seed", bits(random.seed)}, {"random.stream", bits(random.stream)}});
  }

  void load(const Folder& folder) {
    nn::load_weights(model, folder / "model");
    optimizer.load_state_dict(nn::load_tensors(folder / "optimizer"));
    const StateDict progress = nn::load_tensors(folder / "progress");
    const auto number = [&](const char* name) {
      return static_cast<std::uint64_t>(progress[name].item<std::int64_t>());
    };
    loader.set_epoch(number("epoch"));
    set_random_state({number("random.seed"), number("random.stream")});
  }
};

std::unique_ptr<Run> trained(const nn::TensorDataset& data, std::uint64_t seed, int epochs) {
  manual_seed(seed);
  auto run = std::make_unique<Run>(data, seed);
  for (int i = 0; i < epochs; ++i) run->epoch();
  return run;
}

}  // namespace

TEST_CASE("a training run of the reference network repeats bit by bit with its seed, for any number of threads") {
  const nn::TensorDataset data = images(128);
  const RestoreThreads restore;
  for (const int threads : {1, 2}) {
    CAPTURE(threads);
    set_num_threads(threads);
    const auto first = trained(data, 5, 2), again = trained(data, 5, 2), other = trained(data, 6, 2);
    CHECK(first->losses == again->losses);
    CHECK(same_bits(first->model.state_dict(), again->model.state_dict()));
    CHECK(same_bits(first->optimizer.state_dict(), again->optimizer.state_dict()));
    CHECK(first->losses != other->losses);
  }
}

TEST_CASE("a run whose parts went through files goes on bit by bit as the one that was not interrupted") {
  const nn::TensorDataset data = images(100);  // the last batch is not full
  const Folder folder;
  const std::uint64_t seed = 0xfedcba9876543210;  // more than an i64 holds
  manual_seed(seed);
  Run whole(data, 9);
  for (int i = 0; i < 2; ++i) whole.epoch();
  whole.save(folder);
  whole.losses.clear();
  for (int i = 0; i < 2; ++i) whole.epoch();
  const RandomState end = random_state();

  manual_seed(1);  // another process would start anywhere
  Run resumed(data, 9);
  resumed.load(folder);
  for (int i = 0; i < 2; ++i) resumed.epoch();
  CHECK(resumed.losses == whole.losses);
  CHECK(same_bits(resumed.model.state_dict(), whole.model.state_dict()));
  CHECK(same_bits(resumed.optimizer.state_dict(), whole.optimizer.state_dict()));
  CHECK(random_state().seed == end.seed);
  CHECK(random_state().stream == end.stream);

  // Each part is needed: without it the run goes on differently.
  for (const char* forgotten : {"optimizer", "epoch", "random state"}) {
    CAPTURE(forgotten);
    manual_seed(1);
    Run wrong(data, 9);
    const StateDict fresh = wrong.optimizer.state_dict();
    const RandomState elsewhere = random_state();
    wrong.load(folder);
    if (forgotten == std::string("optimizer")) wrong.optimizer.load_state_dict(fresh);
    if (forgotten == std::string("epoch")) wrong.loader.set_epoch(0);
    if (forgotten == std::string("random state")) set_random_state(elsewhere);
    wrong.epoch();
    wrong.epoch();
    CHECK(wrong.losses != whole.losses);
  }
}

TEST_CASE("after 1000 training steps nodes and bytes are those of before") {
  const memory::Statistics nothing = memory::statistics();
  {
    nn::Sequential model{nn::Dense{6, 8}, nn::ReLU{}, nn::Dropout{0.3}, nn::Dense{8, 1}, nn::Sigmoid{}};
    optim::Adam optimizer{model.parameters()};
    const Tensor x = rand({16, 6}), t = (rand({16, 1}) > 0.5).to(f32);
    const auto step = [&] {
      const Tensor loss = nn::binary_cross_entropy(model(x), t);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
    };
    step();  // gradients and moments come into being
    const memory::Statistics before = memory::statistics();
    for (int i = 0; i < 1000; ++i) step();
    const memory::Statistics after = memory::statistics();
    CHECK(after.live_nodes == before.live_nodes);
    CHECK(after.live_bytes == before.live_bytes);
    if (!sanitized) CHECK(after.system_allocations == before.system_allocations);
  }
  CHECK(memory::statistics().live_nodes == nothing.live_nodes);
  CHECK(memory::statistics().live_bytes == nothing.live_bytes);
}

TEST_CASE("dropout in a model: a mask of its own for each call, the mean kept, the same mask in backward") {
  manual_seed(3);
  nn::Sequential inner{nn::Dropout{0.2}};
  nn::Sequential model;
  model.add(std::move(inner));
  const Tensor x = ones({100, 100}, {.requires_grad = true});
  const Tensor y = model(x);
  CHECK(!equal(y, model(x)));
  // The mean of 10^4 elements of standard deviation sqrt(p / (1 - p)).
  CHECK(std::abs(mean(y).item<double>() - 1) < 4 * std::sqrt(0.2 / 0.8) / 100);
  sum(y).backward();
  CHECK(equal(x.grad(), y));
  model.eval();
  CHECK(equal(model(x), x));
  model.train();
  CHECK(!equal(model(x), x));
}

TEST_CASE("parameters that two modules share are listed, saved and stepped once") {
  struct Tied : nn::Module {
    nn::Dense layer{3, 3};
    nn::Sequential tail{nn::Dense{3, 1}};
    Tensor operator()(const Tensor& x) { return tail(layer(tanh(layer(x)))); }
    void members(nn::Visitor& visit) override {
      visit("encoder", layer);
      visit("decoder", layer);
      visit("tail", tail);
    }
  } model;
  CHECK(model.parameters().size() == 4);
  CHECK(model.state_dict().size() == 4);
  optim::SGD optimizer{model.parameters(), {.lr = 0.5}};  // refuses a parameter that comes twice
  const Tensor before = model.layer.weight.detach().clone();
  mean(model(ones({2, 3}))).backward();
  const Tensor g = model.layer.weight.grad();
  optimizer.step();
  check_close(model.layer.weight, to_vector(before - 0.5 * g), 1e-6);
}
