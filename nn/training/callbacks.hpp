#pragma once
#include <autograd/file_path.hpp>
#include <nn/training/trainer.hpp>
#include <optim/schedules.hpp>

#pragma GCC visibility push(default)

/// The callbacks of `fit` (nn/training/callback.hpp). Those that look at a number take its name, "validation_loss" if
/// there is validation data and "loss" if not, unless told; whether a lower or a higher one is better has to be said
/// for names that do not end in "loss". NaN is never better.
namespace xgrad::nn {

enum class Better { by_name, lower, higher };
inline constexpr Better lower = Better::lower, higher = Better::higher;

namespace detail {

/// A number of each epoch, and the best so far.
class Monitor {
 public:
  Monitor(std::string name, Better better, double min_delta)
      : name_(std::move(name)), better_(better), min_delta_(min_delta) {}
  /// Throws ValueError unless it is known which way is better.
  void start(const OpScope& scope, bool validates);
  /// Whether this epoch is better than the best so far by more than min_delta, which it then is.
  bool improves(const OpScope& scope, const Run& run);
  double value(const OpScope& scope, const Run& run) const;
  double best() const { return best_; }
  void set_best(double best) { best_ = best; }
  void forget();

 private:
  std::string name_, chosen_;
  Better better_;
  double min_delta_;
  double best_;  // NaN before the first
  bool lower_ = true;
};

}  // namespace detail

struct EarlyStoppingOptions {
  int patience = 0;
  double min_delta = 0;
  std::string monitor = {};
  Better better = Better::by_name;
  bool restore_best = true;
};

/// Ends a run that no longer gets better, after `patience` epochs in a row (at least one) that were not better than the
/// best by more than min_delta. The model then has the weights of the best epoch, also if all epochs were run, but not
/// if the run is to go on later.
class EarlyStopping : public Callback {
 public:
  explicit EarlyStopping(EarlyStoppingOptions options = {}, Place place = Place::here());
  void before_run(Run& run) override;
  void after_epoch(Run& run) override;
  void after_run(Run& run) override;
  std::string name() const override { return "EarlyStopping"; }
  StateDict state_dict() const override;
  void load_state_dict(const StateDict& state) override;

 private:
  void stop_if_due(Run& run);

  EarlyStoppingOptions options_;
  Place place_;
  detail::Monitor monitor_;
  std::int64_t epochs_without_ = 0, best_epoch_ = 0;
  StateDict best_;
};

struct CheckpointsOptions {
  int every = 1;                   // epochs from one save to the next
  std::int64_t every_batches = 0;  // save within epochs too, after so many batches; 0: not
  int keep = 0;                    // keep the last so many of each epoch, as run-epoch-3.ckpt; 0: none
  bool best = false;               // keep that of the best epoch too, as run-best.ckpt
  std::string monitor = {};
  Better better = Better::by_name;
};

/// Saves the run (nn/training/checkpoint.hpp) after epochs, at its end, and when it is interrupted. It comes after all
/// other callbacks, whose states it saves.
class Checkpoints : public Callback {
 public:
  explicit Checkpoints(FilePath path, CheckpointsOptions options = {}, Place place = Place::here());
  void before_run(Run& run) override;
  void after_batch(Run& run) override;
  void after_epoch(Run& run) override;
  void after_run(Run& run) override;
  bool comes_last() const override { return true; }
  std::string name() const override { return "Checkpoints"; }
  StateDict state_dict() const override;
  void load_state_dict(const StateDict& state) override;

 private:
  FilePath path_;
  CheckpointsOptions options_;
  Place place_;
  detail::Monitor monitor_;
};

struct ScheduleOptions {
  bool every_batch = false;  // step after each batch instead of each epoch
  std::string monitor = {};  // for PlateauLR, which steps by a number
};

/// Steps a schedule (optim/schedules.hpp), which is used where it is, and saves its state with the run's.
class Schedule : public Callback {
 public:
  explicit Schedule(optim::Schedule& schedule, ScheduleOptions options = {}, Place place = Place::here());
  void before_run(Run& run) override;
  void after_batch(Run& run) override;
  void after_epoch(Run& run) override;
  std::string name() const override { return "Schedule"; }
  StateDict state_dict() const override;
  void load_state_dict(const StateDict& state) override;

 private:
  void step(Run& run);

  optim::Schedule* schedule_;
  optim::PlateauLR* plateau_;  // the same, if it steps by a number
  ScheduleOptions options_;
  Place place_;
  detail::Monitor monitor_;
};

/// Ends the run, to go on later, after the batch in which this time is over; counted anew in each call of `fit`.
class TimeLimit : public Callback {
 public:
  /// `limit` is a std::chrono::duration, such as std::chrono::minutes(5).
  template <class Duration>
  requires requires(const Duration& limit) {
    limit.count();
    Duration::period::den;
  }
  explicit TimeLimit(const Duration& limit)
      : seconds_(static_cast<double>(limit.count()) * Duration::period::num / Duration::period::den) {}
  void before_run(Run& run) override;
  void after_batch(Run& run) override;
  std::string name() const override { return "TimeLimit"; }

 private:
  double seconds_, start_ = 0;
};

/// Ends the run at the first loss or gradient that is not finite, before the optimiser makes use of it: the model, its
/// buffers too, is as before that step. The history says in which batch, and which op of which line gave the first such
/// number (autograd/anomaly.hpp).
class StopOnNonFinite : public Callback {
 public:
  void before_run(Run& run) override { run.check_finite(); }
  std::string name() const override { return "StopOnNonFinite"; }
};

/// Calls f(run) after each step.
template <std::invocable<Run&> F>
class AfterBatch : public Callback {
 public:
  explicit AfterBatch(F f) : f_(std::move(f)) {}
  void after_batch(Run& run) override { f_(run); }
  std::string name() const override { return "AfterBatch"; }

 private:
  F f_;
};

/// Keeps the history in a file of comma-separated values: a line for each epoch, written anew after each.
class CsvLog : public Callback {
 public:
  explicit CsvLog(FilePath path, Place place = Place::here()) : path_(std::move(path)), place_(place) {}
  void before_run(Run& run) override;
  void after_epoch(Run& run) override;
  std::string name() const override { return "CsvLog"; }

 private:
  FilePath path_;
  Place place_;
};

/// The same as one JSON object a line (jsonlines.org); what is not finite is null.
class JsonLinesLog : public Callback {
 public:
  explicit JsonLinesLog(FilePath path, Place place = Place::here()) : path_(std::move(path)), place_(place) {}
  void before_run(Run& run) override;
  void after_epoch(Run& run) override;
  std::string name() const override { return "JsonLinesLog"; }

 private:
  FilePath path_;
  Place place_;
};

struct TensorBoardOptions {
  bool histograms = true;  // of parameters and their gradients, too
};

/// Writes an event file for TensorBoard into a folder, which is made if need be: after each epoch its scores, as
/// "loss" or "validation_loss", and histograms as "parameters/0.weight" and "gradients/0.weight". Each call of `fit`
/// begins a file; TensorBoard shows those of a folder as one run.
class TensorBoard : public Callback {
 public:
  explicit TensorBoard(FilePath folder, TensorBoardOptions options = {}, Place place = Place::here())
      : folder_(std::move(folder)), options_(options), place_(place) {}
  void before_run(Run& run) override;
  void after_epoch(Run& run) override;
  std::string name() const override { return "TensorBoard"; }

 private:
  FilePath folder_, file_ = "";
  TensorBoardOptions options_;
  Place place_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
