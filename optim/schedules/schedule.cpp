// What all schedules do: counting, setting rates, saving.
#include <autograd/core/capturing.hpp>
#include <cmath>
#include <optim/optimizers/state_reader.hpp>
#include <optim/schedules.hpp>

namespace xgrad::optim {

Schedule::Schedule(const char* name, Optimizer& optimizer, Place place)
    : name_(name), optimizer_(optimizer.self_.get()) {
  if (!optimizer_)
    OpScope(name, place).fail<ValueError>("the optimizer was moved from; pass the one that it was moved to");
}

Schedule::Schedule(Optimizer& optimizer, LrCurve curve, Place place) : Schedule(curve.name(), optimizer, place) {
  const OpScope scope(name_, place);
  curve_ = std::move(curve);
  for (std::size_t group = 0; group < optimizer.group_count(); ++group) base_.push_back(optimizer.lr(group));
  set_rates(scope, 0);
}

void Schedule::step(Place place) {
  const OpScope scope(name_, place);
  capturing::refuse();
  advance(scope);
}

void Schedule::advance(const OpScope& scope) {
  set_rates(scope, steps_ + 1);
  ++steps_;
}

void Schedule::set_rates(const OpScope& scope, double t) {
  std::vector<double> rates;
  for (const double base : base_) {
    const DetachedScope users;  // a function's errors are its own
    rates.push_back((*curve_)(static_cast<std::int64_t>(t), base));
  }
  for (std::size_t group = 0; group < rates.size(); ++group)
    if (!(std::isfinite(rates[group]) && rates[group] >= 0))
      scope.fail<ValueError>("after ", t, " steps the rate of group ", group, " would be ", rates[group],
                             "; expected a finite number of at least 0");
  for (std::size_t group = 0; group < rates.size(); ++group) optimizer().set_lr(rates[group], group);
}

std::vector<std::pair<std::string, double*>> Schedule::numbers() {
  std::vector<std::pair<std::string, double*>> numbers{{"steps", &steps_}};
  for (std::size_t group = 0; group < base_.size(); ++group)
    numbers.emplace_back(text("group.", group, ".base_lr"), &base_[group]);
  return numbers;
}

StateDict Schedule::state_dict() const {
  StateDict state;
  for (const auto& [name, number] : const_cast<Schedule*>(this)->numbers())
    state.set(name, full({}, *number, {.dtype = f64}));
  return state;
}

void Schedule::load_state_dict(const StateDict& state, Place place) {
  const OpScope scope("load_state_dict", place);
  detail::StateReader reader(state);
  const auto numbers = this->numbers();
  std::vector<double> before, loaded;
  for (const auto& [name, number] : numbers) {
    before.push_back(*number);
    const Tensor t = reader.take(name, f64, {});
    loaded.push_back(t.defined() ? t.item<double>() : *number);
  }
  if (!(loaded[0] >= 0 && loaded[0] == std::floor(loaded[0])))
    reader.note("steps is ", loaded[0], ", expected a whole number of at least 0");
  if (const std::string problems = reader.problems(); !problems.empty())
    scope.fail<ValueError>("the state does not fit this ", name_, ", which stays as it was:", problems);
  const auto store = [&](const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) *numbers[i].second = values[i];
  };
  store(loaded);
  try {
    if (curve_) set_rates(scope, steps_);
  } catch (...) {
    store(before);
    throw;
  }
}

}  // namespace xgrad::optim
