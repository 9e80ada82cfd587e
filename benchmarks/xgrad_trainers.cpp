#include "training.hpp"

#include <nn/nn.hpp>
#include <optim/optim.hpp>

namespace bench {
namespace {

using namespace xgrad;

/// What a user writes, on a model whose initial weights are the task's.
class XgradTrainer : public Trainer {
 public:
  using Loss = Tensor (*)(const Tensor& output, const Tensor& target);

  XgradTrainer(const Task& task, nn::Sequential model, Loss loss_function)
      : model_(std::move(model)), loss_function_(loss_function), images_(task.images), targets_(task.targets) {
    const std::vector<Tensor> parameters = model_.parameters();
    const NoGrad guard;
    for (std::size_t i = 0; i < parameters.size(); ++i) Tensor(parameters[i]).assign(task.parameters[i]);
  }

  void step() override {
    last_ = loss_function_(model_(images_[next_]), targets_[next_]);
    optimizer_.zero_grad();
    last_.backward();
    optimizer_.step();
    next_ = (next_ + 1) % images_.size();
  }
  double loss() const override { return last_.item<double>(); }

 private:
  nn::Sequential model_;
  optim::Adam optimizer_{model_.parameters(), {.lr = 1e-3}};
  Loss loss_function_;
  std::vector<Tensor> images_, targets_;
  Tensor last_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Trainer> xgrad_reference_network(const Task& task) {
  return std::make_unique<XgradTrainer>(
      task,
      nn::Sequential{nn::Dense{784, 64}, nn::ReLU{}, nn::Dropout{task.dropout}, nn::Dense{64, 32}, nn::ReLU{},
                     nn::Dense{32, 1}, nn::Sigmoid{}},
      [](const Tensor& p, const Tensor& t) { return nn::binary_cross_entropy(p, t); });
}

std::unique_ptr<Trainer> xgrad_classifier(const Task& task) {
  return std::make_unique<XgradTrainer>(
      task, nn::Sequential{nn::Dense{784, 128}, nn::ReLU{}, nn::Dense{128, 10}},
      [](const Tensor& logits, const Tensor& classes) { return nn::cross_entropy(logits, classes); });
}

}  // namespace bench
