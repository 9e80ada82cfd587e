#pragma once
#include <functional>
#include <optim/optimizer.hpp>

#pragma GCC visibility push(default)

namespace xgrad::optim {

enum class LineSearch { none, strong_wolfe };

struct LBFGSOptions {
  double lr = 1;               // the length that a line search tries first; without one, of each iteration
  std::int64_t max_iter = 20;  // iterations in a step
  std::int64_t max_eval = 0;   // evaluations in a step, after which no iteration begins; 0: 5 / 4 max_iter
  double tolerance_grad = 1e-7;
  double tolerance_change = 1e-9;
  std::int64_t history_size = 100;
  LineSearch line_search = LineSearch::none;
};

/// Minimises a function that is the same in each evaluation, a loss of the whole data set say, by its curvature along
/// the last `history_size` iterations (Nocedal 1980; Nocedal and Wright 2006, algorithms 7.4, 7.5, 3.5 and 3.6). An
/// iteration moves by t d where d = -H g, H being built from the changes of p and of the gradient g; t is lr, in the
/// very first iteration lr / max(1, |g|_1), from which a line search goes on to meet the strong Wolfe conditions.
///
///   optim::LBFGS optimizer{model.parameters(), {.line_search = optim::LineSearch::strong_wolfe}};
///   optimizer.step([&] {
///     optimizer.zero_grad();
///     const Tensor loss = nn::mse_loss(model(x), t);
///     loss.backward();
///     return loss;
///   });
class LBFGS final : public Optimizer {
 public:
  using Closure = std::function<Tensor()>;

  /// Parameters are of one dtype; there are no groups.
  explicit LBFGS(std::vector<Tensor> parameters, LBFGSOptions options = {}, Place place = Place::here());

  /// Iterates until no element of the gradient is above tolerance_grad, an iteration changes no parameter by more than
  /// tolerance_change or the loss by less, or the limits are reached. `closure` computes the loss, leaves its gradients
  /// in the parameters and returns it. Returns the loss as it was before. What it throws leaves the parameters where
  /// they were tried last. Not for a captured function, but the closure may be one.
  Tensor step(const Closure& closure, Place place = Place::here());

 private:
  struct Pair {
    Tensor change, step;  // of the gradient and of p
    double inverse;       // 1 / (change . step)
  };

  std::vector<detail::Option> options(std::size_t group) override;
  bool change_parameters(const OpScope& scope) override;
  void save_slot(StateDict& state, const std::string& prefix, const Slot& slot) const override;
  void load_slot(detail::StateReader& reader, const std::string& prefix, Slot& slot) const override;
  void state_loaded() override;

  Tensor iterate(const OpScope& scope, const Closure& closure);
  void check_dtypes(const OpScope& scope) const;
  std::int64_t size() const;
  Tensor flat_parameters() const;
  Tensor flat_gradient(const OpScope& scope) const;
  void set_parameters(const Tensor& flat);
  void remember(const Tensor& gradient);
  Tensor direction(const Tensor& gradient) const;

  LBFGSOptions options_;
  // Of the last iteration; undefined before the first.
  Tensor gradient_, step_;
  std::vector<Pair> pairs_;  // oldest first
};

}  // namespace xgrad::optim
#pragma GCC visibility pop
