#pragma once
#include <autograd/node.hpp>
#include <autograd/trace.hpp>

/// What a tensor was computed from, as far as its graph and a trace know: the part of a picture that is not yet drawn.
namespace xgrad::detail {

/// The note of the link from an op to a loss that has met it.
constexpr const char* met = "as one";

class History {
 public:
  /// An op, recorded or only traced, or a tensor that no op made.
  struct Item {
    Node* node = nullptr;
    int op = -1;         // in the trace
    Tensor value = {};   // if known
    int repeat = -1;     // which of the repeats it is a step of
    int before = -1;     // >= 0: stands for what this item gave in an earlier step of a repeat
    int steps_back = 0;  // so many steps earlier
    bool is_op() const { return op >= 0 || (node && !node->is_leaf); }
  };
  struct Link {
    int from, to;           // items
    const Edge* edge;       // null if no gradient flows
    const char* note = "";  // "detached", or `met`
  };
  std::vector<Item> items;
  std::vector<Link> links;
  std::vector<int> order;    // items, each after what it was computed from, ops as the program ran them
  std::vector<int> repeats;  // how often the steps that are drawn once have run

  History(const Tensor& y, const Trace* trace);

  /// Null for an item that the trace does not know.
  const TracedOp* traced(const Item& item) const {
    return item.op < 0 ? nullptr : &trace_->ops()[static_cast<std::size_t>(item.op)];
  }

 private:
  int item_of(Node* node);
  int item_of(const Tensor& t, int from);
  void connect(int to);
  void add_met_ops();
  void sort();

  const Trace* trace_;
  std::unordered_map<const Node*, int> op_of_, by_node_;
  std::unordered_map<const void*, int> by_key_;
};

/// Leaves only the last of the steps that a loop ran alike, such as those of a recurrent network, if that saves many
/// items. What they take from the step before becomes an item of its own.
void fold_repeats(History& history);

}  // namespace xgrad::detail
