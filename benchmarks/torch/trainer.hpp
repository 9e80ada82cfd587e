#pragma once
#include <torch/torch.h>

#include "private.hpp"

/// How libtorch trains a model of a task.
namespace bench {

/// The task's numbers without a copy; both libraries align to 64 bytes.
torch::Tensor view(const xgrad::Tensor& t);
/// Softmax cross-entropy.
torch::Tensor torch_cross_entropy(const torch::Tensor& output, const torch::Tensor& target);
/// A layer with a copy of these, weight (in, out).
torch::nn::Linear linear(const xgrad::Tensor& weight, const xgrad::Tensor& bias);

class TorchTrainer : public Trainer {
 public:
  using Loss = torch::Tensor (*)(const torch::Tensor& output, const torch::Tensor& target);

  TorchTrainer(const Task& task, torch::nn::Sequential model, Loss loss_function);
  void step() override;
  double loss() const override { return last_.item<double>(); }

 private:
  torch::nn::Sequential model_;
  Loss loss_function_;
  torch::optim::Adam optimizer_;
  std::vector<torch::Tensor> inputs_, targets_;
  torch::Tensor last_;
  std::size_t next_ = 0;
};

}  // namespace bench
