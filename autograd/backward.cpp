#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops.hpp>
#include <autograd/recording.hpp>
#include <autograd/sweep.hpp>
#include <mutex>

namespace xgrad {

namespace {

void start(Sweep& sweep, const OpScope& scope, const Tensor& y, const Tensor& cotangent) {
  if (!y.defined()) scope.fail<ValueError>("the tensor to differentiate is undefined (default-built)");
  if (!y.requires_grad())
    scope.fail<GraphError>("the tensor of shape ", y.shape(),
                           " does not require a gradient and has no graph; mark a leaf with .requires_grad = true and "
                           "compute outside NoGrad");
  if (!cotangent.defined()) {
    if (y.size() != 1)
      scope.fail<GraphError>("a cotangent is implicitly created only for scalar outputs, and this one is ", y.shape(),
                             "; reduce it with sum or mean, or pass a cotangent");
    sweep.contribute(y.node(), ones(y.shape(), {.dtype = y.dtype()}));
    return;
  }
  if (cotangent.shape() != y.shape())
    scope.fail<ShapeError>("the cotangent is ", cotangent.shape(), ", the output is ", y.shape(),
                           "; they must be equal");
  if (cotangent.dtype() != y.dtype())
    scope.fail<DtypeError>("the cotangent is ", name_of(cotangent.dtype()), ", the output is ", name_of(y.dtype()),
                           "; convert it with .to(...)");
  Tensor g = sweep.create_graph ? cotangent : cotangent.detach();
  // Numbers of its own if it was overwritten since y was recorded: to the rules that would look like a stale value.
  if (cotangent.array().storage()->written.load(std::memory_order_relaxed) > 0) g = g.clone();
  sweep.contribute(y.node(), std::move(g));
}

std::mutex& leaf_mutex() {
  static std::mutex m;
  return m;
}

/// leaf.grad += g. Without a graph the leaf gets numbers of its own, which the next pass may add to in place.
void deposit(Node& leaf, Tensor&& g, const Sweep& sweep) {
  // Whoever else holds one in a recording's memory knows that replays change it.
  const bool alone = leaf.grad.unique() || (leaf.grad.defined() && leaf.grad.array().storage()->arena);
  recording::reads_grad(leaf);
  if (!g.defined()) {
    if (!leaf.grad.defined()) recording::set_grad(leaf, zeros(leaf.shape, {.dtype = leaf.dtype}));
    return;
  }
  if (leaf.grad.defined()) {
    if (!sweep.create_graph && alone && !leaf.grad.requires_grad()) {
      add_in_place(leaf.grad, g);
    } else {
      recording::set_grad(leaf, leaf.grad + g);
    }
  } else {
    recording::set_grad(leaf, g.unique() ? std::move(g) : g.clone());
  }
}

/// The result of grad with create_graph: also linked to every input by a zero, so that differentiating the gradient of
/// a linear function gives zero instead of an unconnected graph.
Tensor linked(const Tensor& result, const std::vector<const Node*>& inputs, Place place) {
  Ref<Node> node = Node::make("gradient", place, result.array(), static_cast<int>(inputs.size()) + 1);
  const auto link = [&](const Ref<Node>& to, auto rule) {
    Edge& edge = node->edges()[node->edge_count];
    edge.input = to;
    edge.argument = node->edge_count++;
    edge.rule.set(rule);
  };
  if (result.requires_grad()) link(result.node(), [](const Tensor& g) { return g; });
  for (const Node* input : inputs) link(Ref<Node>(const_cast<Node*>(input)), [](const Tensor&) { return Tensor(); });
  return Tensor(result.array(), std::move(node));
}

}  // namespace

void backward(const std::vector<Tensor>& roots, const std::vector<Tensor>& cotangents, BackwardOptions options,
              Place place) {
  const OpScope scope("backward", place);
  if (!cotangents.empty() && cotangents.size() != roots.size())
    scope.fail<ValueError>(cotangents.size(), " cotangents for ", roots.size(), " roots; give one each, or none");
  Sweep sweep(options.create_graph, options.retain_graph);
  for (std::size_t i = 0; i < roots.size(); ++i)
    start(sweep, scope, roots[i], cotangents.empty() ? Tensor() : cotangents[i]);
  sweep.run();
  const detail::GradMode mode(options.create_graph);
  const std::lock_guard lock(leaf_mutex());
  for (auto& [leaf, g] : sweep.leaves) deposit(*leaf, std::move(g), sweep);
}

std::vector<Tensor> grad(const Tensor& y, const std::vector<Tensor>& inputs, const Tensor& cotangent,
                         GradOptions options, Place place) {
  const OpScope scope("grad", place);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad())
      scope.fail<GraphError>("input ", i,
                             " does not require a gradient; mark it with .requires_grad = true before computing");
  }
  if (inputs.empty()) return {};
  Sweep sweep(options.create_graph, options.retain_graph);
  sweep.want(inputs);
  start(sweep, scope, y, cotangent);
  sweep.run();
  std::vector<Tensor> results;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto at = static_cast<std::size_t>(
        std::lower_bound(sweep.wanted.begin(), sweep.wanted.end(), inputs[i].node().get()) - sweep.wanted.begin());
    if (!sweep.reached[at]) {
      if (!options.allow_unused && !options.zeros_if_unused)
        scope.fail<GraphError>("the output does not depend on input ", i, " of shape ", inputs[i].shape(),
                               "; pass {.allow_unused = true} if that is meant");
      results.push_back(options.zeros_if_unused ? zeros(inputs[i].shape(), {.dtype = inputs[i].dtype()}) : Tensor());
      continue;
    }
    Tensor result = sweep.found[at];
    if (!result.defined()) result = zeros(inputs[i].shape(), {.dtype = inputs[i].dtype()});
    results.push_back(options.create_graph && grad_enabled() ? linked(result, sweep.wanted, place) : result);
  }
  return results;
}

std::vector<Tensor> grad(const Tensor& y, const std::vector<Tensor>& inputs, GradOptions options, Place place) {
  return grad(y, inputs, Tensor(), options, place);
}

void Tensor::backward(BackwardOptions options, Place place) const { xgrad::backward({*this}, {}, options, place); }

void Tensor::backward(const Tensor& cotangent, BackwardOptions options, Place place) const {
  xgrad::backward({*this}, {cotangent}, options, place);
}

}  // namespace xgrad
