#include <algorithm>
#include <cmath>
#include <optim/optimizers/plan.hpp>

namespace xgrad::optim {

using detail::Option, detail::Plan;

/// Takes entries out of a state by name, and collects what is wrong with it.
class StateReader {
 public:
  explicit StateReader(const StateDict& state) : state_(state) {}

  /// The entry, or an undefined tensor after noting what is wrong with it.
  Tensor take(const std::string& name, Dtype dtype, const Shape& shape) {
    const Tensor* const found = state_.find(name);
    if (!found) {
      note(name, " is missing");
      return {};
    }
    taken_.push_back(name);
    const Tensor& t = *found;
    if (!t.defined()) {
      note(name, " is undefined");
    } else if (t.dtype() != dtype || t.shape() != shape) {
      note(name, " is ", name_of(t.dtype()), " ", t.shape(), ", expected ", name_of(dtype), " ", shape);
    } else {
      return t;
    }
    return {};
  }

  template <class... Parts>
  void note(const Parts&... parts) {
    problems_ += text("\n  ", parts...);
  }

  /// All problems, one to a line, those of entries that nobody took included.
  std::string problems() {
    for (const auto& entry : state_)
      if (std::find(taken_.begin(), taken_.end(), entry.first) == taken_.end()) note(entry.first, " is unexpected");
    return problems_;
  }

 private:
  const StateDict& state_;
  std::vector<std::string> taken_;
  std::string problems_;
};

StateDict Optimizer::state_dict() const {
  StateDict state;
  for (std::size_t group = 0; group < groups_; ++group)
    for (const Option& option : listed_options(group))
      state.set(text("group.", group, ".", option.name),
                full({}, option.get(), {.dtype = option.flag ? boolean : f64}));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::string prefix = text("parameter.", i, ".");
    state.set(prefix + "steps", full({}, slots_[i].steps, {.dtype = i64}));
    for (int k = 0; k < most_moments; ++k)
      if (const Tensor& moment = slots_[i].moments[k]; moment.defined())
        state.set(prefix + moment_names_[k], moment.clone());
  }
  return state;
}

void Optimizer::load_slots(StateReader& reader, std::vector<Slot>& slots) const {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = slots[i];
    const std::string prefix = text("parameter.", i, ".");
    const Tensor steps = reader.take(prefix + "steps", i64, {});
    if (!steps.defined()) continue;
    slot.steps = steps.item<std::int64_t>();
    if (slot.steps < 0) reader.note(prefix, "steps is ", slot.steps, ", expected at least 0");
    const Plan needed = plan(slot.group, std::max<std::int64_t>(slot.steps, 1));
    for (int k = 0; k < most_moments; ++k) {
      const bool due = slot.steps > 0 && needed.uses[k];
      const Tensor& p = slot.parameter;
      slot.moments[k] = due ? reader.take(prefix + moment_names_[k], p.dtype(), p.shape()) : Tensor();
    }
  }
}

void Optimizer::load_state_dict(const StateDict& state, Place place) {
  const OpScope scope("load_state_dict", place);
  StateReader reader(state);
  // Puts the options back unless the state is taken over.
  struct Restore {
    std::vector<std::pair<Option, double>> options;
    ~Restore() {
      for (const auto& [option, value] : options) option.set(value);
    }
  } before;
  for (std::size_t group = 0; group < groups_; ++group) {
    for (const Option& option : options(group)) {
      before.options.emplace_back(option, option.get());
      const std::string name = text("group.", group, ".", option.name);
      const Tensor t = reader.take(name, option.flag ? boolean : f64, {});
      if (!t.defined()) continue;
      const double value = t.item<double>();
      if (const char* const expected = option.fault(value)) {
        reader.note(name, " is ", value, ", ", expected);
      } else {
        option.set(value);
      }
    }
    if (const std::string why = conflict(group); !why.empty()) reader.note("group.", group, ": ", why);
  }
  std::vector<Slot> slots = slots_;
  load_slots(reader, slots);
  if (const std::string problems = reader.problems(); !problems.empty())
    scope.fail<ValueError>("the state does not fit this ", name_, ", which stays as it was:", problems);
  for (Slot& slot : slots)
    for (Tensor& moment : slot.moments)
      if (moment.defined()) moment = detail::moment_of(slot.parameter.array(), moment.array());
  slots_ = std::move(slots);
  arrays_.clear();
  before.options.clear();
}

}  // namespace xgrad::optim
