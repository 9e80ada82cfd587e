#include <algorithm>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>
#include <autograd/recording.hpp>
#include <autograd/sweep.hpp>

namespace xgrad {

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

void add_in_place(const Tensor& to, const Tensor& g) {
  if (to.size() == 0) return;
  recording::keep(to);
  recording::keep(g);
  const kernels::Loop<2> loop{1, {to.size()}, {{1}, {1}}};
  void* const numbers = to.array().data();
  kernels::table().binary[int(kernels::Binary::add)][int(to.dtype())](numbers, g.array().data(), numbers, loop);
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
    add_in_place(sum, g);
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

}  // namespace xgrad
