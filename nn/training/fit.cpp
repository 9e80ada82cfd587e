#include <algorithm>
#include <autograd/anomaly.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops.hpp>
#include <autograd/support/system.hpp>
#include <cmath>
#include <cstdio>
#include <nn/modules/mode.hpp>
#include <nn/training/clock.hpp>
#include <nn/training/fit.hpp>
#include <nn/training/histogram.hpp>

namespace xgrad::nn::detail {
namespace {

/// Has Ctrl-C noticed for the time of a run.
class Interrupts {
 public:
  explicit Interrupts(bool on) : on_(on && system::notice_interrupts()) {}
  ~Interrupts() {
    if (on_) system::forget_interrupts();
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  bool came() const { return on_ && system::interrupted(); }

 private:
  const bool on_;
};

}  // namespace

std::vector<std::pair<std::string, StateDict>> Fit::callback_states() const {
  std::vector<std::pair<std::string, StateDict>> states;
  for (const CallbackHandle& callback : options_.callbacks)
    states.emplace_back(callback->name(), callback->state_dict());
  return states;
}

std::vector<StateDict> Fit::metric_states() const {
  std::vector<StateDict> states;
  for (const Metric& metric : metrics_) states.push_back(metric.state_dict());
  return states;
}

History Fit::run() {
  std::optional<ModeScope> mode;
  if (!trainer_.model_.is_training()) mode.emplace(trainer_.model_, true, place_);
  const EnableGrad recording;
  const Interrupts interrupts(options_.stop_on_interrupt);
  interrupted_ = [&] { return interrupts.came(); };
  state_.running = this;
  try {
    start();
    run_epochs();
    if (!paused()) take_over_averages();
    state_.history.set_stopped(reason_);
    tell([&](Callback& callback) { callback.after_run(*this); });
  } catch (...) {
    leave();
    throw;
  }
  leave();
  return state_.history;
}

/// What the averages were for: the model ends with them.
void Fit::take_over_averages() {
  if (!trainer_.average_ || trainer_.average_->updates() == 0) return;
  trainer_.model_.load_state_dict(weights(), {}, place_);
  trainer_.average_.reset();
}

StateDict Fit::weights() const {
  const Averages averages(trainer_.average_.get(), place_);
  return trainer_.model_.state_dict(place_);
}

/// What a checkpoint that is saved later needs.
void Fit::leave() {
  state_.running = nullptr;
  state_.callbacks = callback_states();
  if (state_.goes_on) return;  // it did not come to its first batch
  state_.random = random_state();
  state_.metrics = metric_states();
}

void Fit::run_epochs() {
  while (state_.epoch < options_.epochs && !stopping()) {
    epoch_ = static_cast<int>(state_.epoch) + 1;
    run_epoch();
    if (state_.batch < batches_) {
      if (progress_) progress_->leave();
      return;
    }
    finish_epoch();
  }
}

void Fit::run_epoch() {
  batch_ = state_.batch;
  validated_.reset();
  if (batch_ == 0) {
    state_.loss = Average();
    state_.seconds = 0;
    for (Metric& metric : metrics_) metric.reset();
  }
  tell([&](Callback& callback) { callback.before_epoch(*this); });
  const std::int64_t rows = training_->size();
  const Tensor order = options_.shuffle
                           ? detail::seeded_order(rows, state_.seed, static_cast<std::uint64_t>(state_.epoch))
                           : arange(0, rows, 1, {.dtype = i64});
  while (state_.batch < batches_ && !stopping()) {
    const double begun = detail::steady_seconds();
    run_step(order);
    state_.seconds += detail::steady_seconds() - begun;
    tell([&](Callback& callback) { callback.after_batch(*this); });
    if (progress_)
      progress_->update(epoch_, std::min(state_.batch * options_.batch_size, rows), [&] { return measured(); });
    if (interrupted_()) pause("interrupted");
  }
}

TrainingBatch Fit::batch_of(const Tensor& rows) const {
  TrainingBatch batch;
  batch.inputs = training_->batch(rows);
  if (batch.inputs.empty()) OpScope("fit", place_).fail<ValueError>("the batch function returned no tensor");
  batch.target = std::move(batch.inputs.back());
  batch.inputs.pop_back();
  if (sample_weight_.defined()) batch.weight = take(sample_weight_, rows, 0);
  if (!options_.class_weight.empty()) {
    const Tensor factors =
        class_factors(batch.target, rows.size()).to(batch.weight.defined() ? batch.weight.dtype() : f32);
    batch.weight = batch.weight.defined() ? batch.weight * factors : factors;
  }
  return batch;
}

/// The factor of each row's class; an ignored one needs none.
Tensor Fit::class_factors(const Tensor& target, std::int64_t rows) const {
  const OpScope scope("fit", place_);
  if (target.size() != rows) scope.fail("class_weight needs one target for each row; the targets are ", target.shape());
  const std::vector<double> classes = to_vector(target), &weights = options_.class_weight;
  std::vector<double> factors;
  for (const double c : classes) {
    const bool is_class = c >= 0 && c < static_cast<double>(weights.size()) && c == std::floor(c);
    if (!is_class && !(trainer_.loss_.ignored() && c == static_cast<double>(*trainer_.loss_.ignored())))
      scope.fail<ValueError>("class_weight has ", weights.size(), " factors, for classes 0 to ",
                             static_cast<std::int64_t>(weights.size()) - 1, ", and a target is ", c,
                             "; give a factor for each class, or weigh rows by sample_weight");
    factors.push_back(is_class ? weights[static_cast<std::size_t>(c)] : 1);
  }
  return from_values(factors);
}

void Fit::run_step(const Tensor& order) {
  const std::int64_t rows = training_->size(), size = options_.batch_size;
  const std::int64_t group = std::min(options_.accumulate, batches_ - state_.batch);
  const std::int64_t begin = state_.batch * size, end = std::min(begin + group * size, rows);
  std::vector<TrainingBatch> batches;
  std::vector<std::int64_t> counts;
  std::int64_t all = 0;
  for (std::int64_t at = begin; at < end; at += size) {
    const std::int64_t stop = std::min(at + size, end);
    TrainingBatch batch = batch_of(slice(order, 0, at, stop));
    const std::int64_t count = trainer_.loss_.counted(batch.target, stop - at);
    if (count == 0) continue;  // there is nothing to learn from, and the mean of no losses is NaN
    batches.push_back(std::move(batch));
    counts.push_back(count);
    all += count;
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    batches[i].first = i == 0;
    batches[i].last = i + 1 == batches.size();
    batches[i].share = static_cast<double>(counts[i]) / static_cast<double>(all);
  }
  if (!batches.empty() && !std::exchange(looked_, true)) look_at(batches[0]);
  const bool first = epoch_ == 1 && state_.loss.samples() == 0;
  const std::vector<StepResult> results = steps_of(batches);
  if (results.size() < batches.size()) return;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const StepResult& result = results[i];
    const double loss = result.loss.item<double>();
    state_.loss.add(loss, counts[i]);
    if (result.prediction.defined()) {
      for (Metric& metric : metrics_) metric.update(result.prediction, batches[i].target, place_);
    }
    if (checks_finite_ && !std::isfinite(loss)) stop(text("the loss is ", loss, " ", where()));
  }
  if (first)
    for (const std::string& name : trainer_.steps_->unused())
      warn(text("the parameter ", name, " took no part in the loss, and is not trained"));
  state_.batch += group;
  batch_ = state_.batch;
}

/// All of a step; nothing if a number is not finite, and then the run stops and the model is as before.
std::vector<StepResult> Fit::steps_of(const std::vector<TrainingBatch>& batches) {
  const RandomState random = random_state();
  std::vector<Tensor> buffers;
  for (const Tensor& buffer : buffers_) buffers.push_back(buffer.clone());
  const auto take_back = [&] {
    set_random_state(random);
    for (std::size_t i = 0; i < buffers.size(); ++i) buffers_[i].assign(buffers[i]);
  };
  std::string why;
  std::vector<StepResult> results;
  try {
    for (const TrainingBatch& batch : batches) results.push_back(trainer_.train_step(batch));
    return results;
  } catch (const NotFinite& found) {
    why = text(found.what, " is not finite");
  }
  take_back();
  try {
    const DetectAnomaly detect;
    for (const TrainingBatch& batch : batches) trainer_.steps_->eager(batch, false);
  } catch (const AnomalyError& error) {
    why = error.what();
  }
  take_back();
  stop(text("not finite ", where(), ": ", why));
  return {};
}

std::string Fit::where() const { return text("in batch ", state_.batch + 1, " of epoch ", epoch_); }

Scores Fit::scores() const {
  Scores scores = measured();
  scores.set("lr", trainer_.optimizer_.lr());
  return scores;
}

Scores Fit::measured() const {
  Scores scores;
  scores.set("loss", state_.loss.value());
  for (const Metric& metric : metrics_) scores.set(metric.name(), metric.value());
  if (validated_)
    for (const auto& [name, value] : *validated_) scores.set(text("validation_", name), value);
  return scores;
}

void Fit::finish_epoch() {
  if (validation_) validated_ = trainer_.evaluate(*validation_, {}, place_);
  state_.history.add(scores(), {state_.seconds, static_cast<double>(training_->size()) / state_.seconds});
  if (options_.histograms) state_.history.add_histograms({state_.history.size(), histograms_of(trainer_.model_)});
  ++state_.epoch;
  state_.batch = 0;
  if (progress_) progress_->finish(epoch_, measured());
  tell([&](Callback& callback) { callback.after_epoch(*this); });
}

void Fit::warn(std::string warning) {
  if (options_.progress) std::fprintf(stderr, "%s\n", text(place_.file, ":", place_.line, ": fit: ", warning).c_str());
  state_.history.warn(std::move(warning));
}

}  // namespace xgrad::nn::detail
