#pragma once
#include <optim/optimizer.hpp>

#pragma GCC visibility push(default)

namespace xgrad::optim {

struct AdamOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;
};

/// Kingma and Ba 2015: g = grad + weight_decay p; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps), t counting the parameter's steps from 1.
/// With amsgrad (Reddi et al. 2018) the largest v so far takes the place of v in the last formula.
class Adam final : public Optimizer {
 public:
  explicit Adam(std::vector<Tensor> parameters, AdamOptions options = {}, Place place = Place::here());
  explicit Adam(std::vector<Group<AdamOptions>> groups, Place place = Place::here());

 private:
  std::vector<detail::Option> options(std::size_t group) override;
  detail::Plan plan(std::size_t group, std::int64_t step) const override;

  std::vector<AdamOptions> options_;
};

struct AdamWOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;
  bool amsgrad = false;
};

/// Loshchilov and Hutter 2019: Adam whose decay does not pass through the moments; p shrinks by 1 - lr weight_decay
/// before each step, and g is the gradient alone.
class AdamW final : public Optimizer {
 public:
  explicit AdamW(std::vector<Tensor> parameters, AdamWOptions options = {}, Place place = Place::here());
  explicit AdamW(std::vector<Group<AdamWOptions>> groups, Place place = Place::here());

 private:
  std::vector<detail::Option> options(std::size_t group) override;
  detail::Plan plan(std::size_t group, std::int64_t step) const override;

  std::vector<AdamWOptions> options_;
};

}  // namespace xgrad::optim
#pragma GCC visibility pop
