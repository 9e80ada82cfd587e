#pragma once
#include <autograd/trace.hpp>
#include <functional>
#include <string>

/// Runs a traced program again with some numbers moved, to see what its ops make of them: explanations and gradient
/// checks measure derivatives so. An op is known by its number among the outermost ones of the trace.
namespace xgrad::detail {

/// The ops of a trace that are not part of another op. The pointers are valid until the trace grows.
std::vector<const TracedOp*> outermost(const std::vector<TracedOp>& ops);

/// Observes the program while it runs again. Control flow is that of the trace: a run that does something else is left
/// alone from there on.
class Replay : public Observer {
 public:
  explicit Replay(const std::vector<const TracedOp*>& ops) : given(ops.size()), ops_(ops) {}

  /// For each op, the result that it gets in place of what it computes; null: none. Those after it compute from that.
  std::vector<const Array*> given;
  /// Is told what an op computed, before it is replaced.
  std::function<void(std::size_t op, const Array& computed)> sees;
  /// Is told of an argument that is a plain number, and another one than was traced.
  std::function<void(std::size_t op, std::size_t argument)> sees_number;

  /// The op that refused its inputs, -1 for none.
  int threw() const { return threw_; }
  /// What the run did otherwise than the trace, after it is over: "exp where it had run sum"; empty if nothing.
  std::string difference() const;

 private:
  void op_starts(const OpCall& call) override;
  void op_computed(const OpCall& call, Array& result) override;
  void op_ends(const OpCall& call, const Tensor& result) override;
  bool follows(const OpCall& call);

  const std::vector<const TracedOp*>& ops_;
  std::size_t next_ = 0;  // the op in progress, or the next one
  int depth_ = 0, threw_ = -1;
  bool lost_ = false;            // the program went another way
  const char* other_ = nullptr;  // the op that it ran then
};

/// While alive, an input of the program has other numbers, which are of its dtype and shape.
class MovedInput {
 public:
  MovedInput(const Array& input, const Array& numbers);
  ~MovedInput();
  MovedInput(MovedInput&&) = default;
  MovedInput& operator=(MovedInput&&) = delete;

 private:
  Array input_, before_;
};

}  // namespace xgrad::detail
