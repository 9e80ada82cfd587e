// Checks what `explain` is given, and gathers what its page tells.
#include <autograd/backward.hpp>
#include <autograd/explain.hpp>
#include <autograd/explain/page.hpp>
#include <autograd/explain/runs.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops/random_scope.hpp>
#include <autograd/picture.hpp>
#include <autograd/picture/graph.hpp>
#include <autograd/support/index.hpp>
#include <cmath>

namespace xgrad {
namespace {

using detail::Arc, detail::at, detail::Explanation, detail::Runs, detail::Scalar;

constexpr std::size_t most_measured_ops = 5000000;  // runs times ops; past that only the parameter is measured
constexpr int most_drawn_nodes = 60;

void check_parameter(const Tensor& p, const ExplainOptions& options, const OpScope& scope) {
  if (!p.defined()) scope.fail<ValueError>("the parameter is undefined (default-built)");
  if (!p.requires_grad())
    scope.fail<GraphError>("the parameter of shape ", p.shape(),
                           " does not require a gradient; mark it with "
                           ".requires_grad = true");
  if (!p.is_leaf())
    scope.fail<GraphError>("the parameter of shape ", p.shape(),
                           " is an op's result; explain a leaf that it was computed from");
  if (options.element < -1 || options.element >= p.size())
    scope.fail<ValueError>("element ", options.element, " of a parameter of shape ", p.shape(), "; it has ", p.size(),
                           " elements");
  if (options.max_paths < 1) scope.fail<ValueError>("max_paths is ", options.max_paths, "; expected at least 1");
}

void check_loss(const Tensor& loss, const OpScope& scope) {
  if (!loss.defined()) scope.fail<ValueError>("the loss is undefined (default-built)");
  if (loss.size() != 1)
    scope.fail<GraphError>("the loss is ", loss.shape(), ", not one number; reduce it with sum or mean");
  if (!loss.requires_grad())
    scope.fail<GraphError>("the loss does not require a gradient; compute it outside NoGrad, from the parameter");
  if (!std::isfinite(detail::number_at(loss, 0)))
    scope.fail<ValueError>("the loss is ", detail::number_at(loss, 0), "; explain it where it is finite");
}

std::int64_t largest_element(const Tensor& g) {
  const std::vector<double> numbers = detail::numbers_of(g);
  std::size_t best = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (std::fabs(numbers[i]) > std::fabs(numbers[best])) best = i;
  return static_cast<std::int64_t>(best);
}

/// Measures every local derivative on the paths, and every number on them where paths meet.
void measure(Explanation& x, Runs& runs) {
  std::vector<std::vector<int>> of(x.graph.scalars.size());  // arcs by input
  std::size_t count = 0;
  for (const detail::ScalarPath& path : x.paths) {
    for (const int a : path.arcs) {
      if (!x.measured_arcs.try_emplace(a, NAN).second) continue;
      of[at(x.graph.arcs[at(a)].input)].push_back(a);
      ++count;
    }
  }
  if (4 * count * x.ops.size() > most_measured_ops) return;
  const auto op_of = [&](int scalar) { return x.graph.nodes[at(x.graph.scalars[at(scalar)].node)].op; };
  for (std::size_t s = 0; s < of.size(); ++s) {
    const Scalar& input = x.graph.scalars[s];
    const int op = op_of(static_cast<int>(s));
    const bool is_parameter = static_cast<int>(s) == x.graph.parameter;
    if (of[s].empty() || (op < 0 && !is_parameter)) continue;
    std::vector<Runs::Spot> spots;
    for (const int a : of[s]) {
      const int output = x.graph.arcs[at(a)].output;
      spots.push_back({op_of(output), x.graph.scalars[at(output)].element});
    }
    const std::vector<double> slopes = runs.by(op, input.element, spots);
    for (std::size_t i = 0; i < slopes.size(); ++i) x.measured_arcs[of[s][i]] = slopes[i];
    if (input.consumers > 1)
      x.measured_scalars[static_cast<int>(s)] = is_parameter ? x.measured : runs.loss_by(op, input.element);
  }
}

std::string name_of(const Tensor& parameter, const ExplainOptions& options) {
  for (const auto& [name, t] : options.names)
    if (t.requires_grad() && t.node() == parameter.node()) return name;
  return "parameter";
}

}  // namespace

std::string explain(detail::Program program, const Tensor& parameter, const ExplainOptions& options, Place place) {
  const OpScope scope("explain", place);
  check_parameter(parameter, options, scope);
  const Observing::Unobserved unobserved;
  const EnableGrad guard;
  const RandomState random = random_state();
  const RandomScope restored;

  const Trace trace;
  const Tensor loss = [&] {
    const DetachedScope detached;
    return program();
  }();
  const Observing::Unobserved quiet;
  check_loss(loss, scope);
  const Tensor gradient = grad(loss, {parameter}, {.allow_unused = true, .retain_graph = true})[0];
  if (!gradient.defined())
    scope.fail<GraphError>("the loss does not depend on the parameter of shape ", parameter.shape(),
                           "; hand over one that it was computed from");
  if (gradient.size() == 0) scope.fail<ValueError>("the parameter has no elements");
  const std::int64_t element = options.element >= 0 ? options.element : largest_element(gradient);

  const std::vector<const TracedOp*> ops = detail::outermost(trace.ops());
  Runs runs(program, ops, parameter, random, scope);
  const double measured = runs.loss_by_parameter(element);
  const detail::ScalarGraph graph(
      loss, ops, parameter, element, [&](int op, std::int64_t e) { return runs.moves(op, e); }, scope);
  const double value = detail::number_at(parameter, element);
  Explanation x{graph,
                ops,
                parameter,
                element,
                name_of(parameter, options),
                graph.largest(options.max_paths),
                detail::number_at(loss, 0),
                detail::number_at(gradient, element),
                measured,
                runs.step_at(value),
                {},
                {},
                {}};
  measure(x, runs);
  if (trace.ops().size() <= most_drawn_nodes) x.picture = to_svg(loss, {.names = options.names, .trace = &trace});
  return detail::page_of(x);
}

}  // namespace xgrad
