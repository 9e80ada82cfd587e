#include <doctest/doctest.h>
#include <autograd/grad_mode.hpp>
#include <autograd/ops.hpp>
#include <nn/nn.hpp>
#include <nn/training/trainer.hpp>
#include <optim/optim.hpp>

#include <messages.hpp>
#include <same_bits.hpp>

#include "nn/trainer_support.hpp"

using namespace xgrad;

TEST_CASE(
    "fit ends with the bits of the loop written by hand, captured and eager, also where the last batch is smaller") {
  const nn::TensorDataset data = blobs(100);
  manual_seed(7);
  nn::Sequential by_hand = small_network();
  std::vector<double> losses;
  {
    optim::Adam optimizer{by_hand.parameters(), {.lr = 1e-2}};
    nn::Loader loader(data, {.batch_size = 16, .shuffle = true, .seed = 3});
    for (int epoch = 0; epoch < 6; ++epoch) {
      nn::Average average;
      for (const auto& [x, t] : loader) {
        const Tensor loss = nn::binary_cross_entropy(by_hand(x), t);
        optimizer.zero_grad();
        loss.backward();
        optimizer.step();
        average.add(loss.item<double>(), x.shape()[0]);
      }
      losses.push_back(average.value());
    }
  }
  for (const bool captured : {true, false}) {
    CAPTURE(captured);
    manual_seed(7);
    nn::Sequential model = small_network();
    optim::Adam optimizer{model.parameters(), {.lr = 1e-2}};
    nn::Trainer trainer{
        model, optimizer, nn::binary_cross_entropy, {.metrics = {nn::binary_accuracy}, .capture = captured}};
    const nn::History history = trainer.fit(data, quiet({.epochs = 6, .batch_size = 16, .seed = 3}));
    CHECK(history["loss"] == losses);
    CHECK(same_bits(model.state_dict(), by_hand.state_dict()));
    CHECK(trainer.capture_refusal() == "");
  }
}
