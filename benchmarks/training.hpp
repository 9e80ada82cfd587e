#pragma once
#include "harness.hpp"

#include <autograd/tensor.hpp>
#include <memory>

/// Training of one small network by several programs: the same data, the same initial weights, the same optimiser.
namespace bench {

/// What all competitors are given. The network is Dense, relu, dropout, Dense, relu, ..., Dense; its loss is binary
/// cross-entropy of a sigmoid, or softmax cross-entropy where the last layer has more than one output. Adam has its
/// usual settings: lr 1e-3, betas 0.9 and 0.999, eps 1e-8.
struct Task {
  std::int64_t batch;
  double dropout;                         // after the first relu; 0: none
  std::vector<xgrad::Tensor> parameters;  // weight (in, out) and bias (out) of each Dense, f32; to be copied
  std::vector<xgrad::Tensor> images;      // 64 batches in rotation, (batch, in) f32
  std::vector<xgrad::Tensor> targets;     // (batch, 1) f32 of zeros and ones, or (batch) i64 classes
};
Task make_task(const std::vector<std::int64_t>& sizes, std::int64_t batch, double dropout);

class Trainer {
 public:
  virtual ~Trainer() = default;
  /// One step of training on the next batch: forward, backward, Adam.
  virtual void step() = 0;
  /// The loss of the last step, before its update.
  virtual double loss() const = 0;
};

using MakeTrainer = std::unique_ptr<Trainer> (*)(const Task&);
std::unique_ptr<Trainer> xgrad_reference_network(const Task& task);
std::unique_ptr<Trainer> xgrad_classifier(const Task& task);

}  // namespace bench
