#pragma once
#include "training.hpp"

#include <autograd/capture.hpp>
#include <autograd/grad_mode.hpp>
#include <nn/sequential.hpp>
#include <optim/optim.hpp>

/// How xgrad trains a model of a task.
namespace bench {

using Loss = xgrad::Tensor (*)(const xgrad::Tensor& output, const xgrad::Tensor& target);

/// What a user writes.
struct Training {
  xgrad::nn::Sequential model;
  Loss loss;
  xgrad::optim::Adam optimizer{model.parameters(), {.lr = Task::lr}};

  xgrad::Tensor step(const xgrad::Tensor& x, const xgrad::Tensor& t) {
    const xgrad::Tensor l = loss(model(x), t);
    optimizer.zero_grad();
    l.backward();
    optimizer.step();
    return l;
  }
};

struct Step {
  Training* training;
  xgrad::Tensor operator()(const xgrad::Tensor& x, const xgrad::Tensor& t) const { return training->step(x, t); }
};

/// Trains by `Step` or by Captured<Step>.
template <class Call>
class XgradTrainer : public Trainer {
 public:
  XgradTrainer(const Task& task, xgrad::nn::Sequential model, Loss loss_function)
      : task_(task), training_{std::move(model), loss_function} {
    const std::vector<xgrad::Tensor> parameters = training_.model.parameters();
    const xgrad::NoGrad guard;
    for (std::size_t i = 0; i < parameters.size(); ++i) xgrad::Tensor(parameters[i]).assign(task.parameters[i]);
  }

  void step() override {
    last_ = call_(task_.inputs[next_], task_.targets[next_]);
    next_ = (next_ + 1) % task_.inputs.size();
  }
  double loss() const override { return last_.item<double>(); }

 private:
  const Task& task_;
  Training training_;
  Call call_{Step{&training_}};
  xgrad::Tensor last_;
  std::size_t next_ = 0;
};

}  // namespace bench
