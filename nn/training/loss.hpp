#pragma once
#include <autograd/core/tensor_function.hpp>
#include <functional>
#include <nn/losses.hpp>
#include <optional>

#pragma GCC visibility push(default)

namespace xgrad::nn {

/// A loss as a Trainer takes it: one of those in nn/losses.hpp that take two tensors, by its name; or a function
/// f(prediction, target), or f(prediction, target, weight) with a weight (n) for each row, undefined where there are
/// none: `[](const Tensor& p, const Tensor& t) { return nn::huber_loss(p, t, {.delta = 2}); }`.
class Loss {
 public:
  template <class Options>
  using Function = Tensor(const Operand&, const Operand&, const Options&);

  Loss(Function<LossOptions>* f);
  Loss(Function<BceWithLogitsOptions>* f);
  Loss(Function<HuberOptions>* f);
  Loss(Function<SmoothL1Options>* f);
  Loss(Function<PoissonNllOptions>* f);
  Loss(Function<FocalOptions>* f);
  Loss(Function<KlDivOptions>* f);
  Loss(Function<CrossEntropyOptions>* f);
  template <class F>
  requires(!std::is_same_v<F, Loss> && (std::is_invocable_v<F&, const Tensor&, const Tensor&> ||
                                        std::is_invocable_v<F&, const Tensor&, const Tensor&, const Tensor&>)) Loss(F f)
      : weighs_(std::is_invocable_v<F&, const Tensor&, const Tensor&, const Tensor&>),
        call_(
            [f = std::move(f)](const Tensor& p, const Tensor& t, const Tensor& weight, Place place) mutable -> Tensor {
              if constexpr (std::is_invocable_v<F&, const Tensor&, const Tensor&, const Tensor&>) {
                return f(p, t, weight);
              } else {
                return xgrad::detail::call_at(place, f, p, t);
              }
            }) {}

  /// The mean over all elements that count, each times the weight of its row where there are weights, (n). `place` is
  /// the line that errors name.
  Tensor operator()(const Tensor& prediction, const Tensor& target, const Tensor& weight, Place place) const {
    return call_(prediction, target, weight, place);
  }
  /// "mse_loss" for that of nn/losses.hpp; "a function" for one of the program's own.
  const char* name() const { return name_; }
  /// The class whose targets count for nothing, if there is one.
  std::optional<std::int64_t> ignored() const { return ignored_; }
  /// How much a batch counts beside others: its rows, or its targets that are not ignored.
  std::int64_t counted(const Tensor& target, std::int64_t rows) const;
  /// Whether rows can be weighted.
  bool weighs_rows() const { return weighs_; }
  /// Whether it applies a sigmoid or softmax itself.
  bool takes_logits() const { return takes_logits_; }
  /// Whether targets are 0 or 1, each its own task.
  bool is_binary() const { return binary_; }

 private:
  using Call = std::function<Tensor(const Tensor&, const Tensor&, const Tensor&, Place)>;

  const char* name_ = "a function";
  bool weighs_ = true, takes_logits_ = false, binary_ = false;
  std::optional<std::int64_t> ignored_;
  Call call_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
