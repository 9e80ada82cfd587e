#include <algorithm>
#include <autograd/core/recording.hpp>
#include <autograd/node.hpp>
#include <autograd/observer.hpp>
#include <bit>
#include <cmath>
#include <cstring>
#include <optim/optimizers/plan.hpp>

namespace xgrad::optim {

using detail::Option, detail::Plan;

const char* Option::fault(double value) const {
  if (flag != nullptr) return value == 0 || value == 1 ? nullptr : "expected 0 or 1";
  switch (range) {
    case detail::Range::finite:
      return std::isfinite(value) ? nullptr : "expected a finite number";
    case detail::Range::not_negative:
      return std::isfinite(value) && value >= 0 ? nullptr : "expected a finite number of at least 0";
    case detail::Range::below_one:
      return value >= 0 && value < 1 ? nullptr : "expected a number in [0, 1)";
  }
  return nullptr;
}

Tensor detail::moment_of(const Array& p, const Array& values) {
  constexpr std::int64_t page = 4096;
  const auto bytes = static_cast<std::int64_t>(values.bytes()), each = static_cast<std::int64_t>(size_of(p.dtype()));
  if (bytes < page) return Tensor(values.clone());
  const Array room(p.dtype(), {(bytes + page) / each});
  const auto place_of = [](const Array& a) {
    return static_cast<std::int64_t>(std::bit_cast<std::intptr_t>(a.data()));
  };
  const std::int64_t shift = (place_of(p) + page / 2 - place_of(room)) & (page - 1);
  const Array moment = room.viewed(p.shape(), shift / each);
  std::memcpy(moment.data(), values.data(), values.bytes());
  return Tensor(moment);
}

namespace {

/// Gives a kernel several parameters at a time; for small ones a call costs more than their step.
class Pass {
 public:
  Pass() = default;
  ~Pass() { run(); }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  const Plan& plan() const { return plan_; }
  /// How the parameters from now on are changed.
  void begin(const Plan& plan) {
    run();
    plan_ = plan;
  }
  /// Those that lie one behind the other go together.
  void add(Dtype dtype, const kernels::OptimiserArrays& parameter) {
    if (&parameter != end_ || dtype != dtype_) [[unlikely]] {
      run();
      begin_ = &parameter;
      dtype_ = dtype;
    }
    end_ = &parameter + 1;
  }

 private:
  void run() {
    if (begin_ != end_) plan_.kernel[int(dtype_)](begin_, end_ - begin_, plan_.numbers);
    begin_ = end_ = nullptr;
  }

  Plan plan_;  // unset until `begin`
  Dtype dtype_ = f32;
  const kernels::OptimiserArrays *begin_ = nullptr, *end_ = nullptr;
};

}  // namespace

Optimizer::Optimizer(const char* name, const char* const (&moment_names)[most_moments])
    : name_(name), moment_names_(moment_names) {}

Optimizer::~Optimizer() = default;

std::string Optimizer::conflict(std::size_t) const { return {}; }

/// For reading only: the list points into the options, which a constant optimiser must not change.
std::vector<Option> Optimizer::listed_options(std::size_t group) const {
  return const_cast<Optimizer*>(this)->options(group);
}

void Optimizer::add_group(std::vector<Tensor>&& parameters) {
  for (Tensor& p : parameters) slots_.push_back({.parameter = std::move(p), .group = groups_, .moments = {}});
  ++groups_;
}

/// "parameter 2", or "parameter 2 (group 1)" where there are several groups; counted over all groups.
std::string Optimizer::label(std::size_t slot) const {
  std::string label = text("parameter ", slot);
  if (groups_ > 1) label += text(" (group ", slots_[slot].group, ")");
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
        scope.fail<ValueError>(where, option.name, " is ", option.get(), "; ", expected);
    if (const std::string why = conflict(group); !why.empty()) scope.fail<ValueError>(where, why);
  }
  std::vector<std::pair<const Node*, std::size_t>> seen;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Tensor& p = slots_[i].parameter;
    if (!p.defined()) scope.fail<ValueError>(label(i), " is undefined (default-built); give it a value first");
    if (!p.requires_grad())
      scope.fail<GraphError>(label(i), ", ", name_of(p.dtype()), " ", p.shape(),
                             ", does not require a gradient; leave it out or call set_requires_grad(true)");
    if (!p.is_leaf())
      scope.fail<GraphError>(label(i), ", ", p.shape(), ", is the result of ", p.node()->name,
                             "; only leaves can be optimised: pass what it was computed from, or "
                             "detach().set_requires_grad(true)");
    seen.emplace_back(p.node().get(), i);
  }
  std::sort(seen.begin(), seen.end());
  const auto twice = std::adjacent_find(seen.begin(), seen.end(), [](auto& a, auto& b) { return a.first == b.first; });
  if (twice != seen.end())
    scope.fail<ValueError>(label(twice->second), " and ", label(twice[1].second),
                           " are the same tensor; pass each parameter once");
}

void Optimizer::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.zero_grad();
}

// A replay is a step of its own: its count, and the options of the moment.
void Optimizer::step(Place place) { recording::repeat(step_now, this, place); }

void Optimizer::step_now(Optimizer* optimizer, Place place) {
  const PhaseScope phase(Phase::optimizer, optimizer->name_, place);
  optimizer->change_parameters(place);
}

void Optimizer::check_moments(const OpScope& scope, const Slot& slot) const {
  const Tensor& p = slot.parameter;
  for (const Tensor& moment : slot.moments)
    if (moment.defined() && (moment.dtype() != p.dtype() || moment.shape() != p.shape()))
      scope.fail<DtypeError>(label(static_cast<std::size_t>(&slot - slots_.data())), " was ", name_of(moment.dtype()),
                             " ", moment.shape(), " and is ", name_of(p.dtype()), " ", p.shape(),
                             " now; convert a model before its optimiser is made");
}

void Optimizer::lay_out(Slot& slot, const Plan& plan, kernels::OptimiserArrays& arrays) {
  const Array& p = slot.parameter.array();
  void* moments[most_moments] = {};
  for (int k = 0; k < most_moments; ++k) {
    if (!plan.uses[k]) continue;
    if (!slot.moments[k].defined())
      slot.moments[k] = detail::moment_of(p, full(p.shape(), plan.initial, {.dtype = p.dtype()}).array());
    moments[k] = slot.moments[k].array().data();
  }
  arrays = {p.data(), nullptr, moments[0], moments[1], moments[2], p.size()};
  slot.dtype = p.dtype();
}

/// Throws if the model is gone that the parameters were taken from.
void Optimizer::check_held(const OpScope& scope) const {
  const auto is_ours_alone = [](const Slot& slot) { return slot.parameter.is_only_handle(); };
  if (std::all_of(slots_.begin(), slots_.end(), is_ours_alone)) [[unlikely]]
    scope.fail<GraphError>("nobody else holds any of its ", slots_.size(),
                           " parameters: the model that they were taken from is gone, or was copied by a std::vector "
                           "that grew; make the optimizer when the model is where it stays");
}

/// Lays out what the kernel is given of each parameter that has a gradient, moments included. Whether there is one.
bool Optimizer::prepare(const OpScope& scope) {
  bool any = false;
  kernels::OptimiserArrays* next = arrays_.data();
  for (Slot& slot : slots_) {
    kernels::OptimiserArrays& arrays = *next++;
    const Array& p = slot.parameter.array();
    if (arrays.p != p.data() || arrays.n != p.size() || slot.dtype != p.dtype()) [[unlikely]] {
      check_moments(scope, slot);
      arrays.p = nullptr;
    }
    arrays.g = nullptr;
    if (!slot.parameter.requires_grad()) continue;
    const Tensor& g = slot.parameter.node()->grad;
    if (!g.defined()) continue;
    if (!arrays.p) [[unlikely]]
      lay_out(slot, plan(slot.group, slot.steps + 1), arrays);
    arrays.g = g.array().data();
    any = true;
  }
  return any;
}

void Optimizer::forget_unused_moments() {
  for (Slot& slot : slots_)
    for (Tensor& moment : slot.moments)
      if (slot.steps == 0) moment = Tensor();
  arrays_.clear();
}

void Optimizer::change_parameters(Place place) {
  const OpScope scope(name_, place);
  check_held(scope);
  if (arrays_.empty()) arrays_.resize(slots_.size());
  bool any;
  try {
    any = prepare(scope);
  } catch (...) {
    forget_unused_moments();
    throw;
  }
  if (!any)
    scope.fail<GraphError>("none of the ", slots_.size(),
                           " parameters has a gradient; call backward after zero_grad and before step, on a loss that "
                           "depends on them, and make the optimizer from the parameters of the very model that is "
                           "trained: a copy has others, also the one that a growing std::vector makes");
  Pass pass;
  std::size_t group = groups_;  // of the plan, as is the step
  std::int64_t step = 0;
  const std::uint64_t time = tick();
  const kernels::OptimiserArrays* next = arrays_.data();
  for (Slot& slot : slots_) {
    const kernels::OptimiserArrays& arrays = *next++;
    if (!arrays.g) continue;
    ++slot.steps;
    if (slot.group != group || slot.steps != step) [[unlikely]]
      pass.begin(plan(group = slot.group, step = slot.steps));
    pass.add(slot.dtype, arrays);
    slot.parameter.array().storage()->written.store(time, std::memory_order_relaxed);
  }
}

double Optimizer::lr(std::size_t group, Place place) const {
  const OpScope scope("lr", place);
  if (group >= groups_) scope.fail<ValueError>("there is no group ", group, "; ", name_, " has ", groups_);
  return listed_options(group).front().get();
}

void Optimizer::set_lr(double lr, Place place) {
  for (std::size_t group = 0; group < groups_; ++group) set_lr(lr, group, place);
}

void Optimizer::set_lr(double lr, std::size_t group, Place place) {
  const OpScope scope("set_lr", place);
  if (group >= groups_) scope.fail<ValueError>("there is no group ", group, "; ", name_, " has ", groups_);
  const Option option = options(group).front();
  if (const char* const expected = option.fault(lr)) scope.fail<ValueError>("lr is ", lr, "; ", expected);
  option.set(lr);
}

}  // namespace xgrad::optim
