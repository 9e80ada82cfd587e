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
  bool maximize = false;
};

/// Kingma and Ba 2015: g = grad + weight_decay p; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps), t counting the parameter's steps from 1.
/// With amsgrad (Reddi et al. 2018) the largest v so far takes the place of v in the last formula. Goes by rows without
/// weight_decay, lazily: rows of zeros keep their p, m and v, which the formulas would go on to move, while t counts
/// all steps (as PyTorch's SparseAdam).
using Adam = OptimizerOf<AdamOptions>;
extern template class OptimizerOf<AdamOptions>;

struct AdamWOptions {
  double lr = 1e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;
  bool amsgrad = false;
  bool maximize = false;
};

/// Loshchilov and Hutter 2019: Adam whose decay does not pass through the moments; p shrinks by 1 - lr weight_decay
/// before each step, and g is the gradient alone. Goes by rows, as Adam, if weight_decay is 0.
using AdamW = OptimizerOf<AdamWOptions>;
extern template class OptimizerOf<AdamWOptions>;

struct NAdamOptions {
  double lr = 2e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;
  bool maximize = false;
};

/// Dozat 2016, Adam with Nesterov's momentum: g, m and v as Adam's, mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2), M_t
/// the product of mu_1 to mu_t; p = p - lr ((1 - mu_t) / (1 - M_t) g + mu_(t+1) / (1 - M_(t+1)) m) /
/// (sqrt(v / (1 - beta2^t)) + eps).
using NAdam = OptimizerOf<NAdamOptions>;
extern template class OptimizerOf<NAdamOptions>;

struct AdamaxOptions {
  double lr = 2e-3;
  std::pair<double, double> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool maximize = false;
};

/// Kingma and Ba 2015, section 7.1: g and m as Adam's, u = max(beta2 u, |g| + eps);
/// p = p - lr / (1 - beta1^t) m / u.
using Adamax = OptimizerOf<AdamaxOptions>;
extern template class OptimizerOf<AdamaxOptions>;

struct LionOptions {
  double lr = 1e-4;
  std::pair<double, double> betas = {0.9, 0.99};
  double weight_decay = 0;
  bool maximize = false;
};

/// Chen et al. 2023: p = p (1 - lr weight_decay) - lr sign(beta1 m + (1 - beta1) grad), then m = beta2 m + (1 - beta2)
/// grad. A step has one size for all elements, so lr is three to ten times smaller than Adam's.
using Lion = OptimizerOf<LionOptions>;
extern template class OptimizerOf<LionOptions>;

}  // namespace xgrad::optim
#pragma GCC visibility pop
