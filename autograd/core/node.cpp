#include <algorithm>
#include <autograd/node.hpp>

// Making nodes and, without recursion, freeing graphs.
namespace xgrad {
namespace {

// Nodes whose last reference went while another node was being freed.
thread_local constinit Node* waiting = nullptr;
thread_local constinit bool digging = false;

// The number of the thread's newest node. An op's node comes after it and after its inputs, which other threads may
// have made; so the threads need no common count.
thread_local constinit std::uint64_t newest = 0;

// A dead node's own memory holds the list: its number is free to serve as the link.
void set_link(Node* n, Node* next) { n->id = reinterpret_cast<std::uintptr_t>(next); }
Node* link(const Node* n) { return reinterpret_cast<Node*>(n->id); }

void destroy_one(Node* n) noexcept {
  if (n->edge_count > 0) n->clear();  // unless a pass has done so
  if (n->extras) [[unlikely]]
    detail::destroy(n->extras);
  const std::size_t bytes = n->bytes;
  n->~Node();
  memory::detail::count_nodes(-1);
  memory::detail::release(n, bytes);
}

}  // namespace

thread_local constinit const Node* detail::Differentiating::node_ = nullptr;

Node::Node(const char* name_, Place place, const Array& output_, std::size_t bytes_)
    : bytes(static_cast<std::uint32_t>(bytes_)),
      id(newest + 1),
      recorded(now()),
      name(name_),
      file(place.file),
      line(place.line),
      dtype(output_.dtype()),
      ndim(static_cast<std::uint8_t>(output_.ndim())) {
  output_.shape().copy_to(reinterpret_cast<std::int64_t*>(this + 1));
}

Node* Node::make(const char* name, Place place, const Array& output, std::size_t edges, std::size_t closures) {
  static_assert(alignof(Edge) <= 8 && sizeof(Node) % 8 == 0);
  const std::size_t bytes = bytes_of(output.ndim(), edges) + closures;
  void* const block = memory::detail::allocate(bytes);
  memory::detail::count_nodes(1);
  return new (block) Node(name, place, output, bytes);
}

Ref<Node> Node::make_leaf(const Array& array) {
  Node* const leaf = make("leaf", {}, array, 0, 0);
  leaf->is_leaf = true;
  newest = leaf->id;
  return Ref<Node>::adopt(leaf);
}

void Node::clear() noexcept {
  for (Edge *edge = edges(), *const end = edge + std::exchange(edge_count, 0); edge != end; ++edge) {
    if (const auto destroy = edge->rule->destroy) destroy(closure_of(*edge));
    if (edge->lent) edge->input.release();
    edge->~Edge();
  }
  output = Tensor();
  source() = Tensor();
}

void Node::destroy(Node* n) noexcept {
  if (digging) {
    n->output = Tensor();
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

Tensor NodeMaker::finish(Array&& result) {
  if (!is_floating(result.dtype())) return Tensor(std::move(result));
  newest = node_->id;
  if (keeps_output_) node_->output = Tensor(result);
  return Tensor(std::move(result), std::move(node_));
}

}  // namespace xgrad
