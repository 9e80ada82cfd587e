// The schedule that waits for a metric to stop improving.
#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <cmath>
#include <limits>
#include <optim/schedules.hpp>

namespace xgrad::optim {

PlateauLR::PlateauLR(Optimizer& optimizer, PlateauLROptions options, Place place)
    : Schedule("PlateauLR", optimizer, place),
      options_(options),
      best_(options.larger_is_better ? -std::numeric_limits<double>::infinity()
                                     : std::numeric_limits<double>::infinity()) {
  const OpScope scope(name(), place);
  if (!(options.factor >= 0 && options.factor < 1))
    scope.fail<ValueError>("factor is ", options.factor, "; expected a number in [0, 1)");
  for (const auto& [option, value] : {std::pair("patience", options.patience), {"cooldown", options.cooldown}})
    if (value < 0) scope.fail<ValueError>(option, " is ", value, "; expected at least 0");
  for (const auto& [option, value] :
       {std::pair("threshold", options.threshold), {"min_lr", options.min_lr}, {"eps", options.eps}})
    if (!(std::isfinite(value) && value >= 0))
      scope.fail<ValueError>(option, " is ", value, "; expected a finite number of at least 0");
}

bool PlateauLR::improves(double metric) const {
  const double sign = options_.larger_is_better ? 1 : -1;
  if (options_.absolute) return sign * metric > sign * (best_ + sign * options_.threshold);
  return sign * metric > sign * (best_ * (1 + sign * options_.threshold));
}

void PlateauLR::advance(const OpScope& scope) {
  scope.fail<ValueError>("a step needs the metric that it waits for; call step(metric)");
}

void PlateauLR::step(double metric, Place place) {
  const OpScope scope(name(), place);
  capturing::refuse();
  ++steps_;
  bad_steps_ = improves(metric) ? 0 : bad_steps_ + 1;
  if (bad_steps_ == 0) best_ = metric;
  if (cooldown_left_ > 0) {
    --cooldown_left_;
    bad_steps_ = 0;
  }
  if (bad_steps_ <= static_cast<double>(options_.patience)) return;
  for (std::size_t group = 0; group < optimizer().group_count(); ++group) {
    const double old = lr(group), reduced = std::max(old * options_.factor, options_.min_lr);
    if (old - reduced > options_.eps) optimizer().set_lr(reduced, group);
  }
  cooldown_left_ = static_cast<double>(options_.cooldown);
  bad_steps_ = 0;
}

std::vector<std::pair<std::string, double*>> PlateauLR::numbers() {
  auto numbers = Schedule::numbers();
  numbers.insert(numbers.end(), {{"best", &best_}, {"bad_steps", &bad_steps_}, {"cooldown_left", &cooldown_left_}});
  return numbers;
}

}  // namespace xgrad::optim
