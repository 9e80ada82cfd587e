#include <torch/torch.h>

#include "private.hpp"

namespace bench {
namespace {

/// The task's numbers without a copy; both libraries align to 64 bytes.
torch::Tensor view(const xgrad::Tensor& t) {
  void* const data = t.array().data();
  const std::vector<std::int64_t> sizes(t.shape().begin(), t.shape().end());
  return torch::from_blob(data, sizes, t.dtype() == xgrad::i64 ? torch::kInt64 : torch::kFloat32);
}

class TorchTrainer : public Trainer {
 public:
  using Loss = torch::Tensor (*)(const torch::Tensor& output, const torch::Tensor& target);

  TorchTrainer(const Task& task, bool sigmoid, Loss loss_function) : loss_function_(loss_function) {
    for (std::size_t i = 0; i < task.parameters.size(); i += 2) {
      const torch::Tensor weight = view(task.parameters[i]), bias = view(task.parameters[i + 1]);
      if (weight.dim() == 4) {
        push_convolution(weight, bias, i == 0 ? 2 : 0);
        if (task.parameters[i + 2].ndim() == 2) model_->push_back(torch::nn::Flatten());
        continue;
      }
      torch::nn::Linear layer(weight.size(0), weight.size(1));
      const torch::NoGradGuard guard;
      layer->weight.copy_(weight.t());
      layer->bias.copy_(bias);
      model_->push_back(layer);
      if (i + 2 < task.parameters.size()) model_->push_back(torch::nn::ReLU());
      if (i == 0 && task.dropout > 0) model_->push_back(torch::nn::Dropout(task.dropout));
    }
    if (sigmoid) model_->push_back(torch::nn::Sigmoid());
    for (const xgrad::Tensor& t : task.images) images_.push_back(view(t));
    for (const xgrad::Tensor& t : task.targets) targets_.push_back(view(t));
    optimizer_ = std::make_unique<torch::optim::Adam>(model_->parameters(), torch::optim::AdamOptions(Task::lr));
  }

  void step() override {
    model_->zero_grad(/*set_to_none=*/true);
    last_ = loss_function_(model_->forward(images_[next_]), targets_[next_]);
    last_.backward();
    optimizer_->step();
    next_ = (next_ + 1) % images_.size();
  }
  double loss() const override { return last_.item<double>(); }

 private:
  void push_convolution(const torch::Tensor& weight, const torch::Tensor& bias, std::int64_t padding) {
    const auto options = torch::nn::Conv2dOptions(weight.size(1), weight.size(0), weight.size(2)).padding(padding);
    torch::nn::Conv2d layer(options);
    const torch::NoGradGuard guard;
    layer->weight.copy_(weight);
    layer->bias.copy_(bias);
    model_->push_back(layer);
    model_->push_back(torch::nn::ReLU());
    model_->push_back(torch::nn::MaxPool2d(2));
  }

  Loss loss_function_;
  torch::nn::Sequential model_;
  std::unique_ptr<torch::optim::Adam> optimizer_;
  std::vector<torch::Tensor> images_, targets_;
  torch::Tensor last_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Trainer> torch_reference_network(const Task& task) {
  return std::make_unique<TorchTrainer>(task, true, [](const torch::Tensor& output, const torch::Tensor& target) {
    return torch::binary_cross_entropy(output, target);
  });
}

std::unique_ptr<Trainer> torch_classifier(const Task& task) {
  return std::make_unique<TorchTrainer>(task, false, [](const torch::Tensor& output, const torch::Tensor& target) {
    return torch::cross_entropy_loss(output, target);
  });
}

}  // namespace bench
