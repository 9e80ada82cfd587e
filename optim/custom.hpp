#pragma once
#include <optim/optimizer.hpp>
#include <optim/optimizers/aggregate.hpp>

#pragma GCC visibility push(default)

/// An optimiser of one's own is its options and one function:
///
///   struct SignOptions {
///     double lr = 1e-3, beta = 0.9;
///   };
///   struct SignDescent : optim::Custom<SignOptions> {
///     using Custom::Custom;
///     void update(Tensor& p, const Tensor& g, State& s, const SignOptions& o, std::int64_t) override {
///       Tensor& mean = s["mean"];
///       mean = o.beta * mean + (1 - o.beta) * g;
///       p -= o.lr * sign(mean);
///     }
///   };
///   SignDescent optimizer{model.parameters(), {.lr = 1e-2}};
///
/// Constructors, groups, learning rates, state_dict and captured steps are those of every optimiser.
namespace xgrad::optim {

/// What an optimiser keeps for one parameter: tensors by name, of the parameter's shape and dtype.
class State {
 public:
  State(std::list<StateDict::Entry>& entries, const Tensor& like) : entries_(entries), like_(like) {}
  /// The tensor of this name, zeros when it is first asked for. It stays where it is.
  Tensor& operator[](std::string_view name);
  bool contains(std::string_view name) const;

 private:
  std::list<StateDict::Entry>& entries_;
  const Tensor& like_;
};

namespace detail {

class CustomOptimizer : public Optimizer {
 protected:
  CustomOptimizer() : Optimizer("Custom") {}

 private:
  virtual void update_one(Tensor& p, const Tensor& g, State& state, std::size_t group, std::int64_t step) = 0;
  bool change_parameters(const OpScope& scope) override;
  void take_over(const OpScope& scope, const Tensor& parameter, const Tensor& written, Slot& slot) const;
};

}  // namespace detail

/// The base of an optimiser of one's own. `Options` is a struct of one to ten numbers, flags or pairs of them, of which
/// `double lr` is the first; all must be finite. In a state the others are `group.0.option.1` and so on, in their
/// order.
template <class Options>
class Custom : public detail::CustomOptimizer {
 public:
  using State = optim::State;

  explicit Custom(std::vector<Tensor> parameters, Options options = {}, Place place = Place::here())
      : Custom(std::vector<Group<Options>>{{std::move(parameters), options}}, place) {}
  explicit Custom(std::vector<Group<Options>> groups, Place place = Place::here()) {
    start(std::move(groups), options_, place);
  }

  /// Changes p, which has the gradient g, in place or by assignment; nothing is recorded. `step` counts the parameter's
  /// steps from 1. It runs in each replay of a captured step too. After an exception from here, parameters that had
  /// their turn keep what they got.
  virtual void update(Tensor& p, const Tensor& g, State& state, const Options& options, std::int64_t step) = 0;

 private:
  std::vector<detail::Option> options(std::size_t group) override { return detail::listed_members(options_[group]); }
  void update_one(Tensor& p, const Tensor& g, State& state, std::size_t group, std::int64_t step) override {
    update(p, g, state, options_[group], step);
  }

  std::vector<Options> options_;
};

}  // namespace xgrad::optim
#pragma GCC visibility pop
