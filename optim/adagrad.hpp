#pragma once
#include <optim/optimizers/optimizer_of.hpp>

#pragma GCC visibility push(default)

namespace xgrad::optim {

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;
  double weight_decay = 0;
  double initial_accumulator_value = 0;
  double eps = 1e-10;
  bool maximize = false;
};

/// Duchi, Hazan and Singer 2011: g = grad + weight_decay p; v = v + g^2, from initial_accumulator_value on;
/// p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(v) + eps), t counting the parameter's steps from 1. Goes
/// by rows without weight_decay.
using Adagrad = OptimizerOf<AdagradOptions>;
extern template class OptimizerOf<AdagradOptions>;

struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0;
  bool maximize = false;
};

/// Zeiler 2012: g = grad + weight_decay p; v = rho v + (1 - rho) g^2; s = sqrt(d + eps) / sqrt(v + eps) g;
/// d = rho d + (1 - rho) s^2; p = p - lr s.
using Adadelta = OptimizerOf<AdadeltaOptions>;
extern template class OptimizerOf<AdadeltaOptions>;

}  // namespace xgrad::optim
#pragma GCC visibility pop
