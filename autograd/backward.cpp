#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>
#include <mutex>
#include <unordered_map>

namespace xgrad {

/// One pass over a graph, newest node first. What arrives for a node waits in the node itself while this pass owns it,
/// or, when a pass of another thread (or one nested in a rule) has it, in `elsewhere`.
struct Sweep {
  const bool create_graph, retain_graph;
  std::vector<const Node*> wanted;  // sorted; empty in a pass that fills leaves
  std::vector<Tensor> found;        // for each wanted node what arrived
  std::vector<bool> reached;
  std::uint64_t oldest_wanted = 0;
  std::vector<std::pair<Ref<Node>, Tensor>> leaves;
  std::vector<Ref<Node>> heap;
  std::unordered_map<const Node*, Tensor> elsewhere;

  Sweep(bool create, bool retain) : create_graph(create), retain_graph(create || retain) {}
  ~Sweep() {
    for (const Ref<Node>& node : heap) {
      if (node->owner.load(std::memory_order_acquire) == this) take(*node);
    }
  }
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  void want(const std::vector<Tensor>& inputs);
  void contribute(const Ref<Node>& node, Tensor g);
  void run();

 private:
  static bool older(const Ref<Node>& a, const Ref<Node>& b) { return a->id < b->id; }
  bool needs(const Node& node) const {
    if (wanted.empty()) return true;
    return node.id >= oldest_wanted && (!node.is_leaf || std::binary_search(wanted.begin(), wanted.end(), &node));
  }
  Tensor* waiting(Node& node);
  Tensor take(Node& node);
  void add(Tensor& sum, Tensor&& g) const;
  void visit(Node& node, Tensor g);
  Tensor apply(const Node& node, Edge& edge, const Tensor& g, const Tensor& y) const;
};

namespace {

/// A pass at a node. Passes that retain the graph may meet there; one that takes the rules must be alone.
class Visit {
 public:
  Visit(Node& node, bool retain) : node_(node), retain_(retain) {
    int at = 0;
    if (retain) {
      at = node.passes.load(std::memory_order_acquire);
      while (at != Node::taken && !node.passes.compare_exchange_weak(at, at + 1, std::memory_order_acq_rel)) {
      }
      if (at != Node::taken) return;
    } else if (node.passes.compare_exchange_strong(at, Node::taken, std::memory_order_acq_rel)) {
      return;
    }
    throw GraphError(
        OpScope::prefix() +
        (at == Node::taken
             ? text("second pass through the graph at ", node.name,
                    ", whose saved values are gone; pass {.retain_graph = true} to the first one")
             : text("another pass is at ", node.name, " in this moment; pass {.retain_graph = true} to both")));
  }
  ~Visit() {
    if (retain_) {
      node_.passes.fetch_sub(1, std::memory_order_acq_rel);
    } else if (!done_) {
      node_.passes.store(0, std::memory_order_release);
    }
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  void take_rules() {
    done_ = true;
    node_.clear();
  }

 private:
  Node& node_;
  const bool retain_;
  bool done_ = false;
};

}  // namespace

void Sweep::want(const std::vector<Tensor>& inputs) {
  for (const Tensor& t : inputs) wanted.push_back(t.node().get());
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  found.resize(wanted.size());
  reached.resize(wanted.size());
  oldest_wanted =
      (*std::min_element(wanted.begin(), wanted.end(), [](const Node* a, const Node* b) { return a->id < b->id; }))->id;
}

/// What has arrived for a node so far, or null if this is the first time.
Tensor* Sweep::waiting(Node& node) {
  if (!elsewhere.empty()) {
    if (const auto it = elsewhere.find(&node); it != elsewhere.end()) return &it->second;
  }
  return node.owner.load(std::memory_order_acquire) == this ? &node.pending : nullptr;
}

void Sweep::contribute(const Ref<Node>& node, Tensor g) {
  if (Tensor* const sum = waiting(*node)) {
    add(*sum, std::move(g));
    return;
  }
  heap.push_back(node);
  std::push_heap(heap.begin(), heap.end(), older);
  const Sweep* nobody = nullptr;
  if (node->owner.compare_exchange_strong(nobody, this, std::memory_order_acq_rel)) {
    node->pending = std::move(g);
  } else {
    elsewhere[node.get()] = std::move(g);
  }
}

Tensor Sweep::take(Node& node) {
  if (!elsewhere.empty()) {
    if (const auto it = elsewhere.find(&node); it != elsewhere.end()) {
      Tensor g = std::move(it->second);
      elsewhere.erase(it);
      return g;
    }
  }
  Tensor g = std::move(node.pending);
  node.pending = Tensor();
  node.owner.store(nullptr, std::memory_order_release);
  return g;
}

/// sum += g, in place where nobody else can see the numbers. An undefined tensor is zero.
void Sweep::add(Tensor& sum, Tensor&& g) const {
  if (!g.defined()) return;
  if (!sum.defined()) {
    sum = std::move(g);
    return;
  }
  if (!create_graph && (sum.unique() || g.unique())) {
    if (!sum.unique()) std::swap(sum, g);
    kernels::Loop<2> loop{1, {sum.size()}, {{1}, {1}}};
    const auto kernel = kernels::table().binary[int(kernels::Binary::add)][int(sum.dtype())];
    void* const to = sum.array().data();
    if (sum.size() > 0) kernel(to, g.array().data(), to, loop);
    return;
  }
  sum = sum + g;
}

Tensor Sweep::apply(const Node& node, Edge& edge, const Tensor& g, const Tensor& y) const {
  const OpScope scope(node.name, node.place);
  Tensor h = edge.rule(g, y);
  if (!h.defined()) return h;
  const Node& input = *edge.input;
  if (edge.sum_to_input && h.shape() != input.shape) h = sum_to(h, input.shape);
  if (h.shape() != input.shape || h.dtype() != input.dtype)
    scope.fail<GraphError>("its vjp returned an invalid gradient for input ", edge.argument, ": got ",
                           name_of(h.dtype()), " ", h.shape(), ", expected ", name_of(input.dtype), " ", input.shape);
  return h;
}

void Sweep::visit(Node& node, Tensor g) {
  if (!wanted.empty()) {
    const auto it = std::lower_bound(wanted.begin(), wanted.end(), &node);
    if (it != wanted.end() && *it == &node) {
      const auto i = static_cast<std::size_t>(it - wanted.begin());
      found[i] = g;
      reached[i] = true;
      if (node.id == oldest_wanted) return;
    }
  }
  if (node.is_leaf) {
    if (wanted.empty()) leaves.emplace_back(Ref<Node>(&node), std::move(g));
    return;
  }
  Visit visiting(node, retain_graph);
  const DetachedScope detached;
  const detail::Differentiating differentiating(&node);
  Tensor y = node.output_tensor();
  if (!create_graph) y = y.detach();
  for (int i = 0; i < node.edge_count; ++i) {
    Edge& edge = node.edges()[i];
    if (needs(*edge.input)) contribute(edge.input, g.defined() ? apply(node, edge, g, y) : Tensor());
  }
  if (!retain_graph) visiting.take_rules();
}

void Sweep::run() {
  const detail::GradMode mode(create_graph);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), older);
    const Ref<Node> node = std::move(heap.back());
    heap.pop_back();
    visit(*node, take(*node));
  }
}

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
  if (!g.defined()) {
    if (!leaf.grad.defined()) leaf.grad = zeros(leaf.shape, {.dtype = leaf.dtype});
    return;
  }
  if (leaf.grad.defined()) {
    if (!sweep.create_graph && leaf.grad.unique() && !leaf.grad.requires_grad()) {
      kernels::Loop<2> loop{1, {g.size()}, {{1}, {1}}};
      void* const to = leaf.grad.array().data();
      if (g.size() > 0)
        kernels::table().binary[int(kernels::Binary::add)][int(g.dtype())](to, g.array().data(), to, loop);
    } else {
      leaf.grad = leaf.grad + g;
    }
  } else {
    leaf.grad = g.unique() ? std::move(g) : g.clone();
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
