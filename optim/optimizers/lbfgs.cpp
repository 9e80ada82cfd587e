#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/observer.hpp>
#include <autograd/ops.hpp>
#include <cmath>
#include <optim/lbfgs.hpp>
#include <optim/optimizers/line_search.hpp>
#include <optim/optimizers/state_reader.hpp>

namespace xgrad::optim {

using detail::LinePoint, detail::Option, detail::Range;

static double product(const Tensor& a, const Tensor& b) { return dot(a, b).item<double>(); }
static double largest(const Tensor& x) { return x.size() == 0 ? 0 : max(abs(x)).item<double>(); }

LBFGS::LBFGS(std::vector<Tensor> parameters, LBFGSOptions options, Place place) : Optimizer("LBFGS") {
  std::vector<LBFGSOptions> all;
  options_ = options;
  start(std::vector<Group<LBFGSOptions>>{{std::move(parameters), options}}, all, place);
  const OpScope scope("LBFGS", place);
  check_dtypes(scope);
}

std::vector<Option> LBFGS::options(std::size_t) {
  return {{"lr", options_.lr, Range::not_negative},
          {"max_iter", options_.max_iter, Range::count},
          {"max_eval", options_.max_eval, Range::count},
          {"tolerance_grad", options_.tolerance_grad, Range::not_negative},
          {"tolerance_change", options_.tolerance_change, Range::not_negative},
          {"history_size", options_.history_size, Range::count},
          {"line_search", options_.line_search, Range::flag}};
}

void LBFGS::check_dtypes(const OpScope& scope) const {
  const Slot& first = slots_.front();
  for (const Slot& slot : slots_)
    if (slot.parameter.dtype() != first.parameter.dtype())
      scope.fail<DtypeError>(label(first), " is ", name_of(first.parameter.dtype()), ", ", label(slot), " is ",
                             name_of(slot.parameter.dtype()), "; all must be of one dtype");
}

std::int64_t LBFGS::size() const {
  std::int64_t size = 0;
  for (const Slot& slot : slots_) size += slot.parameter.size();
  return size;
}

Tensor LBFGS::flat_parameters() const {
  std::vector<Tensor> parts;
  for (const Slot& slot : slots_) parts.push_back(flatten(slot.parameter.detach()));
  return concatenate(parts);
}

/// Zeros where a parameter has none.
Tensor LBFGS::flat_gradient(const OpScope& scope) const {
  std::vector<Tensor> parts;
  bool any = false;
  for (const Slot& slot : slots_) {
    const Tensor g = slot.parameter.grad();
    any = any || g.defined();
    parts.push_back(g.defined() ? flatten(g.detach())
                                : zeros({slot.parameter.size()}, {.dtype = slot.parameter.dtype()}));
  }
  if (!any)
    scope.fail<GraphError>("none of the ", slots_.size(),
                           " parameters has a gradient after the closure; it must call backward on the loss");
  return concatenate(parts);
}

void LBFGS::set_parameters(const Tensor& flat) {
  std::int64_t begin = 0;
  for (Slot& slot : slots_) {
    Tensor& p = slot.parameter;
    if (p.requires_grad()) p.assign(reshape(slice(flat, 0, begin, begin + p.size()), p.shape()));
    begin += p.size();
  }
}

/// Adds what the last iteration has shown of the curvature, if it is positive.
void LBFGS::remember(const Tensor& gradient) {
  const Tensor change = gradient - gradient_;
  const double curvature = product(change, step_);
  if (curvature > 1e-10) pairs_.push_back({change, step_, 1 / curvature});
  while (std::ssize(pairs_) > options_.history_size) pairs_.erase(pairs_.begin());
}

/// -H g by the two-loop recursion, with H_0 = (change . step) / (change . change) of the last pair.
Tensor LBFGS::direction(const Tensor& gradient) const {
  Tensor d = -gradient;
  std::vector<double> factors(pairs_.size());
  for (std::size_t i = pairs_.size(); i-- > 0;) {
    factors[i] = pairs_[i].inverse * product(pairs_[i].step, d);
    d -= factors[i] * pairs_[i].change;
  }
  if (!pairs_.empty()) d = d / (pairs_.back().inverse * product(pairs_.back().change, pairs_.back().change));
  for (std::size_t i = 0; i < pairs_.size(); ++i)
    d += (factors[i] - pairs_[i].inverse * product(pairs_[i].change, d)) * pairs_[i].step;
  return d;
}

Tensor LBFGS::step(const Closure& closure, Place place) {
  const PhaseScope phase(Phase::optimizer, "LBFGS", place);
  const OpScope scope("LBFGS", place);
  check_held(scope);
  check_dtypes(scope);
  if (capturing::active())
    scope.fail<GraphError>(
        "how often it evaluates the loss depends on numbers, and a replay cannot decide that; capture the closure "
        "instead of the step");
  return iterate(scope, closure);
}

Tensor LBFGS::iterate(const OpScope& scope, const Closure& closure) {
  const NoGrad guard;
  const LBFGSOptions o = options_;
  std::int64_t evaluations = 0;
  Tensor loss;
  const auto evaluate = [&] {
    ++evaluations;
    {
      const EnableGrad recorded;
      const DetachedScope users_own;
      loss = closure().detach();
    }
    return LinePoint{.t = 0, .loss = loss.item<double>(), .gradient = flat_gradient(scope)};
  };

  LinePoint now = evaluate();
  const Tensor before = loss;
  const std::int64_t most = o.max_eval > 0 ? o.max_eval : o.max_iter * 5 / 4;
  for (std::int64_t i = 0; i < o.max_iter && largest(now.gradient) > o.tolerance_grad; ++i) {
    const bool first = !gradient_.defined();
    if (!first) remember(now.gradient);
    const Tensor d = direction(now.gradient), start = flat_parameters();
    gradient_ = now.gradient;
    step_ = zeros(d.shape(), {.dtype = d.dtype()});
    for (Slot& slot : slots_) ++slot.steps;
    now.t = 0;
    now.slope = product(now.gradient, d);
    if (!(now.slope <= -o.tolerance_change)) break;

    double t = first ? o.lr / std::max(1., sum(abs(now.gradient)).item<double>()) : o.lr;
    const double loss_before = now.loss;
    const auto move_to = [&](double to) { set_parameters(start + to * d); };
    if (o.line_search == LineSearch::strong_wolfe) {
      const auto evaluate_at = [&](double to) {
        move_to(to);
        LinePoint p = evaluate();
        p.t = to;
        p.slope = product(p.gradient, d);
        return p;
      };
      now = detail::strong_wolfe(evaluate_at, now, t, o.tolerance_change / largest(d));
      t = now.t;
    }
    move_to(t);
    step_ = t * d;
    if (i + 1 == o.max_iter) break;
    if (o.line_search == LineSearch::none) now = evaluate();
    if (evaluations >= most || largest(step_) <= o.tolerance_change ||
        std::abs(now.loss - loss_before) < o.tolerance_change)
      break;
  }
  return before;
}

bool LBFGS::change_parameters(const OpScope& scope) {
  scope.fail<GraphError>("a step evaluates the loss several times; call step(closure) of the LBFGS itself");
}

void LBFGS::save_slot(StateDict& state, const std::string& prefix, const Slot& slot) const {
  if (&slot != &slots_.front() || !gradient_.defined()) return;
  state.set(prefix + "gradient", gradient_.clone());
  state.set(prefix + "step", step_.clone());
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    state.set(text(prefix, "change.", i), pairs_[i].change.clone());
    state.set(text(prefix, "step.", i), pairs_[i].step.clone());
  }
}

void LBFGS::load_slot(detail::StateReader& reader, const std::string& prefix, Slot& slot) const {
  slot.state = reader.take_rest(prefix, slot.parameter.dtype(), {size()});
}

void LBFGS::state_loaded() {
  const StateDict state(std::vector<StateDict::Entry>(slots_.front().state.begin(), slots_.front().state.end()));
  slots_.front().state.clear();
  const auto found = [&](const std::string& name) { return state.contains(name) ? state.at(name) : Tensor(); };
  gradient_ = found("gradient");
  step_ = found("step");
  pairs_.clear();
  for (std::size_t i = 0; state.contains(text("change.", i)) && state.contains(text("step.", i)); ++i) {
    const Tensor change = found(text("change.", i)), step = found(text("step.", i));
    pairs_.push_back({change, step, 1 / product(change, step)});
  }
}

}  // namespace xgrad::optim
