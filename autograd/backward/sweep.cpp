#include <algorithm>
#include <autograd/backward/sweep.hpp>
#include <autograd/core/capturing.hpp>
#include <autograd/core/row_gradient.hpp>
#include <autograd/hooks.hpp>
#include <autograd/observer.hpp>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>
#include <autograd/support/system.hpp>

// The reverse sweep over a graph, and how several threads' sweeps meet.
namespace xgrad {

namespace {

bool older(const Node* a, const Node* b) { return a->id < b->id; }

[[noreturn]] void fail_gone(const Node& node) {
  detail::fail<GraphError>(
      "second pass through the graph at ", node.name,
      ", whose saved values are gone; pass {.retain_graph = true} to the first one, or compute the output again");
}

[[noreturn]] void fail_met(const Node& node) {
  detail::fail<GraphError>("another pass is at ", node.name, " in this moment; pass {.retain_graph = true} to both");
}

/// How many bytes of the thread's stack are left.
std::size_t stack_left() {
  static thread_local const std::uintptr_t lowest = system::stack_begin();
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - lowest;
}

// For a pass within another, its hooks and kernels included.
constexpr std::size_t needed_stack = 96 << 10;

bool fits(const Tensor& h, const Node& input) { return input.has_shape(h.shape()) && h.dtype() == input.dtype; }

/// Sums what a rule returned to the shape of its input, unless there is another reason why it does not fit.
[[gnu::noinline]] void make_fit(Tensor& h, const Edge& edge) {
  const Node& input = *edge.input;
  if (edge.sum_to_input && !input.has_shape(h.shape())) h = sum_to(h, input.shape());
  if (!fits(h, input))
    detail::fail<GraphError>("its vjp returned an invalid gradient for input ", edge.argument, ": got ",
                             name_of(h.dtype()), " ", h.shape(), ", expected ", name_of(input.dtype), " ",
                             input.shape());
}

Tensor run_rule(Node& node, const Edge& edge, const Tensor& g, const Tensor& y) {
  Tensor h = edge.rule->call(node.closure_of(edge), g, y);
  if (h.defined() && !fits(h, *edge.input)) [[unlikely]]
    make_fit(h, edge);
  return h;
}

/// run_rule, reported to the observers.
[[gnu::noinline]] Tensor run_observed(Node& node, const Edge& edge, const Tensor& g, const Tensor& y) {
  Observing::tell([&](Observer& o) { o.vjp_starts(node, edge, g); });
  Tensor result;
  const auto tell_end = [&] {
    const Tensor before = detail::as_dense(result);
    Tensor told = before;
    Observing::tell([&](Observer& o) { o.vjp_ends(node, edge, told); });
    if (!told.same(before)) result = std::move(told);
  };
  try {
    result = run_rule(node, edge, g, y);
  } catch (...) {
    tell_end();
    throw;
  }
  tell_end();
  return result;
}

/// apply_rule, inlined: a pass does nothing more often.
[[gnu::always_inline]] inline Tensor apply(Node& node, const Edge& edge, const Tensor& g, const Tensor& y) {
  const DetachedScope detached;
  const OpScope scope(node.name, node.place());
  const detail::Differentiating differentiating(&node);
  if (Observing::active()) [[unlikely]]
    return run_observed(node, edge, g, y);
  return run_rule(node, edge, g, y);
}

}  // namespace

Tensor apply_rule(Node& node, const Edge& edge, const Tensor& g, const Tensor& y) {
  return detail::as_dense(apply(node, edge, g, y));
}

/// A pass at a node. Leaves it as it was, unless the rules were taken.
class Sweep::Visit {
 public:
  Visit(const Sweep& sweep, Node& node) : node_(node), owner_(sweep.owns(node)) {}
  ~Visit() {
    for (std::uint32_t i = 0; i < node_.edge_count; ++i) {
      Edge& edge = node_.edges()[i];
      if (!edge.lent) continue;  // nor is anything written that other passes, which retain the graph too, may read
      Ref<Node>(edge.input).release();
      edge.lent = false;
    }
    if (owner_) [[likely]] {
      node_.owner.store(after_, std::memory_order_release);
    } else if (!node_.is_leaf) {
      node_.guests.fetch_sub(1);
    }
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  void take_rules() {
    node_.clear();
    after_ = gone;
  }

 private:
  Node& node_;
  const bool owner_;
  std::uintptr_t after_ = 0;
};

Sweep::~Sweep() {
  for (const auto& [node, g] : elsewhere_)
    if (!node->is_leaf) const_cast<Node*>(node)->guests.fetch_sub(1);
  while (next_ || !heap_.empty()) {
    const Ref<Node> node = pop();
    if (!owns(*node)) continue;
    node->pending = Tensor();
    node->owner.store(0, std::memory_order_release);
  }
}

void Sweep::want(const std::vector<Tensor>& inputs) {
  for (const Tensor& t : inputs) wanted.push_back({t.node().get(), Tensor()});
  const auto before = [](const Wanted& a, const Wanted& b) { return a.node < b.node; };
  const auto same = [](const Wanted& a, const Wanted& b) { return a.node == b.node; };
  std::sort(wanted.begin(), wanted.end(), before);
  wanted.erase(std::unique(wanted.begin(), wanted.end(), same), wanted.end());
  oldest_wanted_ = wanted[0].node->id;
  for (const Wanted& w : wanted) oldest_wanted_ = std::min(oldest_wanted_, w.node->id);
}

Sweep::Wanted* Sweep::find(const Node* node) {
  const auto it =
      std::lower_bound(wanted.begin(), wanted.end(), node, [](const Wanted& w, const Node* n) { return w.node < n; });
  return it != wanted.end() && it->node == node ? &*it : nullptr;
}

bool Sweep::needs(const Node& node) {
  if (wanted.empty()) [[likely]]
    return true;
  return node.id >= oldest_wanted_ && (!node.is_leaf || find(&node));
}

void Sweep::push_beside_others(Node* node) {
  const bool newest = next_ ? older(next_, node) : !older(node, heap_.front());
  if (newest) std::swap(next_, node);
  if (!node) return;
  heap_.push_back(node);
  std::push_heap(heap_.begin(), heap_.end(), older);
}

Node* Sweep::pop_from_heap() {
  std::pop_heap(heap_.begin(), heap_.end(), older);
  Node* const node = heap_.back();
  heap_.pop_back();
  return node;
}

Tensor* Sweep::waiting_elsewhere(const Node& node) {
  const auto it = elsewhere_.find(&node);
  return it == elsewhere_.end() ? nullptr : &it->second;
}

/// Claims a node for this pass and stores its first gradient.
void Sweep::reserve(Node& node, Tensor&& g) {
  std::uintptr_t found = 0;
  if (node.owner.compare_exchange_strong(found, claim(node))) {
    if ((claim(node) & alone) && node.guests.load() > 0) {
      node.owner.store(0);
      fail_met(node);
    }
    node.pending = std::move(g);
    return;
  }
  if (!node.is_leaf) {
    if (found == gone) fail_gone(node);
    if (!retain_graph || (found & alone)) fail_met(node);
    // Increment `guests`, then read `owner`; a pass that wants the node to itself does the reverse, so one of the two
    // sees the other.
    node.guests.fetch_add(1);
    found = node.owner.load();
    if (found & alone) {
      node.guests.fetch_sub(1);
      found == gone ? fail_gone(node) : fail_met(node);
    }
  }
  elsewhere_[&node] = std::move(g);
}

void Sweep::start(const Ref<Node>& root, Tensor&& g) {
  if (Tensor* const sum = waiting(*root)) {
    add(*sum, std::move(g));
    return;
  }
  push(root.get());
  Ref<Node>(root).release();
  reserve(*root, std::move(g));
}

// Inlined, as apply is.
[[gnu::always_inline]] inline void Sweep::contribute(Edge& edge, Tensor&& g) {
  Node& node = *edge.input;
  if (node.is_leaf && !node.extras && wanted.empty()) return collect(edge, std::move(g));
  if (Tensor* const sum = waiting(node)) {
    add(*sum, std::move(g));
    return;
  }
  push(&node);
  if (retain_graph) {
    Ref<Node>(edge.input).release();
  } else {
    edge.lent = true;
    // Sole reference from a node that we own: claim it without a compare-and-swap.
    if (edge.input.unique() && node.owner.load(std::memory_order_relaxed) == 0) {
      node.owner.store(claim(node), std::memory_order_relaxed);
      node.pending = std::move(g);
      return;
    }
  }
  reserve(node, std::move(g));
}

/// Adds a gradient to its leaf's entry. Where two passes meet, one may list a leaf twice; harmless.
void Sweep::collect(Edge& edge, Tensor&& g) {
  std::atomic<int>& place = edge.input->among_leaves();
  const auto guess = static_cast<std::size_t>(place.load(std::memory_order_relaxed));
  if (guess < leaves.size() && leaves[guess].node == edge.input) return add(leaves[guess].g, std::move(g));
  if (leaves.empty()) leaves.reserve(16);
  place.store(static_cast<int>(leaves.size()), std::memory_order_relaxed);
  // Other passes that retain the graph may be at this edge too, and read it.
  if (!retain_graph) edge.lent = true;
  leaves.push_back({retain_graph ? edge.input : Ref<Node>::adopt(edge.input.get()), std::move(g)});
}

Tensor Sweep::take_elsewhere(const Node& node) {
  const auto it = elsewhere_.find(&node);
  Tensor g = std::move(it->second);
  elsewhere_.erase(it);
  return g;
}

void add_in_place(const Tensor& to, const Tensor& g) {
  if (to.size() == 0) return;
  capturing::keep(to);
  capturing::keep(g);
  const auto loop = kernels::Loop<2>::row(to.size(), 1, 1);
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
  if (!sum.array().data() || !g.array().data()) [[unlikely]] {
    sum = detail::added(sum, g);
    return;
  }
  if (!create_graph && (sum.unique() || g.unique())) {
    if (!sum.unique()) std::swap(sum, g);
    add_in_place(sum, g);
    return;
  }
  sum = sum + g;
}

Tensor Sweep::visit_extras(Node& node, Tensor&& g) {
  const bool of_rows = detail::RowGradient::of(g);
  const Tensor seen = of_rows && !node.extras->hooks->hooks().empty() ? detail::as_dense(g) : g;
  Tensor result = node.extras->run(node, seen, create_graph);
  if (of_rows && result.same(seen)) result = std::move(g);  // no hook replaced it
  if (node.is_leaf) return result;
  if (node.extras->retains_grad && wanted.empty()) leaves.push_back({Ref<Node>(&node), result});
  if (!retain_graph) node.extras->hooks->clear();
  return result;
}

void Sweep::visit(Node& node) {
  Visit visiting(*this, node);
  Tensor g = take(node);
  if (node.extras) [[unlikely]]
    g = visit_extras(node, std::move(g));
  if (!wanted.empty()) [[unlikely]] {
    if (Wanted* const w = find(&node)) {
      w->found = g;
      w->reached = true;
      if (node.id == oldest_wanted_) return;
    }
  }
  if (node.is_leaf) [[unlikely]] {
    if (wanted.empty()) leaves.push_back({Ref<Node>(&node), std::move(g)});
    return;
  }
  Tensor with_history;
  if (create_graph && node.output.defined()) with_history = Tensor(Array(node.output.array()), Ref<Node>(&node));
  const Tensor& y = with_history.defined() ? with_history : node.output;
  Edge* const edges = node.edges();
  for (std::uint32_t i = 0; i < node.edge_count; ++i)
    if (needs(*edges[i].input)) contribute(edges[i], g.defined() ? apply(node, edges[i], g, y) : Tensor());
  if (!retain_graph) [[likely]]
    visiting.take_rules();
}

void Sweep::run() {
  static thread_local constinit int passes = 0;
  struct Within {
    Within() { ++passes; }
    ~Within() { --passes; }
  } within;
  if (passes > 1 && stack_left() < needed_stack)
    detail::fail<GraphError>(passes,
                             " passes within one another leave no room on the stack; let a hook or a rule put off "
                             "what it differentiates until the pass is over");
  const detail::GradMode mode(create_graph);
  const kernels::SubnormalsAreZero scope;
  while (next_ || !heap_.empty()) visit(*pop());
}

}  // namespace xgrad
