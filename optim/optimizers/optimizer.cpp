#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/node.hpp>
#include <autograd/observer.hpp>
#include <cmath>
#include <optim/optimizer.hpp>

namespace xgrad::optim {

using detail::Option;

const char* Option::fault(double value) const {
  switch (range_) {
    case detail::Range::flag:
      return value == 0 || value == 1 ? nullptr : "expected 0 or 1";
    case detail::Range::whole:
      return std::abs(value) < 0x1p31 ? nullptr : "expected a number of 32 bits";
    case detail::Range::count:
      return value >= 0 && value < 0x1p31 ? nullptr : "expected at least 0, and a number of 32 bits";
    case detail::Range::finite:
      return std::isfinite(value) ? nullptr : "expected a finite number";
    case detail::Range::not_negative:
      return std::isfinite(value) && value >= 0 ? nullptr : "expected a finite number of at least 0";
    case detail::Range::below_one:
      return value >= 0 && value < 1 ? nullptr : "expected a number in [0, 1)";
  }
  return nullptr;
}

Optimizer::Optimizer(const char* name) : name_(name), self_(new Self{this}) {}
Optimizer::~Optimizer() = default;

Optimizer::Optimizer(Optimizer&& other) noexcept
    : slots_(std::move(other.slots_)),
      name_(other.name_),
      groups_(std::exchange(other.groups_, 0)),
      self_(std::move(other.self_)) {
  if (self_) self_->now = this;
}

Optimizer& Optimizer::operator=(Optimizer&& other) noexcept {
  slots_ = std::move(other.slots_);
  name_ = other.name_;
  groups_ = std::exchange(other.groups_, 0);
  self_ = std::move(other.self_);
  if (self_) self_->now = this;
  return *this;
}

std::string Optimizer::conflict(std::size_t) const { return {}; }

/// For reading only: the list points into the options, which a constant optimiser must not change.
std::vector<Option> Optimizer::listed_options(std::size_t group) const {
  return const_cast<Optimizer*>(this)->options(group);
}

std::string Optimizer::describe() const {
  std::string words = name_;
  for (std::size_t g = 0; g < groups_; ++g) {
    if (g > 0) words += text("; group ", g);
    for (const Option& option : listed_options(g)) words += text(", ", option.name(), " ", option.get());
  }
  return words;
}

void Optimizer::add_group(std::vector<Tensor>&& parameters) {
  for (Tensor& p : parameters) slots_.push_back({.parameter = std::move(p), .group = groups_});
  ++groups_;
}

std::string Optimizer::label(const Slot& slot) const {
  std::string label = text("parameter ", &slot - slots_.data());
  if (groups_ > 1) label += text(" (group ", slot.group, ")");
  return label;
}

void Optimizer::check(Place place) {
  const OpScope scope(name_, place);
  std::vector<std::size_t> sizes(groups_, 0);
  for (const Slot& slot : slots_) ++sizes[slot.group];
  if (slots_.empty()) scope.fail<ValueError>("the list of parameters is empty; pass model.parameters()");
  for (std::size_t group = 0; group < groups_; ++group) {
    const std::string where = groups_ > 1 ? text("group ", group, ": ") : "";
    if (sizes[group] == 0) scope.fail<ValueError>(where, "the list of parameters is empty");
    for (const Option& option : options(group))
      if (const char* const expected = option.fault(option.get()))
        scope.fail<ValueError>(where, option.name(), " is ", option.get(), "; ", expected);
    if (const std::string why = conflict(group); !why.empty()) scope.fail<ValueError>(where, why);
  }
  check_parameters(scope);
}

void Optimizer::check_parameters(const OpScope& scope) const {
  std::vector<std::pair<const void*, const Slot*>> by_numbers;  // the same tensor has the same, and few others have
  for (const Slot& slot : slots_) {
    const Tensor& p = slot.parameter;
    if (!p.defined()) scope.fail<ValueError>(label(slot), " is undefined (default-built); give it a value first");
    if (!p.is_leaf())
      scope.fail<GraphError>(label(slot), ", ", p.shape(), ", is the result of ", p.node()->name,
                             "; only leaves can be optimised: pass what it was computed from, or "
                             "detach().set_requires_grad(true)");
    by_numbers.emplace_back(p.array().data(), &slot);
  }
  std::sort(by_numbers.begin(), by_numbers.end());
  for (auto a = by_numbers.begin(); a != by_numbers.end(); ++a)
    for (auto b = a + 1; b != by_numbers.end() && a->first == b->first; ++b)
      if (a->second->parameter.same(b->second->parameter))
        scope.fail<ValueError>(label(*a->second), " and ", label(*b->second),
                               " are the same tensor; pass each parameter once");
  if (std::none_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.parameter.requires_grad(); }))
    scope.fail<GraphError>("none of the ", slots_.size(),
                           " parameters requires a gradient; call set_requires_grad(true) on those to be trained");
}

void Optimizer::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.zero_grad();
}

// A replay is a step of its own: its count, and the options of the moment.
void Optimizer::step(Place place) {
  if (!self_) {
    const OpScope scope(name_, place);
    scope.fail<ValueError>("it was moved from; call the one that it was moved to");
  }
  capturing::repeat(step_now, self_.get(), place);
}

void Optimizer::step_now(const Self* self, Place place) {
  Optimizer& optimizer = *self->now;
  const PhaseScope phase(Phase::optimizer, optimizer.name_, place);
  const OpScope scope(optimizer.name_, place);
  optimizer.check_held(scope);
  if (!optimizer.change_parameters(scope))
    scope.fail<GraphError>("none of the ", optimizer.slots_.size(),
                           " parameters has a gradient; call backward after zero_grad and before step, on a loss that "
                           "depends on them, and make the optimizer from the parameters of the very model that is "
                           "trained: a copy has others, also the one that a growing std::vector makes");
}

void Optimizer::check_held(const OpScope& scope) const {
  const auto is_ours_alone = [](const Slot& slot) { return slot.parameter.is_only_handle(); };
  if (std::all_of(slots_.begin(), slots_.end(), is_ours_alone)) [[unlikely]]
    scope.fail<GraphError>("nobody else holds any of its ", slots_.size(),
                           " parameters: the model that they were taken from is gone, or was copied by a std::vector "
                           "that grew; make the optimizer when the model is where it stays");
}

void Optimizer::check_state(const OpScope& scope, const Slot& slot) const {
  const Tensor& p = slot.parameter;
  for (const auto& [name, moment] : slot.state)
    if (moment.dtype() != p.dtype() || moment.shape() != p.shape())
      scope.fail<DtypeError>(label(slot), " was ", name_of(moment.dtype()), " ", moment.shape(), " and is ",
                             name_of(p.dtype()), " ", p.shape(), " now; convert a model before its optimiser is made");
}

double Optimizer::lr(std::size_t group, Place place) const {
  const OpScope scope("lr", place);
  return learning_rate(scope, group).get();
}

void Optimizer::set_lr(double lr, Place place) {
  for (std::size_t group = 0; group < groups_; ++group) set_lr(lr, group, place);
}

void Optimizer::set_lr(double lr, std::size_t group, Place place) {
  const OpScope scope("set_lr", place);
  const Option option = learning_rate(scope, group);
  if (const char* const expected = option.fault(lr)) scope.fail<ValueError>("lr is ", lr, "; ", expected);
  option.set(lr);
}

Option Optimizer::learning_rate(const OpScope& scope, std::size_t group) const {
  if (group >= groups_) scope.fail<ValueError>("there is no group ", group, "; ", name_, " has ", groups_);
  return listed_options(group).front();
}

}  // namespace xgrad::optim
