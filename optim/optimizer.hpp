#pragma once
#include <autograd/state_dict.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#pragma GCC visibility push(default)

namespace xgrad::kernels {
struct OptimiserArrays;
}

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
/// Groups of parameters may have options of their own:
///
///   optim::SGD optimizer{{{features, {.lr = 1e-3}}, {head, {.lr = 1e-1, .momentum = .9}}}};
namespace xgrad::optim {

class StateReader;

namespace detail {
struct Option;
struct Plan;
}  // namespace detail

/// Parameters that share options.
template <class Options>
struct Group {
  std::vector<Tensor> parameters;
  Options options = {};
};

/// What all optimisers do. They are constructed from defined leaves that require gradients, each given once; anything
/// else, and an option outside its range, throws ValueError or GraphError.
class Optimizer {
 public:
  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Changes every parameter that has a gradient. Throws, and changes nothing: GraphError if there is no gradient or
  /// the model is gone, DtypeError if a parameter was converted after its first step, Error if memory is out.
  void step(Place place = Place::here());
  /// Removes the parameters' gradients.
  void zero_grad();

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
  static constexpr int most_moments = 3;

  /// `name` and the names of the moments are strings with static storage.
  Optimizer(const char* name, const char* const (&moment_names)[most_moments]);
  /// What a constructor ends with: takes over the parameters and checks them and the options.
  template <class Options>
  void start(std::vector<Group<Options>>&& groups, std::vector<Options>& options, Place place) {
    for (Group<Options>& group : groups) {
      options.push_back(group.options);
      add_group(std::move(group.parameters));
    }
    check(place);
  }

 private:
  struct Slot {
    Tensor parameter;
    std::size_t group = 0;
    std::int64_t steps = 0;
    Tensor moments[most_moments];
    Dtype dtype = f32;  // of the arrays laid out for the kernel
  };

  /// The options of a group, the learning rate first.
  virtual std::vector<detail::Option> options(std::size_t group) = 0;
  /// Why the options of a group contradict each other; empty if they do not.
  virtual std::string conflict(std::size_t group) const;
  /// How the kernel is called at a parameter's given step, counted from 1.
  virtual detail::Plan plan(std::size_t group, std::int64_t step) const = 0;

  static void step_now(Optimizer* optimizer, Place place);
  void change_parameters(Place place);
  bool prepare(const OpScope& scope);
  void check_held(const OpScope& scope) const;
  void forget_unused_moments();
  void check_moments(const OpScope& scope, const Slot& slot) const;
  static void lay_out(Slot& slot, const detail::Plan& plan, kernels::OptimiserArrays& arrays);
  void add_group(std::vector<Tensor>&& parameters);
  void check(Place place);
  std::vector<detail::Option> listed_options(std::size_t group) const;
  std::string label(std::size_t slot) const;
  void load_slots(StateReader& reader, std::vector<Slot>& slots) const;

  const char* name_;
  const char* const* moment_names_;
  std::size_t groups_ = 0;
  std::vector<Slot> slots_;
  // What the kernel is given of each slot, so that it can be given many at once; where p is null it is to be laid out.
  std::vector<kernels::OptimiserArrays> arrays_;
};

}  // namespace xgrad::optim
#pragma GCC visibility pop
