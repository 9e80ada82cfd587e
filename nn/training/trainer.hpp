#pragma once
#include <nn/module.hpp>
#include <nn/training/loss.hpp>
#include <nn/training/options.hpp>
#include <optim/averaged.hpp>
#include <optim/optimizer.hpp>

#pragma GCC visibility push(default)

/// Training as Keras does it: a model, an optimiser and a loss make a Trainer, which goes through data in epochs.
///
///   nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy, {.metrics = {nn::binary_accuracy}}};
///   const nn::History history = trainer.fit(train, {.epochs = 5, .batch_size = 128, .validation = test});
///   std::cout << trainer.evaluate(test) << '\n' << history["validation_loss"].back() << '\n';
///
/// A step is zero_grad, the model, the loss, backward and the optimiser's step. It is captured when shapes repeat
/// (autograd/capture.hpp), with the bits of eager steps; where that is not possible, also where the model looks at
/// numbers by `item`, it runs eagerly. What else a model does in C++ besides ops, such as counting its calls, is done
/// only while it is captured: {.capture = false} leaves it out.
///
/// Ctrl-C ends the run after the batch, with the history returned; a second one ends the program.
namespace xgrad::nn {

namespace detail {
class Fit;
class Steps;
struct RunState;
struct Checkpoint;
struct Findings;
}  // namespace detail

class Trainer {
 public:
  /// Model and optimiser are used where they are, and must outlive the trainer. Errors in the model and in the loss
  /// name this line. Throws ValueError for metrics of one name, or of one that another score has, as "loss".
  template <std::derived_from<Module> Model>
  Trainer(Model& model, optim::Optimizer& optimizer, Loss loss, TrainerOptions options = {},
          Place place = Place::here())
      : Trainer(model, xgrad::detail::TensorFunction(model, place), optimizer, std::move(loss), std::move(options),
                place) {}
  virtual ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Trains, in training mode, which the model then leaves if it was not in it. Of a model in training mode a part that
  /// is not stays so, as a batch norm does whose moments are to stay: `model.submodule("norm").eval()`. Returns loss
  /// and metrics by epoch. After load_checkpoint it goes on where that run stood, on the same data with the same batch
  /// size, else it begins anew. Throws ValueError for options that make no sense, FileError before the first batch for
  /// what cannot be written.
  History fit(const Examples& data, FitOptions options = {}, Place place = Place::here());
  /// Loss and metrics over all rows, in evaluation mode, with averaged weights while a run makes them; records nothing.
  Scores evaluate(const Examples& data, EvaluateOptions options = {}, Place place = Place::here());
  /// The model's output for all rows of x, in evaluation mode; records nothing.
  Tensor predict(const Tensor& x, EvaluateOptions options = {}, Place place = Place::here());
  Tensor predict(const std::vector<Tensor>& inputs, EvaluateOptions options = {}, Place place = Place::here());

  Module& model() const { return model_; }
  optim::Optimizer& optimizer() const { return optimizer_; }
  /// Of the run in progress, or the last one; also after an exception in it.
  const History& history() const;
  /// What else the program wants to find in checkpoints, by name.
  StateDict& entries() { return entries_; }
  /// Why steps are not captured; empty unless one refused.
  const std::string& capture_refusal() const;

 protected:
  /// One step: changes the model by a batch. Override it to train in another way, as with two optimisers; such a step
  /// is not captured, and what it needs to go on after an interruption belongs into `entries`.
  virtual StepResult train_step(const TrainingBatch& batch);

  /// The model's prediction, and the loss of one, for a train_step of one's own.
  Tensor forward(const std::vector<Tensor>& inputs) const;
  Tensor loss(const Tensor& prediction, const TrainingBatch& batch) const {
    return loss_(prediction, batch.target, batch.weight, place_);
  }

 private:
  friend class detail::Fit;
  friend class detail::Steps;
  friend struct detail::Checkpoint;
  friend struct detail::Findings;
  Trainer(Module& model, xgrad::detail::TensorFunction forward, optim::Optimizer& optimizer, Loss loss,
          TrainerOptions options, Place place);

  Module& model_;
  const xgrad::detail::TensorFunction forward_;
  optim::Optimizer& optimizer_;
  const Loss loss_;
  const TrainerOptions options_;
  const Place place_;
  StateDict entries_;
  std::unique_ptr<optim::Averaged> average_;
  std::unique_ptr<detail::Steps> steps_;
  std::unique_ptr<detail::RunState> state_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
