#pragma once
#include <optim/optimizer.hpp>

#pragma GCC visibility push(default)

/// Optimisers whose step is one pass of a kernel. With `.maximize` each formula takes the gradient with the other sign.
namespace xgrad::kernels {
struct OptimiserArrays;
}

namespace xgrad::optim {

namespace detail {

struct Plan;
class RowSteps;

/// Hands the kernel as many parameters at once as it can.
class KernelOptimizer : public Optimizer {
 protected:
  static constexpr int most_moments = 3;

  /// The name and those of the moments are strings with static storage.
  KernelOptimizer(const char* name, const char* const (&moments)[most_moments]);
  KernelOptimizer(KernelOptimizer&&) noexcept;
  KernelOptimizer& operator=(KernelOptimizer&&) noexcept;
  ~KernelOptimizer() override;

 private:
  /// How the kernel is called at a parameter's given step, counted from 1.
  virtual Plan plan(std::size_t group, std::int64_t step) const = 0;
  /// Whether a group's parameters go up their gradients.
  virtual bool maximizes(std::size_t group) const = 0;

  bool change_parameters(const OpScope& scope) override;
  void load_slot(StateReader& reader, const std::string& prefix, Slot& slot) const override;
  void state_loaded() override;
  bool prepare(const OpScope& scope);
  void forget_unused_moments();
  void lay_out(Slot& slot, const Plan& plan, kernels::OptimiserArrays& arrays) const;
  void* lay_out_rows(const Slot& slot, const Tensor& g, const kernels::OptimiserArrays& arrays);
  void change_rows(Slot& slot, std::uint64_t time);

  const char* const* moments_;
  // What the kernel is given of each slot, so that it can be given many at once; where p is null it is to be laid out.
  std::vector<kernels::OptimiserArrays> arrays_;
  std::vector<Dtype> dtypes_;     // of these arrays
  std::vector<RowSteps> rows_;    // of each slot; empty until a gradient is of rows
  std::vector<Tensor> opposite_;  // gradients of what is maximised, with the other sign, of the last step
};

/// Fits nothing but `{.learning_rate = x}`.
struct LearningRate {
  struct None {
  } none = {};
  struct Number {
    Number(double);
  } learning_rate;
};
}  // namespace detail

/// An optimiser that is told apart by its options; a rule for them (optim/optimizers/rule.hpp) says what it computes.
template <class Options>
class OptimizerOf final : public detail::KernelOptimizer {
 public:
  explicit OptimizerOf(std::vector<Tensor> parameters, Options options = {}, Place place = Place::here());
  explicit OptimizerOf(std::vector<Group<Options>> groups, Place place = Place::here());
  template <std::floating_point N>
  OptimizerOf(std::vector<Tensor>, N) = delete;                     // options stand in braces: {.lr = 1e-3}
  OptimizerOf(std::vector<Tensor>, detail::LearningRate) = delete;  // the learning rate is called lr: {.lr = 1e-3}

 private:
  std::vector<detail::Option> options(std::size_t group) override;
  std::string conflict(std::size_t group) const override;
  detail::Plan plan(std::size_t group, std::int64_t step) const override;
  bool maximizes(std::size_t group) const override { return options_[group].maximize; }

  std::vector<Options> options_;
};

}  // namespace xgrad::optim
#pragma GCC visibility pop
