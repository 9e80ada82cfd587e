#pragma once
#include <autograd/state_dict.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <optim/optimizers/option.hpp>
#include <string>
#include <utility>
#include <vector>

#pragma GCC visibility push(default)

/// Optimisers change parameters by the gradients that `backward` left in them:
///
///   optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};
///   optimizer.zero_grad();
///   loss.backward();
///   optimizer.step();
///
/// Each keeps, for every parameter, a count of its steps and up to three moments: arrays of the parameter's shape and
/// dtype. A step is one fused pass over parameter, gradient and moments; it records nothing and allocates nothing after
/// the first. Parameters without a gradient are left as they are, count included; if no parameter has one, or nobody
/// else holds any of them, a step cannot be what is meant, and throws.
///
/// The gradient that take and embedding (autograd/ops.hpp) leave in a parameter is of rows: those that were taken, and
/// the knowledge that all others are zeros. Several of them add up to another one, clip_grad_norm keeps the
/// rows, and where an optimiser says that it goes by rows, its step costs what these cost. Everybody else, grad(),
/// hooks and transforms among them, gets an ordinary tensor of the same numbers; once that has been assigned to, or an
/// op or an addend of another kind has made something of it, optimisers take it too.
///
/// Groups of parameters may have options of their own:
///
///   optim::SGD optimizer{{{features, {.lr = 1e-3}}, {head, {.lr = 1e-1, .momentum = .9}}}};
///
/// One of one's own derives from optim/custom.hpp; LBFGS (optim/lbfgs.hpp) steps by a closure.
namespace xgrad::optim {

namespace detail {
class StateReader;
}

/// Parameters that share options.
template <class Options>
struct Group {
  std::vector<Tensor> parameters;
  Options options = {};
};

/// What all optimisers do. They are constructed from defined leaves, each given once; anything else, and an option
/// outside its range, throws ValueError or GraphError. Leaves that require no gradient are left alone for as long as
/// they do not; GraphError if none requires one. An optimiser can be moved, also while captured steps use it.
class Optimizer {
 public:
  virtual ~Optimizer();
  /// Not copied: both would change the same parameters, each by moments that know half of the steps. Make another one
  /// from the copied model's parameters, and give it this one's state by load_state_dict.
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Changes every parameter that has a gradient. Throws, and changes nothing: GraphError if there is no gradient or
  /// the model is gone, DtypeError if a parameter was converted after its first step, Error if memory is out.
  void step(Place place = Place::here());
  /// Removes the parameters' gradients.
  void zero_grad();

  /// "Adam, lr 0.001, beta1 0.9, ..." with all options; those of further groups follow.
  std::string describe() const;
  std::size_t group_count() const { return groups_; }
  /// The learning rate of a group.
  double lr(std::size_t group = 0, Place place = Place::here()) const;
  /// Sets the learning rate of all groups, or of one.
  void set_lr(double lr, Place place = Place::here());
  void set_lr(double lr, std::size_t group, Place place = Place::here());

  /// A copy of everything that a later run needs to continue as if never interrupted, numbers as 0-d tensors: options
  /// as `group.0.lr`, step counts as `parameter.0.steps`, moments as `parameter.0.mean`.
  StateDict state_dict() const;
  /// Takes over what `state_dict` gave, from an optimiser of the same kind over parameters of the same shapes, in the
  /// same order and groups. Otherwise throws ValueError with all that does not fit, and changes nothing.
  void load_state_dict(const StateDict& state, Place place = Place::here());

 protected:
  struct Slot {
    Tensor parameter;
    std::size_t group = 0;
    std::int64_t steps = 0;
    std::list<StateDict::Entry> state = {};  // moments, in the order in which they were made
  };

  /// `name` is a string with static storage.
  explicit Optimizer(const char* name);
  Optimizer(Optimizer&& other) noexcept;
  Optimizer& operator=(Optimizer&& other) noexcept;
  /// What a constructor ends with: takes over the parameters and checks them and the options.
  template <class Options>
  void start(std::vector<Group<Options>>&& groups, std::vector<Options>& options, Place place) {
    for (Group<Options>& group : groups) {
      options.push_back(group.options);
      add_group(std::move(group.parameters));
    }
    check(place);
  }

  /// Throws if the model is gone that the parameters were taken from.
  void check_held(const OpScope& scope) const;
  /// Throws if a parameter has another shape or dtype than its moments.
  void check_state(const OpScope& scope, const Slot& slot) const;
  /// "parameter 2", or "parameter 2 (group 1)" where there are several groups; counted over all groups.
  std::string label(const Slot& slot) const;

  std::vector<Slot> slots_;

 private:
  friend class Schedule;
  /// Where the optimiser is now: what a captured step and a schedule hold on to.
  struct Self {
    Optimizer* now;
  };

  /// The options of a group, the learning rate first.
  virtual std::vector<detail::Option> options(std::size_t group) = 0;
  /// Why the options of a group contradict each other; empty if they do not.
  virtual std::string conflict(std::size_t group) const;
  /// Changes every parameter that has a gradient. Whether there is one.
  virtual bool change_parameters(const OpScope& scope) = 0;
  /// Adds copies of a parameter's moments to a state.
  virtual void save_slot(StateDict& state, const std::string& prefix, const Slot& slot) const;
  /// Takes a parameter's moments, copied, out of a state that has its count of steps; all that are there, unless an
  /// optimiser knows which are due.
  virtual void load_slot(detail::StateReader& reader, const std::string& prefix, Slot& slot) const;
  /// The slots were replaced.
  virtual void state_loaded() {}

  static void step_now(const Self* self, Place place);
  void add_group(std::vector<Tensor>&& parameters);
  void check(Place place);
  void check_parameters(const OpScope& scope) const;
  std::vector<detail::Option> listed_options(std::size_t group) const;
  detail::Option learning_rate(const OpScope& scope, std::size_t group) const;

  const char* name_;
  std::size_t groups_ = 0;
  std::unique_ptr<Self> self_;  // null once moved from
};

}  // namespace xgrad::optim
#pragma GCC visibility pop
