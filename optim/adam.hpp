#pragma once
#include <optim/optimizers/optimizer_of.hpp>

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
using Adam = OptimizerOf<AdamOptions>;
extern template class OptimizerOf<AdamOptions>;

struct AdamWOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;
  bool amsgrad = false;
};

/// Loshchilov and Hutter 2019: Adam whose decay does not pass through the moments; p shrinks by 1 - lr weight_decay
/// before each step, and g is the gradient alone.
using AdamW = OptimizerOf<AdamWOptions>;
extern template class OptimizerOf<AdamWOptions>;

}  // namespace xgrad::optim
#pragma GCC visibility pop
