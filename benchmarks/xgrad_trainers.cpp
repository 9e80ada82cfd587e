#include "xgrad_trainer.hpp"

#include <nn/nn.hpp>

namespace bench {
namespace {

using namespace xgrad;

template <class Call>
std::unique_ptr<Trainer> reference_network(const Task& task) {
  return std::make_unique<XgradTrainer<Call>>(
      task,
      nn::Sequential{nn::Dense{784, 64}, nn::ReLU{}, nn::Dropout{task.dropout}, nn::Dense{64, 32}, nn::ReLU{},
                     nn::Dense{32, 1}, nn::Sigmoid{}},
      [](const Tensor& p, const Tensor& t) { return nn::binary_cross_entropy(p, t); });
}

template <class Call>
std::unique_ptr<Trainer> classifier(const Task& task) {
  const std::int64_t hidden = task.parameters[1].size();
  return std::make_unique<XgradTrainer<Call>>(
      task, nn::Sequential{nn::Dense{784, hidden}, nn::ReLU{}, nn::Dense{hidden, 10}},
      [](const Tensor& logits, const Tensor& classes) { return nn::cross_entropy(logits, classes); });
}

template <class Call>
std::unique_ptr<Trainer> lenet(const Task& task) {
  return std::make_unique<XgradTrainer<Call>>(
      task,
      nn::Sequential{nn::Conv2d{1, 6, 5, {.padding = 2}}, nn::ReLU{}, nn::MaxPool2d{2}, nn::Conv2d{6, 16, 5},
                     nn::ReLU{}, nn::MaxPool2d{2}, nn::Flatten{}, nn::Dense{400, 120}, nn::ReLU{}, nn::Dense{120, 84},
                     nn::ReLU{}, nn::Dense{84, 10}},
      [](const Tensor& logits, const Tensor& classes) { return nn::cross_entropy(logits, classes); });
}

}  // namespace

const XgradTrainers xgrad_reference_network{reference_network<Step>, reference_network<Captured<Step>>};
const XgradTrainers xgrad_classifier{classifier<Step>, classifier<Captured<Step>>};
const XgradTrainers xgrad_lenet{lenet<Step>, lenet<Captured<Step>>};

}  // namespace bench
