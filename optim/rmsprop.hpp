#pragma once
#include <optim/optimizers/optimizer_of.hpp>

#pragma GCC visibility push(default)

namespace xgrad::optim {

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;
  bool maximize = false;
};

/// Hinton's lecture 6e of 2012: g = grad + weight_decay p; v = alpha v + (1 - alpha) g^2;
/// m = momentum m + g / (sqrt(v) + eps); p = p - lr m. Centered (Graves 2013), v less the square of the running mean
/// of g takes the place of v under the root.
using RMSprop = OptimizerOf<RMSpropOptions>;
extern template class OptimizerOf<RMSpropOptions>;

}  // namespace xgrad::optim
#pragma GCC visibility pop
