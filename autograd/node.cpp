#include <autograd/node.hpp>

namespace xgrad {
namespace {

// Nodes whose last reference went while another node was being freed.
thread_local constinit Node* waiting = nullptr;
thread_local constinit bool digging = false;

// A dead node's own memory holds the list: its `output_data` field is free to serve as the link.
void set_link(Node* n, Node* next) { n->output_data = reinterpret_cast<std::byte*>(next); }
Node* link(const Node* n) { return reinterpret_cast<Node*>(n->output_data); }

std::size_t bytes_of(int edges) { return sizeof(Node) + static_cast<std::size_t>(edges) * sizeof(Edge); }

}  // namespace

Node::Node(const char* name_, Place place_, const Array& output_, int edges_)
    : edge_count(0),
      edge_capacity(edges_),
      id(tick()),
      name(name_),
      place(place_),
      dtype(output_.dtype()),
      shape(output_.shape()) {
  static_assert(alignof(Edge) <= alignof(Node));
  for (int i = 0; i < edge_capacity; ++i) new (edges() + i) Edge;
}

Ref<Node> Node::make(const char* name, Place place, const Array& output, int edge_capacity) {
  void* const block = memory::detail::allocate(bytes_of(edge_capacity));
  memory::detail::count_nodes(1);
  return Ref<Node>::adopt(new (block) Node(name, place, output, edge_capacity));
}

Ref<Node> Node::make_leaf(const Array& array) {
  Ref<Node> leaf = make("leaf", {}, array, 0);
  leaf->is_leaf = true;
  return leaf;
}

Tensor Node::output_tensor() {
  if (!output) return {};
  return Tensor(Array(dtype, shape, output, output_data), Ref<Node>(this));
}

void Node::clear() noexcept {
  for (int i = 0; i < edge_count; ++i) {
    edges()[i].rule.reset();
    edges()[i].input.reset();
  }
  output.reset();
  source = Tensor();
}

void Node::destroy_one(Node* n) noexcept {
  const int count = n->edge_capacity;
  for (int i = 0; i < count; ++i) n->edges()[i].~Edge();
  n->~Node();
  memory::detail::count_nodes(-1);
  memory::detail::release(n, bytes_of(count));
}

void Node::destroy(Node* n) noexcept {
  if (digging) {
    n->output.reset();
    set_link(n, waiting);
    waiting = n;
    return;
  }
  digging = true;
  destroy_one(n);
  while (Node* const next = waiting) {
    waiting = link(next);
    destroy_one(next);
  }
  digging = false;
}

}  // namespace xgrad
