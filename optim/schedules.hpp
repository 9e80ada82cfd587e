#pragma once
#include <functional>
#include <optim/optimizer.hpp>
#include <optional>

#pragma GCC visibility push(default)

/// Schedules change an optimiser's learning rate as training goes on:
///
///   optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};
///   optim::CosineLR schedule{optimizer, {.steps = 100}};
///   for (int epoch = 0; epoch < 100; ++epoch) {
///     train(model, optimizer);
///     schedule.step();
///   }
///
/// Each sets every group's rate to a function of the number t of its steps, be they epochs or batches, and of the rate
/// `base` that the group had when the schedule was made; t = 0 at once, where warm-up and the one-cycle policy begin
/// below the base. A rate that the program sets meanwhile holds until the next step. Several schedules of one optimiser
/// do not add up: ChainedLR does. The optimiser may be moved, and must outlive its schedules.
///
/// Rates are those of torch.optim.lr_scheduler, of InverseTimeLR those of Keras's InverseTimeDecay, computed by a
/// closed formula, which does not add up rounding errors. Options outside their range, and a rate that would be
/// negative or not finite, throw ValueError.
namespace xgrad::optim {

/// base gamma^k after k times `step` steps.
struct StepLROptions {
  static constexpr const char* name = "StepLR";
  std::int64_t step = 0;
  double gamma = 0.1;
};
/// base gamma^k for the number k of milestones that are not above t.
struct MultiStepLROptions {
  static constexpr const char* name = "MultiStepLR";
  std::vector<std::int64_t> milestones = {};
  double gamma = 0.1;
};
/// base gamma^t.
struct ExponentialLROptions {
  static constexpr const char* name = "ExponentialLR";
  double gamma = 0.95;
};
/// min_lr + (base - min_lr) (1 + cos(pi t / steps)) / 2 (Loshchilov and Hutter 2017): from base to min_lr in `steps`
/// steps, and back again in as many more. With restarts it jumps back to base, and each round is `growth` times as long
/// as the one before.
struct CosineLROptions {
  static constexpr const char* name = "CosineLR";
  std::int64_t steps = 0;
  double min_lr = 0;
  bool restarts = false;
  std::int64_t growth = 1;
};
/// base (start_factor + (1 - start_factor) t / steps), and base after `steps` steps.
struct WarmupLROptions {
  static constexpr const char* name = "WarmupLR";
  std::int64_t steps = 0;
  double start_factor = 1. / 3;
};
/// Smith and Topin 2018: from max_lr / div_factor to max_lr at step warmup * steps - 1, then to max_lr / div_factor /
/// final_div_factor at step steps - 1, where it stays; both ways along half a cosine, or a line. Momentum stays as it
/// is.
struct OneCycleLROptions {
  static constexpr const char* name = "OneCycleLR";
  std::optional<double> max_lr = {};  // base unless told
  std::int64_t steps = 0;             // in all
  double warmup = 0.3;                // share of the steps
  double div_factor = 25;
  double final_div_factor = 1e4;
  bool linear = false;
};
/// base (1 - t / steps)^power, and 0 after `steps` steps.
struct PolynomialLROptions {
  static constexpr const char* name = "PolynomialLR";
  std::int64_t steps = 0;
  double power = 1;
};
/// base / (1 + decay t).
struct InverseTimeLROptions {
  static constexpr const char* name = "InverseTimeLR";
  double decay = 0;
};

/// A learning rate as a function of the steps and of the rate at first.
class LrCurve {
 public:
  using Function = std::function<double(std::int64_t t, double base)>;

  template <class Options>
  requires requires { Options::name; }
  LrCurve(const Options& options, Place place = Place::here())
      : name_(Options::name), function_(function(options, OpScope(Options::name, place))) {}
  /// base factor(t).
  template <std::invocable<std::int64_t> F>
  LrCurve(F factor)
      : name_("LambdaLR"), function_([factor = std::move(factor)](std::int64_t t, double base) {
          return base * static_cast<double>(factor(t));
        }) {}
  /// base times the factors c(t, base) / base of all.
  static LrCurve product(std::vector<LrCurve> curves, Place place);

  const char* name() const { return name_; }
  double operator()(std::int64_t t, double base) const { return function_(t, base); }

 private:
  LrCurve(const char* name, Function function) : name_(name), function_(std::move(function)) {}
  static Function function(const StepLROptions& options, const OpScope& scope);
  static Function function(const MultiStepLROptions& options, const OpScope& scope);
  static Function function(const ExponentialLROptions& options, const OpScope& scope);
  static Function function(const CosineLROptions& options, const OpScope& scope);
  static Function function(const WarmupLROptions& options, const OpScope& scope);
  static Function function(const OneCycleLROptions& options, const OpScope& scope);
  static Function function(const PolynomialLROptions& options, const OpScope& scope);
  static Function function(const InverseTimeLROptions& options, const OpScope& scope);

  const char* name_;
  Function function_;
};

/// What all schedules do.
class Schedule {
 public:
  virtual ~Schedule() = default;

  /// Counts a step and sets the rates; after the optimiser's steps. What it throws changes nothing. Throws GraphError
  /// in a step that is being captured, whose replays would not count: call it between them.
  void step(Place place = Place::here());

  /// The rate that a group has now.
  double lr(std::size_t group = 0, Place place = Place::here()) const { return optimizer().lr(group, place); }
  std::int64_t steps() const { return static_cast<std::int64_t>(steps_); }

  /// What a later run needs to continue besides the optimiser's state: 0-d f64 tensors such as `steps`.
  StateDict state_dict() const;
  /// Takes over what `state_dict` of such a schedule gave, and sets the rates. Throws ValueError with all that does not
  /// fit, and then changes nothing.
  void load_state_dict(const StateDict& state, Place place = Place::here());

 protected:
  Schedule(const char* name, Optimizer& optimizer, Place place);
  /// Sets the rates of t = 0.
  Schedule(Optimizer& optimizer, LrCurve curve, Place place);

  const char* name() const { return name_; }
  Optimizer& optimizer() const { return *optimizer_->now; }
  virtual void advance(const OpScope& scope);
  /// All that it remembers, by name.
  virtual std::vector<std::pair<std::string, double*>> numbers();

  double steps_ = 0;

 private:
  void set_rates(const OpScope& scope, double t);

  const char* name_;
  const Optimizer::Self* optimizer_;
  std::optional<LrCurve> curve_;  // of those whose rates are one
  std::vector<double> base_;      // of each group
};

template <class Options>
class ScheduleOf final : public Schedule {
 public:
  explicit ScheduleOf(Optimizer& optimizer, Options options = {}, Place place = Place::here())
      : Schedule(optimizer, LrCurve(options, place), place) {}
};
using StepLR = ScheduleOf<StepLROptions>;
using MultiStepLR = ScheduleOf<MultiStepLROptions>;
using ExponentialLR = ScheduleOf<ExponentialLROptions>;
using CosineLR = ScheduleOf<CosineLROptions>;
using WarmupLR = ScheduleOf<WarmupLROptions>;
using OneCycleLR = ScheduleOf<OneCycleLROptions>;
using PolynomialLR = ScheduleOf<PolynomialLROptions>;
using InverseTimeLR = ScheduleOf<InverseTimeLROptions>;

/// base factor(t).
class LambdaLR final : public Schedule {
 public:
  LambdaLR(Optimizer& optimizer, std::function<double(std::int64_t t)> factor, Place place = Place::here())
      : Schedule(optimizer, LrCurve(std::move(factor)), place) {}
};

/// Several at once, each given by its options or as a function; their factors multiply, as those of a warm-up and of
/// the decay that it goes over into:
///
///   optim::ChainedLR{optimizer, {optim::WarmupLROptions{.steps = 5}, optim::CosineLROptions{.steps = 100}}};
class ChainedLR final : public Schedule {
 public:
  ChainedLR(Optimizer& optimizer, std::vector<LrCurve> curves, Place place = Place::here())
      : Schedule(optimizer, LrCurve::product(std::move(curves), place), place) {}
};

struct PlateauLROptions {
  double factor = 0.1;
  std::int64_t patience = 10;  // so many steps without improvement are borne with
  double threshold = 1e-4;     // an improvement is more than this share of the best, or with `absolute` than this
  bool absolute = false;
  bool larger_is_better = false;
  std::int64_t cooldown = 0;  // so many steps after a reduction do not count
  double min_lr = 0;
  double eps = 1e-8;  // a reduction by no more than this is left out
};

/// Multiplies the rates by `factor` once `step(metric)` has been given no new best in more than `patience` steps. NaN
/// is no improvement. The rates themselves are the optimiser's state, and go with it. A `step()` without a metric, as
/// through a reference to a Schedule, throws ValueError.
class PlateauLR final : public Schedule {
 public:
  explicit PlateauLR(Optimizer& optimizer, PlateauLROptions options = {}, Place place = Place::here());
  void step(double metric, Place place = Place::here());

 private:
  bool improves(double metric) const;
  void advance(const OpScope& scope) override;
  std::vector<std::pair<std::string, double*>> numbers() override;

  PlateauLROptions options_;
  double best_, bad_steps_ = 0, cooldown_left_ = 0;
};

}  // namespace xgrad::optim
#pragma GCC visibility pop
