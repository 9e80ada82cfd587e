#pragma once
#include "harness.hpp"

#include <autograd/tensor.hpp>
#include <memory>

/// Training of small networks by several programs: the same data, the same initial weights, the same optimiser.
namespace bench {

/// What all competitors are given. The network, unless it is one of sequences.hpp, is Dense, relu, dropout, Dense,
/// relu,
/// ..., Dense, where a weight of four axes is that of a Conv2d, behind whose relu stands a MaxPool2d of 2, and the
/// first of these pads by 2; its loss is binary cross-entropy of a sigmoid, or softmax cross-entropy where the last
/// layer has more than one output. Adam has betas 0.9 and 0.999, eps 1e-8.
struct Task {
  // Small: what is learnt is noise, and with 1e-3 some relus end up at 0 for every image. The moments of their weights
  // then shrink to denormal numbers, on which any program is slow.
  static constexpr double lr = 1e-4;

  std::int64_t batch;
  double dropout;                         // after the first relu; 0: none
  std::vector<xgrad::Tensor> parameters;  // weight (in, out) and bias (out) of each Dense, f32; to be copied
  std::vector<xgrad::Tensor> inputs;      // 64 batches in rotation: (batch, in), or as the network takes them
  std::vector<xgrad::Tensor> targets;  // (batch, 1) f32 of zeros and ones, or i64 classes, one for each row of logits
  double agreement = 1e-4;             // how far apart losses of different programs may be
};
Task make_task(const std::vector<std::int64_t>& sizes, std::int64_t batch, double dropout);
/// Adds batches of what `draw` gives, each with `count` targets below `classes`. Each batch comes twice, with different
/// targets. A network cannot learn that by heart, so its gradients stay of the size that they have in training; they
/// would otherwise vanish.
void add_batches(Task& task, const std::function<xgrad::Tensor()>& draw, std::int64_t count, std::int64_t classes);
/// LeNet-5 (LeCun et al. 1998) with relu and the largest of each window: Conv2d 1-6 and 6-16 of 5 x 5, Dense
/// 400-120-84-10.
Task make_lenet_task(std::int64_t batch);

class Trainer {
 public:
  virtual ~Trainer() = default;
  /// One step of training on the next batch: forward, backward, Adam.
  virtual void step() = 0;
  /// The loss of the last step, before its update.
  virtual double loss() const = 0;
};

/// A trainer with the task's initial weights. The task must outlive it.
using MakeTrainer = std::unique_ptr<Trainer> (*)(const Task&);
std::unique_ptr<Trainer> hand_written_reference_network(const Task& task);
struct XgradTrainers {
  MakeTrainer eager, captured;
};
extern const XgradTrainers xgrad_reference_network, xgrad_classifier, xgrad_lenet;

}  // namespace bench
