#pragma once
#include <autograd/observer.hpp>
#include <memory>

#pragma GCC visibility push(default)

namespace xgrad {

/// The first value that is not finite.
struct AnomalyError : GraphError {
  using GraphError::GraphError;
};

struct AnomalyOptions {
  bool allow_infinity = false;  // only NaN counts: for programs that mask with -inf
};

/// What numbers an array holds: printed as `f32 (2, 3) in [-1, 4]`, or `f32 (2, 3) in [-1, 4] but for 1 NaN and 2 inf`.
struct ValueRange {
  Dtype dtype;
  Shape shape;
  std::int64_t nans = 0, infinities = 0;
  double least = 0, largest = 0;  // of the finite ones

  static ValueRange of(const Array& array);
  std::string str() const;
};

/// While alive, the first op of the thread whose result holds a NaN or an infinity throws AnomalyError, and so does the
/// first rule of a backward pass:
///
///   DetectAnomaly guard;
///   loss = step(x);   // model.cpp:42: in model[3] (Dense 64 -> 32): log: gave f32 (8, 32) in [-2, 1] but for ...
///
/// The message names the op, the line of the program that wrote it (for a rule: that wrote the op in the forward pass),
/// the module, which input the rule is for, and the shapes and ranges of what went in. Values that are not finite
/// already when an op first meets them are the program's own, and the message says so. The backward pass can name
/// modules and inputs of those ops that ran under a DetectAnomaly, too; what is made and masked again inside one op or
/// one rule does not count.
///
/// Every result is looked at once more, and every input too: for finding a fault, not for training. A result that is
/// infinite on purpose, such as where(mask, x, -infinity) before a softmax, asks for {.allow_infinity = true}. Captured
/// steps are simply run. Guards nest. Without one nothing is looked at.
class [[nodiscard]] DetectAnomaly : private Observer {
 public:
  explicit DetectAnomaly(AnomalyOptions options = {});
  ~DetectAnomaly() override;

 private:
  struct Notes;

  void op_starts(const OpCall& call) override;
  void op_computed(const OpCall& call, Array& result) override;
  void op_ends(const OpCall& call, const Tensor& result) override;
  void vjp_starts(const Node& node, const Edge& edge, const Tensor& g) override;
  void vjp_ends(const Node& node, const Edge& edge, Tensor& result) override;
  bool is_anomaly(const ValueRange& range) const;
  [[noreturn]] void fail_in_rule(const Node& node, const std::string& fact) const;

  const AnomalyOptions options_;
  std::unique_ptr<Notes> notes_;
  Observing observing_;
};

}  // namespace xgrad
#pragma GCC visibility pop
