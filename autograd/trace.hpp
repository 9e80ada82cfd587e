#pragma once
#include <autograd/observer.hpp>
#include <unordered_map>

#pragma GCC visibility push(default)

/// A record of the ops that a thread runs, which pictures, explanations and gradient checks read.
namespace xgrad {

/// What one op did. Its tensors are the ones that the program had, with their history.
struct TracedOp {
  const char* name;
  Place place;       // the user's line
  std::string path;  // of modules: `model[3] (Dense 64 -> 32)`; empty outside of all

  struct Argument {
    Tensor tensor;  // undefined: a number
    Number number;
    int from = -1;     // the op whose result it is; -1: made before the trace, or by no op
    bool cut = false;  // that result had a history, and this tensor of its numbers has none
  };
  std::vector<Argument> inputs;
  Tensor output;   // undefined if the op threw
  int outer = -1;  // the op whose forward it is part of, -1 for none
  bool in_vjp = false;
  const char* called = nullptr;  // what the user called: `binary_cross_entropy` runs a `bce_with_logits`
};

/// Writes down the ops that its thread runs while it is alive, in the order in which they start:
///
///   Trace trace;
///   const Tensor loss = model(x);
///   for (const TracedOp& op : trace.ops()) ...
///
/// It holds all values that it saw, and so their graphs, until it is destroyed.
class [[nodiscard]] Trace : private Observer {
 public:
  Trace() : observing_(*this) {}

  const std::vector<TracedOp>& ops() const { return ops_; }
  /// The op that made this tensor, or the newest that made its numbers in its shape; -1 if none in the trace did.
  int maker_of(const Tensor& t) const;

 private:
  void op_starts(const OpCall& call) override;
  void op_ends(const OpCall& call, const Tensor& result) override;

  std::vector<TracedOp> ops_;
  std::vector<int> open_;  // ops in progress, outermost first
  std::unordered_map<const void*, int> by_node_, by_numbers_;
  Observing observing_;
};

}  // namespace xgrad
#pragma GCC visibility pop
