#pragma once
#include <autograd/core/capturing.hpp>
#include <autograd/tensor.hpp>
#include <new>

#pragma GCC visibility push(default)

namespace xgrad {

namespace detail {
struct NodeExtras;  // autograd/hooks.hpp
void destroy(const NodeExtras* extras) noexcept;
}  // namespace detail

/// What the engine has to know of a vjp's closure type. A vjp is called with the cotangent of the output and, if it
/// asks for it, the output itself.
struct Rule {
  Tensor (*call)(void* closure, const Tensor& g, const Tensor& y);
  void (*destroy)(void* closure) noexcept;  // null if there is nothing to do
  bool wants_output;

  /// The room that a closure takes in its node: none if it captured nothing.
  template <class F>
  static constexpr std::size_t bytes = std::is_empty_v<F> ? 0 : sizeof(F) + alignof(F);
  template <class F>
  static const Rule of;

 private:
  template <class F>
  static constexpr bool asks_for_output = std::is_invocable_v<F&, const Tensor&, const Tensor&>;
  template <class F>
  static Tensor call_with(void* closure, const Tensor& g, const Tensor& y) {
    F& f = *static_cast<F*>(closure);
    if constexpr (asks_for_output<F>) {
      return f(g, y);
    } else {
      return f(g);
    }
  }
  template <class F>
  static void destroy_closure(void* closure) noexcept {
    static_cast<F*>(closure)->~F();
  }
};
template <class F>
inline constexpr Rule Rule::of{&call_with<F>, std::is_trivially_destructible_v<F> ? nullptr : &destroy_closure<F>,
                               asks_for_output<F>};

/// Where a node sends a cotangent. `argument` counts the op's inputs from 0; `sum_to_input` lets the engine sum a
/// broadcast cotangent back to the input's shape.
struct Edge {
  Ref<Node> input;
  const Rule* rule = nullptr;
  std::uint32_t closure = 0;  // where in the node's block the rule's captured values stand
  std::uint32_t argument : 30 = 0;
  std::uint32_t sum_to_input : 1 = 0;
  std::uint32_t lent : 1 = 0;  // a pass that takes the rules has also taken the reference of `input`
};

/// How a tensor was made. A leaf has no edges and collects a gradient. Nodes are numbered as they are made, an input's
/// number is lower than its output's, and so sorting by `id` is a topological order.
///
/// A node is one block: the fields, the sizes of the output's axes, the edges, and what their rules captured.
struct Node {
  std::atomic<std::uint32_t> references{1};
  std::atomic<int> guests{0};    // passes that retain the graph and found another such pass as the owner
  std::uint32_t edge_count = 0;  // inputs that need a gradient
  std::uint32_t bytes;           // of the block
  std::uint64_t id = 0;
  std::uint64_t recorded;  // on the clock of writes (autograd/array.hpp)
  const char* name;        // string with static storage
  const char* file;        // the place in the user's program
  int line;
  const Dtype dtype;  // of the output
  const std::uint8_t ndim;
  bool is_leaf = false;

  // The pass in progress that visits this node (autograd/backward/sweep.hpp), and what has arrived for it.
  std::atomic<std::uintptr_t> owner{0};
  Tensor pending;

  /// The output as a constant, kept only while some rule asks for it: with its history it would be a cycle.
  Tensor output;

  Tensor grad;  // of a leaf
  /// The input of an op that a loss can meet as one stable op (sigmoid, log_softmax), which needs no gradient's place.
  Tensor& source() { return grad; }
  detail::NodeExtras* extras = nullptr;  // hooks, and the gradient of a node that is no leaf; owned, null if none
  /// What `backward` collected here.
  Tensor& gradient() {
    if (is_leaf) [[likely]]
      return grad;
    return gradient_of_result();
  }
  /// gradient() = g, also in each replay of a step that is being captured.
  void set_gradient(Tensor&& g) {
    if (capturing::active()) [[unlikely]] {
      capturing::current->set_grad(*this, std::move(g));
    } else {
      gradient() = std::move(g);
    }
  }
  /// The extras, made if there are none.
  detail::NodeExtras& with_extras();

  /// Of a leaf: an index hint into the current pass's list of leaves. It may be stale, for several passes may meet at
  /// the leaf at once.
  std::atomic<int>& among_leaves() { return guests; }

  Place place() const { return {file, line}; }
  const std::int64_t* sizes() const { return reinterpret_cast<const std::int64_t*>(this + 1); }
  Shape shape() const { return {sizes(), sizes() + ndim}; }
  bool has_shape(const Shape& shape) const {
    if (shape.ndim() != ndim) return false;
    for (int d = 0; d < ndim; ++d)
      if (shape[d] != sizes()[d]) return false;
    return true;
  }
  Edge* edges() { return reinterpret_cast<Edge*>(reinterpret_cast<std::int64_t*>(this + 1) + ndim); }
  void* closure_of(const Edge& edge) { return reinterpret_cast<std::byte*>(this) + edge.closure; }
  /// Lets go of rules, captured values and inputs.
  void clear() noexcept;

  static Ref<Node> make_leaf(const Array& array);
  /// Frees the node and, one after another instead of recursively, all that only it kept alive.
  static void destroy(Node* n) noexcept;

 private:
  friend class NodeMaker;
  Node(const char* name_, Place place, const Array& output_, std::size_t bytes_);
  Tensor& gradient_of_result();
  static std::size_t bytes_of(int ndim, std::size_t edges) {
    return sizeof(Node) + static_cast<std::size_t>(ndim) * sizeof(std::int64_t) + edges * sizeof(Edge);
  }
  static Node* make(const char* name, Place place, const Array& output, std::size_t edges, std::size_t closures);
};

namespace detail {

/// The node whose rule is running on this thread, while one is.
class Differentiating : Scoped<const Node*> {
 public:
  explicit Differentiating(const Node* node) : Scoped(node_, node) {}
  /// Null if there is none.
  static const Node* node() { return node_; }
  /// Until when on the clock of writes an input may have been written to.
  static std::uint64_t last_valid() { return node_ ? node_->recorded : std::uint64_t(-1); }

 private:
  static thread_local constinit const Node* node_;
};

}  // namespace detail

/// Makes the node of an op's result, edge by edge.
class NodeMaker {
 public:
  /// With room for `edges`, whose closures take so many bytes (Rule::bytes).
  NodeMaker(const char* name, Place place, const Array& output, std::size_t edges, std::size_t closures)
      : node_(Ref<Node>::adopt(Node::make(name, place, output, edges, closures))),
        used_(Node::bytes_of(output.ndim(), edges)) {}

  template <class F>
  void connect(const Ref<Node>& input, int argument, bool sum_to_input, F&& rule) {
    using Closure = std::decay_t<F>;
    static_assert(alignof(Closure) <= 64, "a block is aligned to 64 bytes");
    used_ = (used_ + alignof(Closure) - 1) / alignof(Closure) * alignof(Closure);
    const Edge& edge =
        *new (node_->edges() + node_->edge_count) Edge{.input = input,
                                                       .rule = &Rule::of<Closure>,
                                                       .closure = static_cast<std::uint32_t>(used_),
                                                       .argument = static_cast<std::uint32_t>(argument) & 0x3fffffff,
                                                       .sum_to_input = sum_to_input};
    if constexpr (!std::is_empty_v<Closure>) used_ += sizeof(Closure);
    new (node_->closure_of(edge)) Closure(std::forward<F>(rule));
    ++node_->edge_count;
    keeps_output_ |= Rule::of<Closure>.wants_output;
    if (input->id >= node_->id) node_->id = input->id + 1;
  }

  /// The result with its history; a constant if it has no derivative, not being of a floating dtype.
  Tensor finish(Array&& result);

 private:
  Ref<Node> node_;
  std::size_t used_;  // bytes of the block
  bool keeps_output_ = false;
};

}  // namespace xgrad
#pragma GCC visibility pop
