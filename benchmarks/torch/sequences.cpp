#include <sequences.hpp>

#include "trainer.hpp"

#include <cmath>
#include <limits>

namespace bench {
namespace {

using torch::Tensor;

/// The parameters of a task one after another.
class Next {
 public:
  explicit Next(const Task& task) : task_(task) {}
  const xgrad::Tensor& operator()() { return task_.parameters[i_++]; }
  torch::nn::Linear dense() {
    const xgrad::Tensor& weight = (*this)();
    return linear(weight, (*this)());
  }
  torch::nn::LayerNorm norm() {
    torch::nn::LayerNorm layer(torch::nn::LayerNormOptions({Transformer::width}));
    const torch::NoGradGuard guard;
    layer->weight.copy_(view((*this)()));
    layer->bias.copy_(view((*this)()));
    return layer;
  }

 private:
  const Task& task_;
  std::size_t i_ = 0;
};

struct RowByRow : torch::nn::Module {
  Tensor forward(const Tensor& x) { return x.reshape({-1, x.size(-1)}); }
};

struct Lstm : torch::nn::Module {
  explicit Lstm(Next& next) {
    const Tensor input = view(next()), hidden = view(next()), bias = view(next());
    layer = register_module("layer",
                            torch::nn::LSTM(torch::nn::LSTMOptions(input.size(0), hidden.size(0)).batch_first(true)));
    const torch::NoGradGuard guard;
    std::vector<Tensor> own = layer->parameters();  // weights of inputs and states, and a bias for each
    own[0].copy_(input.t());
    own[1].copy_(hidden.t());
    own[2].copy_(bias);
    own[3].zero_();
    own[3].requires_grad_(false);  // the biases only occur as their sum
  }
  Tensor forward(const Tensor& x) { return std::get<0>(layer->forward(x)); }

  torch::nn::LSTM layer{nullptr};
};

struct Embedding : torch::nn::Module {
  explicit Embedding(Next& next) {
    table = register_parameter("table", view(next()).clone());
    position = register_parameter("position", view(next()).clone());
  }
  Tensor forward(const Tensor& tokens) { return torch::embedding(table, tokens) + position; }

  Tensor table, position;
};

struct Block : torch::nn::Module {
  explicit Block(Next& next) {
    norm1 = register_module("norm1", next.norm());
    // Query, key and value by one product.
    std::vector<Tensor> weights, biases;
    for (int i = 0; i < 3; ++i) weights.push_back(view(next())), biases.push_back(view(next()));
    constexpr std::int64_t width = Transformer::width;
    all = register_module("all", torch::nn::Linear(width, 3 * width));
    {
      const torch::NoGradGuard guard;
      all->weight.copy_(torch::cat(weights, 1).t());
      all->bias.copy_(torch::cat(biases));
    }
    joined = register_module("joined", next.dense());
    norm2 = register_module("norm2", next.norm());
    hidden = register_module("hidden", next.dense());
    output = register_module("output", next.dense());
    unseen = torch::ones({Transformer::steps, Transformer::steps}, torch::kBool).triu(1);
  }

  Tensor attend(const Tensor& x) {
    constexpr std::int64_t heads = Transformer::heads, width = Transformer::width;
    const Tensor parts = all(x).view({x.size(0), x.size(1), 3, heads, width / heads}).permute({2, 0, 3, 1, 4});
    const Tensor q = parts[0], k = parts[1], v = parts[2];
#if TORCH_VERSION_MAJOR >= 2
    const Tensor y = at::scaled_dot_product_attention(q, k, v, {}, 0, true);
#else
    const Tensor scores = torch::matmul(q, k.transpose(-2, -1)) / std::sqrt(double(width / heads));
    const Tensor seen = scores.masked_fill(unseen, -std::numeric_limits<float>::infinity());
    const Tensor y = torch::matmul(torch::softmax(seen, -1), v);
#endif
    return joined(y.transpose(1, 2).reshape(x.sizes()));
  }
  Tensor forward(const Tensor& x) {
    const Tensor y = x + attend(norm1(x));
    return y + output(torch::gelu(hidden(norm2(y))));
  }

  torch::nn::LayerNorm norm1{nullptr}, norm2{nullptr};
  torch::nn::Linear all{nullptr}, joined{nullptr}, hidden{nullptr}, output{nullptr};
  Tensor unseen;
};

}  // namespace

std::unique_ptr<Trainer> torch_lstm(const Task& task) {
  Next next(task);
  torch::nn::Sequential model;
  model->push_back(std::make_shared<Lstm>(next));
  model->push_back(next.dense());
  model->push_back(std::make_shared<RowByRow>());
  return std::make_unique<TorchTrainer>(task, model, torch_cross_entropy);
}

std::unique_ptr<Trainer> torch_transformer(const Task& task) {
  Next next(task);
  torch::nn::Sequential model;
  model->push_back(std::make_shared<Embedding>(next));
  for (int i = 0; i < Transformer::blocks; ++i) model->push_back(std::make_shared<Block>(next));
  model->push_back(next.norm());
  model->push_back(next.dense());
  model->push_back(std::make_shared<RowByRow>());
  return std::make_unique<TorchTrainer>(task, model, torch_cross_entropy);
}

}  // namespace bench
