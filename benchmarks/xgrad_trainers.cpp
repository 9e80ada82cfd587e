#include "training.hpp"

#include <autograd/capture.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

namespace bench {
namespace {

using namespace xgrad;

using Loss = Tensor (*)(const Tensor& output, const Tensor& target);

/// What a user writes.
struct Training {
  nn::Sequential model;
  Loss loss;
  optim::Adam optimizer{model.parameters(), {.lr = Task::lr}};

  Tensor step(const Tensor& x, const Tensor& t) {
    const Tensor l = loss(model(x), t);
    optimizer.zero_grad();
    l.backward();
    optimizer.step();
    return l;
  }
};

struct Step {
  Training* training;
  Tensor operator()(const Tensor& x, const Tensor& t) const { return training->step(x, t); }
};

/// Trains by `Step` or by Captured<Step>.
template <class Call>
class XgradTrainer : public Trainer {
 public:
  XgradTrainer(const Task& task, nn::Sequential model, Loss loss_function)
      : task_(task), training_{std::move(model), loss_function} {
    const std::vector<Tensor> parameters = training_.model.parameters();
    const NoGrad guard;
    for (std::size_t i = 0; i < parameters.size(); ++i) Tensor(parameters[i]).assign(task.parameters[i]);
  }

  void step() override {
    last_ = call_(task_.images[next_], task_.targets[next_]);
    next_ = (next_ + 1) % task_.images.size();
  }
  double loss() const override { return last_.item<double>(); }

 private:
  const Task& task_;
  Training training_;
  Call call_{Step{&training_}};
  Tensor last_;
  std::size_t next_ = 0;
};

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
