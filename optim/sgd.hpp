#pragma once
#include <optim/optimizer.hpp>

#pragma GCC visibility push(default)

namespace xgrad::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

/// Stochastic gradient descent, in the form of Sutskever et al. 2013 as PyTorch writes it:
/// g = grad + weight_decay p; m = momentum m + (1 - dampening) g, at the first step m = g;
/// p = p - lr m, with nesterov p = p - lr (g + momentum m). Nesterov needs a momentum and no dampening.
class SGD final : public Optimizer {
 public:
  explicit SGD(std::vector<Tensor> parameters, SGDOptions options = {}, Place place = Place::here());
  explicit SGD(std::vector<Group<SGDOptions>> groups, Place place = Place::here());

 private:
  std::vector<detail::Option> options(std::size_t group) override;
  std::string conflict(std::size_t group) const override;
  detail::Plan plan(std::size_t group, std::int64_t step) const override;

  std::vector<SGDOptions> options_;
};

}  // namespace xgrad::optim
#pragma GCC visibility pop
