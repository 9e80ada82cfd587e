#include "sequences.hpp"

#include "xgrad_trainer.hpp"

#include <nn/nn.hpp>

namespace bench {
namespace {

using namespace xgrad;
using Sizes = Transformer;

constexpr std::int64_t lstm_steps = 32, lstm_features = 64, lstm_classes = 64;

/// (n, steps, classes) -> (n steps, classes).
Tensor row_by_row(const Tensor& logits) { return reshape(logits, {-1, logits.shape()[-1]}); }

Tensor loss(const Tensor& logits, const Tensor& classes) { return nn::cross_entropy(logits, classes); }

nn::Sequential lstm_model() {
  return nn::Sequential{nn::LSTM{lstm_features, 128}, nn::Dense{128, lstm_classes}, row_by_row};
}

struct Position : nn::Module {
  nn::Parameter weight{randn({Sizes::steps, Sizes::width}) * 0.02};
  Tensor operator()(const Tensor& x) const { return x + weight; }
  void members(nn::Visitor& visit) override { visit("weight", weight); }
};

struct Block : nn::Module {
  nn::LayerNorm norm1{Sizes::width}, norm2{Sizes::width};
  nn::MultiheadAttention attention{Sizes::width, Sizes::heads};
  nn::Dense hidden{Sizes::width, Sizes::inner}, output{Sizes::inner, Sizes::width};

  Tensor operator()(const Tensor& x) const {
    const Tensor y = x + attention(norm1(x), {.causal = true});
    return y + output(gelu(hidden(norm2(y))));
  }
  void members(nn::Visitor& visit) override {
    visit("norm1", norm1);
    visit("attention", attention);
    visit("norm2", norm2);
    visit("hidden", hidden);
    visit("output", output);
  }
};

nn::Sequential transformer_model() {
  static_assert(Sizes::blocks == 2);
  return nn::Sequential{
      nn::Embedding{Sizes::tokens, Sizes::width}, Position{}, Block{}, Block{}, nn::LayerNorm{Sizes::width},
      nn::Dense{Sizes::width, Sizes::tokens},     row_by_row};
}

Task task_of(nn::Sequential model, std::int64_t batch) {
  Task task{batch, 0, {}, {}, {}};
  for (const Tensor& p : model.parameters()) task.parameters.push_back(p.detach());
  return task;
}

template <class Call>
std::unique_ptr<Trainer> lstm_trainer(const Task& task) {
  return std::make_unique<XgradTrainer<Call>>(task, lstm_model(), loss);
}
template <class Call>
std::unique_ptr<Trainer> transformer_trainer(const Task& task) {
  return std::make_unique<XgradTrainer<Call>>(task, transformer_model(), loss);
}

}  // namespace

Task make_lstm_task(std::int64_t batch) {
  manual_seed(0);
  Task task = task_of(lstm_model(), batch);
  add_batches(
      task,
      [&] {
        return rand({batch, lstm_steps, lstm_features}) - 0.5;
      },
      batch * lstm_steps, lstm_classes);
  return task;
}

Task make_transformer_task(std::int64_t batch) {
  manual_seed(0);
  Task task = task_of(transformer_model(), batch);
  add_batches(
      task,
      [&] {
        return randint({batch, Sizes::steps}, 0, Sizes::tokens);
      },
      batch * Sizes::steps, Sizes::tokens);
  return task;
}

const XgradTrainers xgrad_lstm{lstm_trainer<Step>, lstm_trainer<Captured<Step>>};
const XgradTrainers xgrad_transformer{transformer_trainer<Step>, transformer_trainer<Captured<Step>>};

}  // namespace bench
