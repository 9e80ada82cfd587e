#pragma once
#include <nn/training/run_state.hpp>
#include <nn/training/steps.hpp>

/// One call of Trainer::fit.
namespace xgrad::nn::detail {

class Fit final : public Run {
 public:
  Fit(Trainer& trainer, const Examples& data, FitOptions options, Place place);
  History run();

  Scores scores() const override;
  StateDict weights() const override;
  bool validates() const override { return validation_.has_value(); }
  const History& history() const override { return state_.history; }
  /// The callbacks' states by name, those of equal names in their order.
  std::vector<std::pair<std::string, StateDict>> callback_states() const;
  /// What the metrics have counted in the epoch so far.
  std::vector<StateDict> metric_states() const;

 private:
  void start();
  void leave();
  void load_callbacks();
  void split(const Examples& data);
  void run_epochs();
  void run_epoch();
  void run_step(const Tensor& order);
  std::vector<StepResult> steps_of(const std::vector<TrainingBatch>& batches);
  TrainingBatch batch_of(const Tensor& rows) const;
  Tensor class_factors(const Tensor& target, std::int64_t rows) const;
  void finish_epoch();
  /// Before the first step: warns of what looks wrong, and notes what the run is made of.
  void look_at(const TrainingBatch& first);
  void take_over_averages();
  /// The scores but for lr.
  Scores measured() const;
  void warn(std::string warning);
  std::string where() const;
  template <class F>
  void tell(F f) {
    for (const CallbackHandle& callback : options_.callbacks) f(*callback);
  }

  FitOptions options_;
  RunState& state_;
  std::optional<Examples> training_, validation_;
  Tensor sample_weight_;
  std::vector<Metric> metrics_;
  std::vector<Tensor> buffers_;      // of the model, where a step may be taken back
  std::optional<Scores> validated_;  // after an epoch
  std::optional<Progress> progress_;
  bool looked_ = false;  // at the first batch
  std::function<bool()> interrupted_;
};

}  // namespace xgrad::nn::detail
