#pragma once
#include <optim/optimizer.hpp>

#pragma GCC visibility push(default)

namespace xgrad::optim {

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;
};

/// Hinton's lecture 6e of 2012: g = grad + weight_decay p; v = alpha v + (1 - alpha) g^2;
/// m = momentum m + g / (sqrt(v) + eps); p = p - lr m. Centered (Graves 2013), v less the square of the running mean
/// of g takes the place of v under the root.
class RMSprop final : public Optimizer {
 public:
  explicit RMSprop(std::vector<Tensor> parameters, RMSpropOptions options = {}, Place place = Place::here());
  explicit RMSprop(std::vector<Group<RMSpropOptions>> groups, Place place = Place::here());

 private:
  std::vector<detail::Option> options(std::size_t group) override;
  detail::Plan plan(std::size_t group, std::int64_t step) const override;

  std::vector<RMSpropOptions> options_;
};

}  // namespace xgrad::optim
#pragma GCC visibility pop
