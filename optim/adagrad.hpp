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
};

/// Duchi, Hazan and Singer 2011: g = grad + weight_decay p; v = v + g^2, from initial_accumulator_value on;
/// p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(v) + eps), t counting the parameter's steps from 1.
using Adagrad = OptimizerOf<AdagradOptions>;
extern template class OptimizerOf<AdagradOptions>;

}  // namespace xgrad::optim
#pragma GCC visibility pop
