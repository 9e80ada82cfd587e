#pragma once
#include <autograd/tensor.hpp>
#include <new>

namespace xgrad {

/// A vjp with what it captured: called with the cotangent of the output and, if it asks for it, the output itself.
/// Closures of up to three tensors or one operand live inside the node.
class Rule {
 public:
  Rule() = default;
  template <class F>
  void set(F f) {
    if constexpr (sizeof(F) <= capacity && alignof(F) <= alignof(void*)) {
      new (buffer_) F(std::move(f));
      static constexpr Table table{&call<F, false>, &destroy<F, false>, asks_for_output<F>};
      table_ = &table;
    } else {
      void* const block = memory::detail::allocate(sizeof(F));
      static_assert(alignof(F) <= 64);
      *reinterpret_cast<F**>(buffer_) = new (block) F(std::move(f));
      static constexpr Table table{&call<F, true>, &destroy<F, true>, asks_for_output<F>};
      table_ = &table;
    }
  }
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;
  ~Rule() { reset(); }

  void reset() noexcept {
    if (table_) std::exchange(table_, nullptr)->destroy(buffer_);
  }
  Tensor operator()(const Tensor& g, const Tensor& y) { return table_->call(buffer_, g, y); }
  bool wants_output() const { return table_->wants_output; }
  explicit operator bool() const { return table_ != nullptr; }

 private:
  static constexpr std::size_t capacity = 48;
  struct Table {
    Tensor (*call)(void*, const Tensor&, const Tensor&);
    void (*destroy)(void*) noexcept;
    bool wants_output;
  };
  template <class F>
  static constexpr bool asks_for_output = std::is_invocable_v<F&, const Tensor&, const Tensor&>;
  template <class F, bool outside>
  static F& closure(void* buffer) {
    if constexpr (outside) {
      return **static_cast<F**>(buffer);
    } else {
      return *static_cast<F*>(buffer);
    }
  }
  template <class F, bool outside>
  static Tensor call(void* buffer, const Tensor& g, const Tensor& y) {
    if constexpr (asks_for_output<F>) {
      return closure<F, outside>(buffer)(g, y);
    } else {
      return closure<F, outside>(buffer)(g);
    }
  }
  template <class F, bool outside>
  static void destroy(void* buffer) noexcept {
    F& f = closure<F, outside>(buffer);
    f.~F();
    if constexpr (outside) memory::detail::release(&f, sizeof(F));
  }

  const Table* table_ = nullptr;
  alignas(void*) std::byte buffer_[capacity];
};

/// Where a node sends a cotangent. `argument` counts the op's inputs from 0; `sum_to_input` lets the engine sum a
/// broadcast cotangent back to the input's shape.
struct Edge {
  Ref<Node> input;
  Rule rule;
  int argument = 0;
  bool sum_to_input = false;
};

struct Sweep;

/// How a tensor was made. A leaf has no edges and collects `grad`. Nodes are numbered as they are made, so every
/// input's number is lower than its output's and sorting by `id` is a topological order.
struct Node {
  std::atomic<std::uint32_t> references{1};
  int edge_count;     // inputs that need a gradient
  int edge_capacity;  // inputs there is room for
  std::uint64_t id;
  const char* name;  // string with static storage
  Place place;
  Dtype dtype;  // of the output
  Shape shape;
  bool is_leaf = false;
  // How many passes with retain_graph are at this node now, or `taken` once a pass without it has begun to take the
  // rules away.
  std::atomic<int> passes{0};
  static constexpr int taken = -1;

  // The output's numbers, kept only while some rule asks for them: a tensor that held the node would be a cycle.
  Ref<Storage> output;
  std::byte* output_data = nullptr;

  Tensor grad;    // of a leaf
  Tensor source;  // the input of an op that a loss can meet as one stable op (sigmoid, log_softmax)

  // The pass in progress that visits this node, and what has arrived for it; another pass of another thread that
  // meets the same node keeps its own sum (autograd/backward.cpp).
  std::atomic<const Sweep*> owner{nullptr};
  Tensor pending;

  Edge* edges() { return reinterpret_cast<Edge*>(this + 1); }
  /// The output as a tensor with this history.
  Tensor output_tensor();
  /// Lets go of rules, captured values and inputs.
  void clear() noexcept;

  static Ref<Node> make(const char* name, Place place, const Array& output, int edge_capacity);
  static Ref<Node> make_leaf(const Array& array);
  /// Frees the node and, one after another instead of recursively, all that only it kept alive.
  static void destroy(Node* n) noexcept;

 private:
  Node(const char* name_, Place place_, const Array& output_, int edges_);
  static void destroy_one(Node* n) noexcept;
};

}  // namespace xgrad
