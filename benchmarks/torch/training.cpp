#include "trainer.hpp"

namespace bench {
namespace {

void push_convolution(torch::nn::Sequential& model, const torch::Tensor& weight, const torch::Tensor& bias,
                      std::int64_t padding) {
  const auto options = torch::nn::Conv2dOptions(weight.size(1), weight.size(0), weight.size(2)).padding(padding);
  torch::nn::Conv2d layer(options);
  const torch::NoGradGuard guard;
  layer->weight.copy_(weight);
  layer->bias.copy_(bias);
  model->push_back(layer);
  model->push_back(torch::nn::ReLU());
  model->push_back(torch::nn::MaxPool2d(2));
}

/// The layers of the task, up to the last Dense.
torch::nn::Sequential layers(const Task& task) {
  torch::nn::Sequential model;
  for (std::size_t i = 0; i < task.parameters.size(); i += 2) {
    const xgrad::Tensor &weight = task.parameters[i], &bias = task.parameters[i + 1];
    if (weight.ndim() == 4) {
      push_convolution(model, view(weight), view(bias), i == 0 ? 2 : 0);
      if (task.parameters[i + 2].ndim() == 2) model->push_back(torch::nn::Flatten());
      continue;
    }
    model->push_back(linear(weight, bias));
    if (i + 2 < task.parameters.size()) model->push_back(torch::nn::ReLU());
    if (i == 0 && task.dropout > 0) model->push_back(torch::nn::Dropout(task.dropout));
  }
  return model;
}

}  // namespace

torch::Tensor view(const xgrad::Tensor& t) {
  void* const data = t.array().data();
  const std::vector<std::int64_t> sizes(t.shape().begin(), t.shape().end());
  return torch::from_blob(data, sizes, t.dtype() == xgrad::i64 ? torch::kInt64 : torch::kFloat32);
}

torch::nn::Linear linear(const xgrad::Tensor& weight, const xgrad::Tensor& bias) {
  torch::nn::Linear layer(weight.shape()[0], weight.shape()[1]);
  const torch::NoGradGuard guard;
  layer->weight.copy_(view(weight).t());
  layer->bias.copy_(view(bias));
  return layer;
}

TorchTrainer::TorchTrainer(const Task& task, torch::nn::Sequential model, Loss loss_function)
    : model_(std::move(model)),
      loss_function_(loss_function),
      optimizer_(model_->parameters(), torch::optim::AdamOptions(Task::lr)) {
  for (const xgrad::Tensor& t : task.inputs) inputs_.push_back(view(t));
  for (const xgrad::Tensor& t : task.targets) targets_.push_back(view(t));
}

void TorchTrainer::step() {
  model_->zero_grad(/*set_to_none=*/true);
  last_ = loss_function_(model_->forward(inputs_[next_]), targets_[next_]);
  last_.backward();
  optimizer_.step();
  next_ = (next_ + 1) % inputs_.size();
}

std::unique_ptr<Trainer> torch_reference_network(const Task& task) {
  torch::nn::Sequential model = layers(task);
  model->push_back(torch::nn::Sigmoid());
  return std::make_unique<TorchTrainer>(task, model, [](const torch::Tensor& output, const torch::Tensor& target) {
    return torch::binary_cross_entropy(output, target);
  });
}

std::unique_ptr<Trainer> torch_classifier(const Task& task) {
  return std::make_unique<TorchTrainer>(task, layers(task), torch_cross_entropy);
}

torch::Tensor torch_cross_entropy(const torch::Tensor& output, const torch::Tensor& target) {
  return torch::cross_entropy_loss(output, target);
}

}  // namespace bench
