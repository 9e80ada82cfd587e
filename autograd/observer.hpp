#pragma once
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

/// Watching a thread at work: profilers, anomaly detection, traces and gradient checks are Observers. Every op passes
/// through one place (autograd/primitive.hpp), every vjp through another (autograd/backward/sweep.hpp), and there the
/// observers are told. Without any, that costs one branch.
namespace xgrad {

class OperandRef;
struct Edge;

/// An op in progress, as observers see it. Ops may run inside others: those that the forward is composed of, and those
/// that a rule is written in, which run while `differentiating` is set.
struct OpCall {
  const char* name;  // string with static storage
  Place place;       // the user's line
  const OperandRef* inputs;
  std::size_t input_count;
  const Node* differentiating;  // the node whose rule is running, or null
};

/// What a thread does besides the forward ops.
enum class Phase { backward, optimizer };

/// What wants to know of a thread's ops and vjps. Whatever it does itself is not observed.
class Observer {
 public:
  virtual ~Observer() = default;

  /// An op whose arguments have been checked is about to compute.
  virtual void op_starts(const OpCall&) {}
  /// Its result, before it is recorded; may be replaced by an array of the same dtype and shape.
  virtual void op_computed(const OpCall&, Array& /*result*/) {}
  /// The result as a tensor with its history; undefined if the op threw.
  virtual void op_ends(const OpCall&, const Tensor& /*result*/) {}

  /// The sweep is about to send `g`, which has arrived for `node`, along one of its edges.
  virtual void vjp_starts(const Node& /*node*/, const Edge&, const Tensor& /*g*/) {}
  /// What came out, checked and summed to the input's shape; undefined for zero, or if the rule threw. May be replaced
  /// by a tensor of the same dtype and shape.
  virtual void vjp_ends(const Node& /*node*/, const Edge&, Tensor& /*result*/) {}

  /// A pass ("backward" or "grad") or an optimiser's step ("Adam") begins, and ends. They nest, as ops do.
  virtual void phase_starts(Phase, const char* /*name*/, Place) {}
  virtual void phase_ends(Phase) {}
};

/// While alive, the observer is told of what the thread does. They nest: all that are alive are told.
class Observing {
 public:
  explicit Observing(Observer& observer) : observer_(&observer), outer_(current_) { current_ = this; }
  ~Observing() { current_ = outer_; }
  Observing(const Observing&) = delete;
  Observing& operator=(const Observing&) = delete;

  static bool active() { return current_ != nullptr; }
  /// Calls f(observer) for each, the innermost first, while none is told of what f does.
  template <class F>
  static void tell(F&& f) {
    const Unobserved quiet;
    for (const Observing* o = quiet.before(); o; o = o->outer_) f(*o->observer_);
  }

  /// While alive, nobody is told of anything.
  class Unobserved : detail::Scoped<Observing*> {
   public:
    Unobserved() : Scoped(current_, nullptr) {}
    using Scoped::before;
  };

 private:
  Observer* observer_;
  Observing* outer_;
  static thread_local constinit Observing* current_;
};

/// Tells the observers of a phase.
class PhaseScope {
 public:
  PhaseScope(Phase phase, const char* name, Place place) : phase_(phase), told_(Observing::active()) {
    if (told_) [[unlikely]]
      Observing::tell([&](Observer& o) { o.phase_starts(phase, name, place); });
  }
  ~PhaseScope() {
    if (told_) [[unlikely]]
      Observing::tell([&](Observer& o) { o.phase_ends(phase_); });
  }
  PhaseScope(const PhaseScope&) = delete;
  PhaseScope& operator=(const PhaseScope&) = delete;

 private:
  const Phase phase_;
  const bool told_;
};

}  // namespace xgrad
#pragma GCC visibility pop
