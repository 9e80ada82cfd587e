#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/backward/sweep.hpp>
#include <autograd/core/capturing.hpp>
#include <autograd/core/row_gradient.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/observer.hpp>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>
#include <autograd/support/process_locks.hpp>

// The entry points of reverse mode: backward collects in leaves, grad hands gradients out.
namespace xgrad {

namespace {

void start(Sweep& sweep, const OpScope& scope, const Tensor& y, const Tensor& cotangent) {
  if (!y.defined()) scope.fail<ValueError>("the tensor to differentiate is undefined (default-built)");
  if (!y.requires_grad())
    scope.fail<GraphError>(
        "the tensor of shape ", y.shape(),
        " does not require a gradient and has no graph; mark a leaf with .requires_grad = true and "
        "compute ",
        grad_enabled() ? "outside NoGrad" : "under an EnableGrad, as this is in a hook, a rule or NoGrad");
  if (!cotangent.defined()) {
    if (y.size() != 1)
      scope.fail<GraphError>("a cotangent is implicitly created only for scalar outputs, and this one is ", y.shape(),
                             "; reduce it with sum or mean, or pass a cotangent");
    sweep.start(y.node(), ones(y.shape(), {.dtype = y.dtype()}));
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
  if (cotangent.array().written() > 0) g = g.clone();
  sweep.start(y.node(), std::move(g));
}

std::mutex& leaf_mutex() { return detail::process_lock(detail::ProcessLock::leaves); }

/// node.gradient() += g, where there is a gradient already.
[[gnu::noinline]] void add_to_gradient(Node& node, const Tensor& g, const Sweep& sweep) {
  capturing::reads_grad(node);
  if (!g.defined()) return;
  const Tensor& grad = node.gradient();
  if (detail::RowGradient::of(grad) || detail::RowGradient::of(g)) return node.set_gradient(detail::added(grad, g));
  // A gradient in a captured step's memory changes with each replay anyway, whoever else holds it.
  const bool alone = grad.unique() || grad.array().storage()->owner;
  if (!sweep.create_graph && alone && !grad.requires_grad()) {
    add_in_place(grad, g);
  } else {
    node.set_gradient(grad + g);
  }
}

/// Makes g fit to be the first gradient of the node: numbers of its own, which the next pass may add to in place.
[[gnu::noinline]] void own(Node& node, Tensor& g) {
  if (node.gradient().defined() || detail::RowGradient::of(g)) return;
  if (!g.defined()) g = zeros(node.shape(), {.dtype = node.dtype});
  if (!g.unique()) g = g.clone();
}

/// node.gradient() += g.
void deposit(Node& node, Tensor&& g, const Sweep& sweep) {
  if (node.gradient().defined()) return add_to_gradient(node, g, sweep);
  if (node.is_leaf) capturing::reads_grad(node);  // a result that has none yet is new in each run
  node.set_gradient(std::move(g));
}

/// The result of grad with create_graph: also linked to every input by a zero, so that differentiating the gradient of
/// a linear function gives zero instead of an unconnected graph.
Tensor linked(const Tensor& result, const PoolVector<Sweep::Wanted>& inputs, Place place) {
  NodeMaker maker("gradient", place, result.array(), inputs.size() + 1, 0);
  int argument = 0;
  if (result.requires_grad()) maker.connect(result.node(), argument++, false, [](const Tensor& g) { return g; });
  for (const Sweep::Wanted& w : inputs)
    maker.connect(Ref<Node>(const_cast<Node*>(w.node)), argument++, false, zero_rule);
  return maker.finish(Array(result.array()));
}

/// The cotangents are null where there are none.
void sweep_from(const Tensor* roots, std::size_t count, const Tensor* cotangents, BackwardOptions options,
                const OpScope& scope, Place place) {
  const PhaseScope phase(Phase::backward, "backward", place);
  Sweep sweep(options.create_graph, options.retain_graph);
  for (std::size_t i = 0; i < count; ++i) start(sweep, scope, roots[i], cotangents ? cotangents[i] : Tensor());
  sweep.run();
  const detail::GradMode mode(options.create_graph);
  const std::lock_guard lock(leaf_mutex());
  for (auto& [leaf, g] : sweep.leaves)  // before the first is changed, since it takes memory
    if (!g.unique()) [[unlikely]]
      own(*leaf, g);
  for (auto& [leaf, g] : sweep.leaves) deposit(*leaf, std::move(g), sweep);
}

void check_cotangents(const OpScope& scope, std::size_t roots, std::size_t cotangents) {
  if (cotangents != 0 && cotangents != roots)
    scope.fail<ValueError>(cotangents, " cotangents for ", roots, " roots; give one each, or none");
}

/// The cotangents are null where there are none.
std::vector<Tensor> grad_of(const Tensor* roots, std::size_t count, const Tensor* cotangents,
                            const std::vector<Tensor>& inputs, GradOptions options, const OpScope& scope, Place place) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad())
      scope.fail<GraphError>("input ", i,
                             " does not require a gradient; mark it with .requires_grad = true before computing");
  }
  if (inputs.empty()) return {};
  const PhaseScope phase(Phase::backward, "grad", place);
  Sweep sweep(options.create_graph, options.retain_graph);
  sweep.want(inputs);
  for (std::size_t i = 0; i < count; ++i) start(sweep, scope, roots[i], cotangents ? cotangents[i] : Tensor());
  sweep.run();
  std::vector<Tensor> results;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Sweep::Wanted& w = *sweep.find(inputs[i].node().get());
    if (!w.reached && !options.allow_unused && !options.zeros_if_unused)
      scope.fail<GraphError>("the output does not depend on input ", i, " of shape ", inputs[i].shape(),
                             "; pass {.allow_unused = true} if that is meant");
    if (!w.found.defined() && (w.reached || options.zeros_if_unused))
      w.found = zeros(inputs[i].shape(), {.dtype = inputs[i].dtype()});
    w.found = detail::as_dense(w.found);
    const bool link = w.reached && options.create_graph && grad_enabled();
    results.push_back(link ? linked(w.found, sweep.wanted, place) : w.found);
  }
  return results;
}

}  // namespace

void backward(const std::vector<Tensor>& roots, const std::vector<Tensor>& cotangents, BackwardOptions options,
              Place place) {
  const OpScope scope("backward", place);
  check_cotangents(scope, roots.size(), cotangents.size());
  sweep_from(roots.data(), roots.size(), cotangents.empty() ? nullptr : cotangents.data(), options, scope, place);
}

std::vector<Tensor> grad(const std::vector<Tensor>& ys, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& cotangents, GradOptions options, Place place) {
  const OpScope scope("grad", place);
  check_cotangents(scope, ys.size(), cotangents.size());
  return grad_of(ys.data(), ys.size(), cotangents.empty() ? nullptr : cotangents.data(), inputs, options, scope, place);
}

std::vector<Tensor> grad(const Tensor& y, const std::vector<Tensor>& inputs, const Tensor& cotangent,
                         GradOptions options, Place place) {
  const OpScope scope("grad", place);
  return grad_of(&y, 1, &cotangent, inputs, options, scope, place);
}

std::vector<Tensor> grad(const Tensor& y, const std::vector<Tensor>& inputs, GradOptions options, Place place) {
  return grad(y, inputs, Tensor(), options, place);
}

void Tensor::backward(BackwardOptions options, Place place) const {
  const OpScope scope("backward", place);
  sweep_from(this, 1, nullptr, options, scope, place);
}

void Tensor::backward(const Tensor& cotangent, BackwardOptions options, Place place) const {
  const OpScope scope("backward", place);
  sweep_from(this, 1, &cotangent, options, scope, place);
}

}  // namespace xgrad
