#pragma once
#include <optim/optimizers/optimizer_of.hpp>

#pragma GCC visibility push(default)

namespace xgrad::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  bool maximize = false;
};

/// Stochastic gradient descent, in the form of Sutskever et al. 2013 as PyTorch writes it:
/// g = grad + weight_decay p; m = momentum m + (1 - dampening) g, at the first step m = g;
/// p = p - lr m, with nesterov p = p - lr (g + momentum m). Nesterov needs a momentum and no dampening. Goes by
/// rows without momentum and weight_decay.
using SGD = OptimizerOf<SGDOptions>;
extern template class OptimizerOf<SGDOptions>;

}  // namespace xgrad::optim
#pragma GCC visibility pop
