#pragma once
#include <autograd/capture.hpp>
#include <nn/training/trainer.hpp>
#include <tuple>

/// The step of a Trainer, captured where shapes repeat.
namespace xgrad::nn::detail {

/// Thrown inside a step, before the optimiser changes anything, where the loss or a gradient is not finite.
struct NotFinite {
  const char* what;
};

class Steps {
 public:
  explicit Steps(Trainer& trainer) : trainer_(trainer) {}

  /// What the steps of a run have in common. Forgets captures.
  void begin(const FitOptions& options);
  void check_finite(bool on);
  StepResult run(const TrainingBatch& batch);
  /// The step op by op. `applies` is whether the optimiser steps at the end.
  StepResult eager(const TrainingBatch& batch, bool applies = true);

  /// The parameters without a gradient in the first step, by name.
  const std::vector<std::string>& unused() const { return unused_; }
  const std::string& refusal() const { return refusal_; }

 private:
  /// Shapes and dtypes of a batch.
  struct Signature {
    std::vector<std::tuple<bool, Dtype, Shape>> parts;  // whether it is defined
    int calls = 0;
  };
  Signature* signature_of(const TrainingBatch& batch);
  StepResult captured(const TrainingBatch& batch);
  void clip() const;
  static void check_gradients(const Steps* self);

  Trainer& trainer_;
  double clip_norm_ = 0, clip_value_ = 0;
  bool checks_finite_ = false;
  std::vector<std::pair<std::string, Tensor>> named_;
  std::vector<Tensor> parameters_;
  bool first_ = false;  // the next step is the first of the run
  std::vector<std::string> unused_;

  xgrad::detail::CapturedSteps captured_;
  std::vector<Signature> signatures_;
  std::string refusal_;
};

}  // namespace xgrad::nn::detail
