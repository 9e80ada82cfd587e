#pragma once
#include <nn/training/callback.hpp>
#include <nn/training/examples.hpp>
#include <nn/training/metrics.hpp>
#include <optional>

#pragma GCC visibility push(default)

/// What a Trainer is told: options of its own, of a run and of an evaluation, and the rows of a step.
namespace xgrad::nn {

struct TrainerOptions {
  std::vector<Metric> metrics = {};  // measured beside the loss
  bool capture = true;               // whether steps are captured once their shapes repeat
};

/// What to look at after each epoch: rows of their own, or this share of the training rows, drawn by the seed and left
/// out of training.
class Validation {
 public:
  Validation() = default;
  Validation(double share) : share_(share) {}
  template <std::convertible_to<Examples> Data>
  Validation(const Data& data) : data_(data) {}

  const std::optional<Examples>& data() const { return data_; }
  double share() const { return share_; }

 private:
  std::optional<Examples> data_;
  double share_ = 0;
};

struct FitOptions {
  int epochs = 1;  // in all, those before an interruption included
  std::int64_t batch_size = 32;
  Validation validation = {};
  std::optional<std::uint64_t> seed = {};  // of the shuffling; unless told, drawn from manual_seed's generator
  std::vector<CallbackHandle> callbacks = {};
  bool shuffle = true;
  std::int64_t accumulate = 1;            // batches whose gradients make one step, as one large batch would
  double clip_norm = 0, clip_value = 0;   // see optim/clip.hpp; 0: not clipped
  std::vector<double> class_weight = {};  // one factor for each class from 0 on, of the loss of its rows
  Tensor sample_weight = {};              // (n), one factor for each training row
  double average = 0;                     // decay of averaged weights (optim/averaged.hpp), with which the model is
                                          // evaluated and ends; 0: none
  bool histograms = false;                // keep those of parameters and gradients after each epoch, for write_report
  bool progress = true;                   // show it on the standard output, and warnings on the standard error
  bool stop_on_interrupt = true;          // Ctrl-C ends the run, unless the program handles it itself
};

struct EvaluateOptions {
  std::int64_t batch_size = 1000;
};

/// The rows of one step.
struct TrainingBatch {
  std::vector<Tensor> inputs;
  Tensor target;                   // undefined where there are none
  Tensor weight;                   // (n), undefined where there are none
  bool first = true, last = true;  // of those whose gradients make one step
  double share = 1;  // of what counts in that step: its rows, or the targets that the loss does not ignore
};

struct StepResult {
  Tensor loss, prediction;  // constants
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
