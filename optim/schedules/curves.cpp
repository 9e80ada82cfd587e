// Learning rates as functions of the step and of the rate at first.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <optim/schedules.hpp>

namespace xgrad::optim {
namespace {

void check_at_least(const OpScope& scope, const char* name, std::int64_t value, std::int64_t least) {
  if (value < least) scope.fail<ValueError>(name, " is ", value, "; expected at least ", least);
}

void check_not_negative(const OpScope& scope, const char* name, double value) {
  if (!(std::isfinite(value) && value >= 0))
    scope.fail<ValueError>(name, " is ", value, "; expected a finite number of at least 0");
}

void check_positive(const OpScope& scope, const char* name, double value) {
  if (!(std::isfinite(value) && value > 0))
    scope.fail<ValueError>(name, " is ", value, "; expected a finite number above 0");
}

/// How much of the way t is from 0 to `steps`.
double share(std::int64_t t, std::int64_t steps) {
  return static_cast<double>(std::min(t, steps)) / static_cast<double>(steps);
}

/// From `start` to `end` along half a cosine.
double cosine(double start, double end, double share) {
  return end + (start - end) / 2 * (1 + std::cos(std::numbers::pi * share));
}

}  // namespace

LrCurve::Function LrCurve::function(const StepLROptions& options, const OpScope& scope) {
  check_at_least(scope, "step", options.step, 1);
  check_not_negative(scope, "gamma", options.gamma);
  return
      [o = options](std::int64_t t, double base) { return base * std::pow(o.gamma, static_cast<double>(t / o.step)); };
}

LrCurve::Function LrCurve::function(const MultiStepLROptions& options, const OpScope& scope) {
  for (const std::int64_t milestone : options.milestones) check_at_least(scope, "a milestone", milestone, 1);
  check_not_negative(scope, "gamma", options.gamma);
  return [o = options](std::int64_t t, double base) {
    const auto passed = std::count_if(o.milestones.begin(), o.milestones.end(), [t](std::int64_t m) { return m <= t; });
    return base * std::pow(o.gamma, static_cast<double>(passed));
  };
}

LrCurve::Function LrCurve::function(const ExponentialLROptions& options, const OpScope& scope) {
  check_not_negative(scope, "gamma", options.gamma);
  return [o = options](std::int64_t t, double base) { return base * std::pow(o.gamma, static_cast<double>(t)); };
}

LrCurve::Function LrCurve::function(const CosineLROptions& options, const OpScope& scope) {
  check_at_least(scope, "steps", options.steps, 1);
  check_at_least(scope, "growth", options.growth, 1);
  check_not_negative(scope, "min_lr", options.min_lr);
  if (options.growth > 1 && !options.restarts)
    scope.fail<ValueError>("growth is ", options.growth, ", but there are no rounds that could grow; set restarts");
  return [o = options](std::int64_t t, double base) {
    std::int64_t steps = o.steps;
    if (o.restarts && o.growth == 1) t %= steps;
    for (; o.restarts && t >= steps; steps *= o.growth) t -= steps;
    return cosine(base, o.min_lr, static_cast<double>(t) / static_cast<double>(steps));
  };
}

LrCurve::Function LrCurve::function(const WarmupLROptions& options, const OpScope& scope) {
  check_at_least(scope, "steps", options.steps, 1);
  check_not_negative(scope, "start_factor", options.start_factor);
  return [o = options](std::int64_t t, double base) {
    return base * (o.start_factor + (1 - o.start_factor) * share(t, o.steps));
  };
}

LrCurve::Function LrCurve::function(const OneCycleLROptions& options, const OpScope& scope) {
  check_at_least(scope, "steps", options.steps, 2);
  if (options.max_lr) check_not_negative(scope, "max_lr", *options.max_lr);
  check_positive(scope, "div_factor", options.div_factor);
  check_positive(scope, "final_div_factor", options.final_div_factor);
  if (!(options.warmup >= 0 && options.warmup < 1))
    scope.fail<ValueError>("warmup is ", options.warmup, "; expected a share in [0, 1)");
  return [o = options](std::int64_t t, double base) {
    const double top = o.max_lr.value_or(base), first = top / o.div_factor, last = first / o.final_div_factor;
    const double end = static_cast<double>(o.steps - 1), now = std::min(static_cast<double>(t), end);
    const double turn = o.warmup * static_cast<double>(o.steps) - 1;
    const auto between = [&](double from, double to, double way) {
      return o.linear ? from + (to - from) * way : cosine(from, to, way);
    };
    if (now < turn) return between(first, top, now / turn);
    return between(top, last, (now - turn) / (end - turn));
  };
}

LrCurve::Function LrCurve::function(const PolynomialLROptions& options, const OpScope& scope) {
  check_at_least(scope, "steps", options.steps, 1);
  check_positive(scope, "power", options.power);
  return [o = options](std::int64_t t, double base) { return base * std::pow(1 - share(t, o.steps), o.power); };
}

LrCurve::Function LrCurve::function(const InverseTimeLROptions& options, const OpScope& scope) {
  check_not_negative(scope, "decay", options.decay);
  return [o = options](std::int64_t t, double base) { return base / (1 + o.decay * static_cast<double>(t)); };
}

LrCurve LrCurve::product(std::vector<LrCurve> curves, Place place) {
  const OpScope scope("ChainedLR", place);
  if (curves.empty()) scope.fail<ValueError>("there is nothing to chain; give each schedule's options");
  return {"ChainedLR", [curves = std::move(curves)](std::int64_t t, double base) {
            double lr = base;
            for (const LrCurve& curve : curves) lr *= base == 0 ? 0 : curve(t, base) / base;
            return lr;
          }};
}

}  // namespace xgrad::optim
