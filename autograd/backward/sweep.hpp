#pragma once
#include <autograd/node.hpp>
#include <unordered_map>
#include <vector>

namespace xgrad {

template <class T>
using PoolVector = std::vector<T, memory::PoolAllocator<T>>;

/// One pass over a graph, newest node first.
///
/// The gradient of a node accumulates in the node itself, which `owner` claims for this pass until it has been visited.
/// A pass that frees the rules as it goes (draining) must have its nodes to itself: any other one that meets them
/// throws. Passes that retain the graph may meet, and so may any at a leaf: a pass that finds another owner is a guest
/// and keeps its sum in `elsewhere`. A leaf without hooks is not visited: its gradient accumulates in `leaves`.
class Sweep {
 public:
  const bool create_graph, retain_graph;

  /// An input of `grad`, and the gradient that has reached it.
  struct Wanted {
    const Node* node;
    Tensor found;
    bool reached = false;
  };
  PoolVector<Wanted> wanted;  // sorted by node; empty in a pass that fills leaves
  struct Leaf {
    Ref<Node> node;
    Tensor g;
  };
  PoolVector<Leaf> leaves;  // those reached, and nodes that retain their gradient; with the gradient of each

  Sweep(bool create, bool retain) : create_graph(create), retain_graph(create || retain) {}
  ~Sweep();
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  void want(const std::vector<Tensor>& inputs);
  Wanted* find(const Node* node);
  /// A cotangent of a root.
  void start(const Ref<Node>& root, Tensor&& g);
  void run();

 private:
  class Visit;

  bool needs(const Node& node);
  /// The gradient accumulated for a node so far, or null if there is none.
  Tensor* waiting(Node& node) {
    if (owns(node)) return &node.pending;
    return elsewhere_.empty() ? nullptr : waiting_elsewhere(node);
  }
  Tensor* waiting_elsewhere(const Node& node);
  void contribute(Edge& edge, Tensor&& g);
  void reserve(Node& node, Tensor&& g);
  Tensor take(Node& node) {
    if (owns(node)) [[likely]]
      return std::move(node.pending);
    return take_elsewhere(node);
  }
  Tensor take_elsewhere(const Node& node);
  void collect(Edge& edge, Tensor&& g);
  void push(Node* node) {
    if (next_ || !heap_.empty()) return push_beside_others(node);
    next_ = node;
  }
  void push_beside_others(Node* node);
  Ref<Node> pop() { return Ref<Node>::adopt(next_ ? std::exchange(next_, nullptr) : pop_from_heap()); }
  Node* pop_from_heap();
  void add(Tensor& sum, Tensor&& g) const;
  void visit(Node& node);
  Tensor visit_extras(Node& node, Tensor&& g);

  // Values of Node::owner: 0 for nobody, `gone` for a node whose rules have been taken, or the address of a pass, with
  // `alone` added where no other may come.
  static constexpr std::uintptr_t gone = 1, alone = 1;
  std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(this); }
  std::uintptr_t claim(const Node& node) const { return address() + (retain_graph || node.is_leaf ? 0 : alone); }
  bool owns(const Node& node) const { return (node.owner.load(std::memory_order_acquire) & ~alone) == address(); }

  std::uint64_t oldest_wanted_ = 0;
  // The nodes to visit, each with a reference: in a chain never more than `next_`, otherwise the newest of them or
  // nothing, and the others as a heap.
  Node* next_ = nullptr;
  PoolVector<Node*> heap_;
  std::unordered_map<const Node*, Tensor, std::hash<const Node*>, std::equal_to<const Node*>,
                     memory::PoolAllocator<std::pair<const Node* const, Tensor>>>
      elsewhere_;
};

/// What the rule of one edge makes of `g`, checked and summed to the input's shape; `y` is the node's output if it was
/// kept.
Tensor apply_rule(Node& node, const Edge& edge, const Tensor& g, const Tensor& y);
/// to += g, into numbers that nobody else can see.
void add_in_place(const Tensor& to, const Tensor& g);

}  // namespace xgrad
