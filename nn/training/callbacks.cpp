#include <algorithm>
#include <autograd/atomic_file.hpp>
#include <autograd/ops.hpp>
#include <autograd/support/system.hpp>
#include <cmath>
#include <limits>
#include <nn/training/callbacks.hpp>
#include <nn/training/checkpoint.hpp>
#include <nn/training/clock.hpp>

namespace xgrad::nn {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

Tensor number(double v) { return full({}, v, {.dtype = f64}); }
Tensor number(std::int64_t n) { return full({}, n, {.dtype = i64}); }

/// run-best.ckpt for run.ckpt.
std::filesystem::path beside(const FilePath& file, const std::string& mark) {
  const std::filesystem::path path = system::native(file);
  std::filesystem::path name = path.stem();
  name += "-" + mark;
  name += path.extension();
  return path.parent_path() / name;
}

}  // namespace

// ---- what is looked at ----

void detail::Monitor::start(const OpScope& scope, bool validates) {
  chosen_ = !name_.empty() ? name_ : validates ? "validation_loss" : "loss";
  if (better_ == Better::by_name && !chosen_.ends_with("loss"))
    scope.fail<ValueError>("is a lower or a higher '", chosen_,
                           "' better? Say so by {.better = nn::higher} or nn::lower");
  lower_ = better_ != Better::higher;
}

double detail::Monitor::value(const OpScope& scope, const Run& run) const {
  const Scores scores = run.scores();
  if (const double* const found = scores.find(chosen_)) return *found;
  scope.fail<ValueError>("there is no '", chosen_, "' to look at; there is ", scores.names());
}

bool detail::Monitor::improves(const OpScope& scope, const Run& run) {
  const double now = value(scope, run);
  if (std::isnan(now)) return false;
  const bool better = std::isnan(best_) || (lower_ ? now < best_ - min_delta_ : now > best_ + min_delta_);
  if (better) best_ = now;
  return better;
}

void detail::Monitor::forget() { best_ = none; }

// ---- EarlyStopping ----

EarlyStopping::EarlyStopping(EarlyStoppingOptions options, Place place)
    : options_(options), place_(place), monitor_(options.monitor, options.better, options.min_delta) {
  const OpScope scope("EarlyStopping", place);
  if (options.patience < 0) scope.fail<ValueError>("patience is ", options.patience, "; expected at least 0");
  if (!(options.min_delta >= 0)) scope.fail<ValueError>("min_delta is ", options.min_delta, "; expected at least 0");
}

void EarlyStopping::before_run(Run& run) {
  monitor_.start(OpScope("EarlyStopping", place_), run.validates());
  stop_if_due(run);  // a run that was saved when it was to end
}

void EarlyStopping::stop_if_due(Run& run) {
  if (epochs_without_ >= std::max(options_.patience, 1)) run.stop(text("no better epoch since epoch ", best_epoch_));
}

void EarlyStopping::after_epoch(Run& run) {
  if (monitor_.improves(OpScope("EarlyStopping", place_), run)) {
    epochs_without_ = 0;
    best_epoch_ = run.epoch();
    if (options_.restore_best) best_ = run.weights();
  } else {
    ++epochs_without_;
    stop_if_due(run);
  }
}

void EarlyStopping::after_run(Run& run) {
  if (!run.paused() && !best_.empty()) run.trainer().model().load_state_dict(best_, {}, place_);
}

StateDict EarlyStopping::state_dict() const {
  StateDict state{{"best", number(monitor_.best())},
                  {"epochs_without", number(epochs_without_)},
                  {"best_epoch", number(best_epoch_)}};
  for (const auto& [name, tensor] : best_) state.set("weights." + name, tensor);
  return state;
}

void EarlyStopping::load_state_dict(const StateDict& state) {
  monitor_.forget();
  epochs_without_ = best_epoch_ = 0;
  best_ = {};
  if (state.empty()) return;
  monitor_.set_best(state["best"].item<double>());
  epochs_without_ = state["epochs_without"].item<std::int64_t>();
  best_epoch_ = state["best_epoch"].item<std::int64_t>();
  constexpr std::string_view weights = "weights.";
  for (const auto& [name, tensor] : state)
    if (name.starts_with(weights)) best_.set(name.substr(weights.size()), tensor);
}

// ---- Checkpoints ----

Checkpoints::Checkpoints(FilePath path, CheckpointsOptions options, Place place)
    : path_(std::move(path)), options_(options), place_(place), monitor_(options.monitor, options.better, 0) {
  const OpScope scope("Checkpoints", place);
  if (options.every < 1) scope.fail<ValueError>("every is ", options.every, "; expected at least 1");
  if (options.every_batches < 0)
    scope.fail<ValueError>("every_batches is ", options.every_batches, "; expected at least 0");
  if (options.keep < 0) scope.fail<ValueError>("keep is ", options.keep, "; expected at least 0");
}

void Checkpoints::before_run(Run& run) {
  const OpScope scope("Checkpoints", place_);
  check_writable(path_, place_);
  if (options_.best) monitor_.start(scope, run.validates());
}

void Checkpoints::after_batch(Run& run) {
  if (options_.every_batches > 0 && run.batch() % options_.every_batches == 0 && run.batch() < run.batches())
    save_checkpoint(path_, run.trainer(), place_);
}

// The run's own file is the last: if the program ends before, the run goes on from the one before, and saves the others
// again.
void Checkpoints::after_epoch(Run& run) {
  const OpScope scope("Checkpoints", place_);
  if (options_.best && monitor_.improves(scope, run)) save_checkpoint(beside(path_, "best"), run.trainer(), place_);
  if (run.epoch() % options_.every != 0) return;
  if (options_.keep > 0) save_checkpoint(beside(path_, text("epoch-", run.epoch())), run.trainer(), place_);
  save_checkpoint(path_, run.trainer(), place_);
  std::error_code gone;
  if (options_.keep > 0)
    std::filesystem::remove(beside(path_, text("epoch-", run.epoch() - options_.every * options_.keep)), gone);
}

void Checkpoints::after_run(Run& run) { save_checkpoint(path_, run.trainer(), place_); }

StateDict Checkpoints::state_dict() const { return {{"best", number(monitor_.best())}}; }
void Checkpoints::load_state_dict(const StateDict& state) {
  monitor_.forget();
  if (!state.empty()) monitor_.set_best(state["best"].item<double>());
}

// ---- Schedule ----

Schedule::Schedule(optim::Schedule& schedule, ScheduleOptions options, Place place)
    : schedule_(&schedule),
      plateau_(dynamic_cast<optim::PlateauLR*>(&schedule)),
      options_(options),
      place_(place),
      monitor_(options.monitor, Better::lower, 0) {}

void Schedule::before_run(Run& run) { monitor_.start(OpScope("Schedule", place_), run.validates()); }

void Schedule::step(Run& run) {
  if (plateau_) {
    plateau_->step(monitor_.value(OpScope("Schedule", place_), run), place_);
  } else {
    schedule_->step(place_);
  }
}

void Schedule::after_batch(Run& run) {
  if (options_.every_batch) step(run);
}

void Schedule::after_epoch(Run& run) {
  if (!options_.every_batch) step(run);
}

StateDict Schedule::state_dict() const { return schedule_->state_dict(); }

void Schedule::load_state_dict(const StateDict& state) {
  if (!state.empty()) schedule_->load_state_dict(state, place_);
}

// ---- TimeLimit ----

void TimeLimit::before_run(Run&) { start_ = detail::steady_seconds(); }

void TimeLimit::after_batch(Run& run) {
  if (detail::steady_seconds() - start_ >= seconds_) run.pause("time limit");
}

}  // namespace xgrad::nn
