#pragma once
#include <autograd/gradcheck/gradchecker.hpp>
#include <autograd/node.hpp>
#include <autograd/observers/replay.hpp>

/// The program that a check differentiates, op by op.
namespace xgrad::checking {

/// The function that a check differentiates, as the ops that it ran at the point. It can be run again with some numbers
/// moved: every op then computes from the traced numbers, but for the moved ones, and so shows what it makes of these
/// by itself. Control flow is that of the trace, no other op takes part, and all that an op reads is
/// seen, whether or not it is among its inputs.
class Program {
 public:
  /// Numbers that can be moved: those of an input of the program, or what an op computed.
  struct Slot {
    Array recorded;
    Numbers numbers;  // the same
    bool moves;       // whether they are floating and depend on the program's inputs with a history
  };
  struct Source {
    int slot = -1;           // whose numbers the argument has
    bool connected = false;  // whether it has their history too
  };
  struct Op {
    const TracedOp* traced;
    Node* node;                   // null: the result has no history
    int slot;                     // of the result
    int rule_of = -1;             // the op whose rule it is part of
    int rule_argument = 0;        // and which of that op's inputs the rule is for
    std::vector<Source> sources;  // one for each argument
  };
  /// A result of a rule that lost the history which its numbers have.
  struct Cut {
    int rule_of, argument, slot;
  };

  /// Runs the function once, at the check's probes.
  Program(Gradchecker& checker, int order);

  const std::vector<Op>& ops() const { return ops_; }
  const std::vector<Slot>& slots() const { return slots_; }
  const std::vector<Cut>& cuts() const { return cuts_; }
  bool is_cut(int slot) const {
    return std::any_of(cuts_.begin(), cuts_.end(), [slot](const Cut& c) { return c.slot == slot; });
  }
  const Slot& result(const Op& op) const { return slots_[static_cast<std::size_t>(op.slot)]; }
  const Op& op(int i) const { return ops_[static_cast<std::size_t>(i)]; }
  /// The op that made a slot's numbers, -1 for an input of the program.
  int op_of(int slot) const { return slot < static_cast<int>(inputs_) ? -1 : slot - static_cast<int>(inputs_); }
  bool has_floating_result(const Op& op) const { return !result(op).numbers.empty(); }

  /// The slot that an edge of the op leads to, -1 for none.
  int slot_of(const Edge& edge) const {
    const auto it = by_node_.find(edge.input.get());
    return it == by_node_.end() ? -1 : it->second;
  }
  /// What the edge's rule makes of `cotangent`, which has one number for each of the op's results.
  Numbers vjp(const Op& op, const Edge& edge, const Numbers& cotangent) const;

  /// What an op made of moved numbers.
  struct Moved {
    int slot;
    Numbers numbers;
  };
  struct Seen {
    Numbers numbers;        // empty: the op did not come to compute
    int number_moved = -1;  // an argument that is a plain number, and differs from the traced one
  };
  struct Run {
    std::vector<Seen> ops;
    int threw = -1;  // the op that refused its inputs
  };
  /// With `fresh`, the generator continues; otherwise random numbers are those of the trace. Ops of the rules of `free`
  /// compute from what those before them have computed. `besides` sees what ops compute before it is replaced.
  Run run(const std::vector<Moved>& moved, bool fresh = false, int free = -1, Observer* besides = nullptr);
  /// Lets the function run by itself at another point, as a training loop would.
  void visit_elsewhere(double distance);
  /// Whether it has run so often that the search should come to an end.
  bool exhausted() const { return runs_ > 40000; }

 private:
  class Recorder;

  Source source_of(const Tensor& t);
  void add_slot(const Tensor& t, bool moves);

  Gradchecker& checker_;
  const int order_;
  const RandomState random_;
  std::vector<TracedOp> traced_;
  std::vector<const TracedOp*> replayed_;
  std::vector<Op> ops_;
  std::vector<Slot> slots_;
  std::vector<Cut> cuts_;
  Tensors outputs_;  // keep the graph
  std::size_t inputs_ = 0;
  std::unordered_map<const void*, int> by_node_;
  std::unordered_map<const void*, std::vector<int>> by_numbers_;
  int runs_ = 0;
};

}  // namespace xgrad::checking
