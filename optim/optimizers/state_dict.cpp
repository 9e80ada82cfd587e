#include <optim/optimizer.hpp>
#include <optim/optimizers/state_reader.hpp>

namespace xgrad::optim {

using detail::Option, detail::StateReader;

Tensor StateReader::take(const std::string& name, Dtype dtype, const Shape& shape) {
  const Tensor* const found = state_.find(name);
  if (!found) {
    note(name, " is missing");
    return {};
  }
  taken_.insert(name);
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

std::list<StateDict::Entry> StateReader::take_rest(const std::string& prefix, Dtype dtype, const Shape& shape) {
  std::list<StateDict::Entry> rest;
  for (const auto& entry : state_) {
    const std::string& name = entry.first;
    if (!name.starts_with(prefix) || taken_.contains(name)) continue;
    if (const Tensor t = take(name, dtype, shape); t.defined())
      rest.emplace_back(name.substr(prefix.size()), Tensor(t.array().clone()));
  }
  return rest;
}

std::string StateReader::problems() {
  for (const auto& entry : state_)
    if (!taken_.contains(entry.first)) note(entry.first, " is unexpected");
  return problems_;
}

StateDict Optimizer::state_dict() const {
  StateDict state;
  for (std::size_t group = 0; group < groups_; ++group)
    for (const Option& option : listed_options(group))
      state.set(text("group.", group, ".", option.name()), full({}, option.get(), {.dtype = option.dtype()}));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::string prefix = text("parameter.", i, ".");
    state.set(prefix + "steps", full({}, slots_[i].steps, {.dtype = i64}));
    save_slot(state, prefix, slots_[i]);
  }
  return state;
}

void Optimizer::save_slot(StateDict& state, const std::string& prefix, const Slot& slot) const {
  for (const auto& [name, moment] : slot.state) state.set(prefix + name, moment.clone());
}

void Optimizer::load_slot(StateReader& reader, const std::string& prefix, Slot& slot) const {
  slot.state = reader.take_rest(prefix, slot.parameter.dtype(), slot.parameter.shape());
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
      const std::string name = text("group.", group, ".", option.name());
      if (option.is_flag() && !state.contains(name)) {
        option.set(false);  // a state that was saved before there was such a flag
        continue;
      }
      const Tensor t = reader.take(name, option.dtype(), {});
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
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots.emplace_back(Slot{.parameter = slots_[i].parameter, .group = slots_[i].group});
    const std::string prefix = text("parameter.", i, ".");
    const Tensor steps = reader.take(prefix + "steps", i64, {});
    if (!steps.defined()) continue;
    slot.steps = steps.item<std::int64_t>();
    if (slot.steps < 0) reader.note(prefix, "steps is ", slot.steps, ", expected at least 0");
    load_slot(reader, prefix, slot);
  }
  if (const std::string problems = reader.problems(); !problems.empty())
    scope.fail<ValueError>("the state does not fit this ", name_, ", which stays as it was:", problems);
  slots_ = std::move(slots);
  state_loaded();
  before.options.clear();
}

}  // namespace xgrad::optim
