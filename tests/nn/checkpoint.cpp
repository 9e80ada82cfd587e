#include <algorithm>
#include <autograd/primitive.hpp>
#include <nn/nn.hpp>
#include "support.hpp"

using namespace xgrad;

/// Checkpointed models: the memory that they save, and the bits that they keep.
namespace {

/// The most bytes that were alive whenever a Probe was passed, forward or backward.
std::int64_t peak = 0;
void measure() { peak = std::max(peak, memory::statistics().live_bytes); }

struct Probe : nn::Module {
  Tensor operator()(const Tensor& x) const {
    measure();
    return primitive(
        "probe", {x}, [&] { return Array(x.array()); },
        [](const Tensor& g) {
          measure();
          return g;
        });
  }
};

nn::Sequential block() {
  nn::Sequential layers{nn::Dense{32, 64}, Probe{},           nn::GELU{},        Probe{},    nn::Dropout{0.1},
                        Probe{},           nn::Dense{64, 64}, Probe{},           nn::Tanh{}, Probe{},
                        nn::Dropout{0.1},  Probe{},           nn::Dense{64, 32}, Probe{}};
  return layers;
}

struct Network : nn::Module {
  std::vector<nn::Sequential> blocks;
  bool checkpointed = false;
  Tensor operator()(Tensor h) {
    for (nn::Sequential& b : blocks) h = h + (checkpointed ? checkpoint(b, h) : b(h));
    return h;
  }
  void members(nn::Visitor& visit) override { visit("blocks", blocks); }
};

struct Run {
  double loss;
  std::int64_t peak;
  std::vector<Tensor> gradients;
  RandomState random;
};

Run run(Network& model, const Tensor& x, bool checkpointed) {
  manual_seed(7);
  model.checkpointed = checkpointed;
  model.zero_grad();
  const std::int64_t before = memory::statistics().live_bytes;
  peak = 0;
  const Tensor loss = mean(square(model(x)));
  loss.backward();
  Run result{loss.item<double>(), peak - before, {}, random_state()};
  for (const Tensor& p : model.parameters()) result.gradients.push_back(p.grad());
  return result;
}

}  // namespace

TEST_CASE("checkpoints cut the peak bytes of 32 blocks to less than a quarter, and no bit of a gradient changes") {
  manual_seed(0);
  Network model;
  for (int i = 0; i < 32; ++i) model.blocks.push_back(block());
  const Tensor x = randn({512, 32});
  const Run plain = run(model, x, false), saving = run(model, x, true);
  MESSAGE("peak bytes ", plain.peak, " and ", saving.peak, ", ", double(plain.peak) / double(saving.peak),
          " times less");
  CHECK(plain.peak >= 4 * saving.peak);
  CHECK(plain.loss == saving.loss);
  CHECK(plain.random.stream == saving.random.stream);
  REQUIRE(plain.gradients.size() == saving.gradients.size());
  for (std::size_t i = 0; i < plain.gradients.size(); ++i) CHECK(same_bits(plain.gradients[i], saving.gradients[i]));
}

TEST_CASE("a model is checkpointed by reference, and transforms by name see into it") {
  manual_seed(1);
  Network model;
  for (int i = 0; i < 2; ++i) model.blocks.push_back(block());
  model.to(f64);
  const Tensor x = randn({4, 32}, {.dtype = f64});
  const auto loss = [&] { return mean(square(model(x))); };
  StateDict v;
  for (const auto& [name, p] : model.named_parameters()) v.set(name, randn(p.shape(), {.dtype = f64}));
  const auto all = [&](bool checkpointed) {
    model.checkpointed = checkpointed;
    std::vector<StateDict> results;
    manual_seed(3);
    results.push_back(nn::value_and_grad(model, loss).grad);
    manual_seed(3);
    results.push_back(nn::hvp(model, loss, v));
    return results;
  };
  const auto plain = all(false), saving = all(true);
  for (const auto& [name, g] : plain[0]) CHECK(same_bits(g, saving[0][name]));
  for (const auto& [name, h] : plain[1]) CHECK(max(abs(h - saving[1][name])).item<double>() < 1e-13);
}

TEST_CASE("a captured step with checkpoints has the bits of eager ones, dropout included") {
  manual_seed(2);
  Network model;
  for (int i = 0; i < 2; ++i) model.blocks.push_back(block());
  const Tensor x = randn({4, 32});
  const auto step = [&](const Tensor& input) {
    const Tensor loss = mean(square(model(input)));
    model.zero_grad();
    loss.backward();
    return std::vector<Tensor>{loss, model.parameters()[0].grad()};
  };
  const auto both = [&](auto f) {
    manual_seed(4);
    std::vector<Tensor> results;
    for (int i = 0; i < 3; ++i)
      for (const Tensor& t : f(x)) results.push_back(t.detach().clone());
    return results;
  };
  const auto eager = both(step);
  model.checkpointed = true;
  const auto replayed = both(capture(step));
  for (std::size_t i = 0; i < eager.size(); ++i) CHECK(same_bits(eager[i], replayed[i]));
  CHECK_FALSE(same_bits(eager[1], eager[3]));
}
