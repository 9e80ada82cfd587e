#include <algorithm>
#include <autograd/grad_mode.hpp>
#include <autograd/node.hpp>
#include <autograd/ops.hpp>
#include <bit>
#include <cstring>
#include <optim/optimizers/row_steps.hpp>
#include <optim/optimizers/rule.hpp>
#include <optim/optimizers/state_reader.hpp>

namespace xgrad::optim::detail {
namespace {

/// A copy of `values` as a moment of p. Half a page away from p, modulo pages: a processor takes a load for one that
/// depends on a recent store to the same place of another page, and waits.
Tensor moment_of(const Array& p, const Array& values) {
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

/// -g, of rows if g is.
Tensor opposite_of(const Tensor& g) {
  auto* const rows = xgrad::detail::RowGradient::of(g);
  if (!rows) return -g;
  if (rows->is_overwritten()) return -rows->dense();
  return xgrad::detail::RowGradient::make(g.shape(), rows->indices, -rows->values);
}

/// Gives a kernel several parameters at a time; for small ones a call costs more than their step.
class Pass {
 public:
  Pass() = default;
  ~Pass() { run(); }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

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

KernelOptimizer::KernelOptimizer(const char* name, const char* const (&moments)[most_moments])
    : Optimizer(name), moments_(moments) {}
KernelOptimizer::KernelOptimizer(KernelOptimizer&&) noexcept = default;
KernelOptimizer& KernelOptimizer::operator=(KernelOptimizer&&) noexcept = default;
KernelOptimizer::~KernelOptimizer() = default;

bool KernelOptimizer::change_parameters(const OpScope& scope) {
  if (arrays_.empty()) {
    dtypes_.resize(slots_.size());
    arrays_.resize(slots_.size());
  }
  try {
    if (!prepare(scope)) return false;
  } catch (...) {
    forget_unused_moments();
    throw;
  }
  Pass pass;
  std::size_t group = group_count();  // of the plan, as is the step
  std::int64_t step = 0;
  const std::uint64_t time = tick();
  const kernels::OptimiserArrays* next = arrays_.data();
  const Dtype* dtype = dtypes_.data();
  for (Slot& slot : slots_) {
    const kernels::OptimiserArrays& arrays = *next++;
    const Dtype of = *dtype++;
    if (!arrays.g) {
      change_rows(slot, time);
      continue;
    }
    ++slot.steps;
    if (slot.group != group || slot.steps != step) [[unlikely]]
      pass.begin(plan(group = slot.group, step = slot.steps));
    pass.add(of, arrays);
    slot.parameter.array().storage()->written.store(time, std::memory_order_relaxed);
  }
  return true;
}

/// Lays out what the kernel is given of each parameter that has a gradient, moments included. Whether there is one.
bool KernelOptimizer::prepare(const OpScope& scope) {
  const NoGrad guard;
  opposite_.clear();
  bool any = false, maximize = false;
  std::size_t group = group_count();
  kernels::OptimiserArrays* next = arrays_.data();
  Dtype* dtype = dtypes_.data();
  for (Slot& slot : slots_) {
    kernels::OptimiserArrays& arrays = *next++;
    Dtype& of = *dtype++;
    const Array& p = slot.parameter.array();
    if (arrays.p != p.data() || arrays.n != p.size() || of != p.dtype()) [[unlikely]] {
      check_state(scope, slot);
      arrays.p = nullptr;
    }
    arrays.g = nullptr;
    if (!slot.parameter.requires_grad()) continue;
    const Tensor& g = slot.parameter.node()->grad;
    if (!g.defined()) continue;
    if (!arrays.p) [[unlikely]] {
      lay_out(slot, plan(slot.group, slot.steps + 1), arrays);
      of = p.dtype();
    }
    if (slot.group != group) maximize = maximizes(group = slot.group);
    const Tensor& down = maximize ? opposite_.emplace_back(opposite_of(g)) : g;
    arrays.g = down.array().data();
    if (!arrays.g) [[unlikely]]
      arrays.g = lay_out_rows(slot, down, arrays);
    any = true;
  }
  return any;
}

/// Lays out what the kernel is given of a parameter whose gradient is of rows; the numbers of all rows where it has to
/// change them all, and null otherwise.
void* KernelOptimizer::lay_out_rows(const Slot& slot, const Tensor& g, const kernels::OptimiserArrays& arrays) {
  auto& gradient = *xgrad::detail::RowGradient::of(g);
  if (!plan(slot.group, slot.steps + 1).by_rows || gradient.is_overwritten()) return gradient.dense().array().data();
  if (rows_.empty()) rows_.resize(slots_.size());
  const Shape& shape = slot.parameter.shape();
  RowSteps& rows = rows_[static_cast<std::size_t>(&slot - slots_.data())];
  rows.lay_out(gradient, arrays, slot.parameter.dtype(), shape.product(1, shape.ndim()));
  rows.due = true;
  return nullptr;
}

/// The step of a parameter whose gradient is of rows, if it is due; of one without a gradient it is not.
void KernelOptimizer::change_rows(Slot& slot, std::uint64_t time) {
  if (rows_.empty()) return;
  RowSteps& rows = rows_[static_cast<std::size_t>(&slot - slots_.data())];
  if (!std::exchange(rows.due, false)) return;
  const Plan now = plan(slot.group, ++slot.steps);
  if (const auto& arrays = rows.arrays(); !arrays.empty())
    now.kernel[int(slot.parameter.dtype())](arrays.data(), std::ssize(arrays), now.numbers);
  slot.parameter.array().storage()->written.store(time, std::memory_order_relaxed);
}

void KernelOptimizer::lay_out(Slot& slot, const Plan& plan, kernels::OptimiserArrays& arrays) const {
  const Array& p = slot.parameter.array();
  void* moments[most_moments] = {};
  for (int k = 0; k < most_moments; ++k) {
    if (!plan.uses[k]) continue;
    const auto is_it = [&](const StateDict::Entry& entry) { return entry.first == moments_[k]; };
    auto found = std::find_if(slot.state.begin(), slot.state.end(), is_it);
    if (found == slot.state.end()) {
      const Tensor start = full(p.shape(), plan.initial, {.dtype = p.dtype()});
      found = slot.state.insert(found, {moments_[k], moment_of(p, start.array())});
    }
    moments[k] = found->second.array().data();
  }
  arrays = {p.data(), nullptr, moments[0], moments[1], moments[2], p.size()};
}

void KernelOptimizer::forget_unused_moments() {
  for (Slot& slot : slots_)
    if (slot.steps == 0) slot.state.clear();
  arrays_.clear();
  rows_.clear();
}

void KernelOptimizer::load_slot(StateReader& reader, const std::string& prefix, Slot& slot) const {
  if (slot.steps <= 0) return;
  const Tensor& p = slot.parameter;
  const Plan needed = plan(slot.group, slot.steps);
  for (int k = 0; k < most_moments; ++k) {
    if (!needed.uses[k]) continue;
    const Tensor moment = reader.take(prefix + moments_[k], p.dtype(), p.shape());
    if (moment.defined()) slot.state.emplace_back(moments_[k], moment_of(p.array(), moment.array()));
  }
}

void KernelOptimizer::state_loaded() { arrays_.clear(); }

}  // namespace xgrad::optim::detail
