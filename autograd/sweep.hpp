#pragma once
#include <autograd/node.hpp>
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
  std::vector<std::pair<Ref<Node>, Tensor>> leaves;  // reached, with what arrived for each
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

/// to += g, into numbers that nobody else can see.
void add_in_place(const Tensor& to, const Tensor& g);

}  // namespace xgrad
