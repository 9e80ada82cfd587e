#include <nn/losses/common.hpp>

/// Losses of real numbers.
namespace xgrad::nn {

using detail::check_pair, detail::reduced;

Tensor mse_loss(const Operand& y, const Operand& t, const LossOptions& options) {
  const OpScope scope("mse_loss", y.place());
  check_pair(scope, y, t);
  return reduced(scope, square(y - t), options.reduction, options.weight);
}

Tensor l1_loss(const Operand& y, const Operand& t, const LossOptions& options) {
  const OpScope scope("l1_loss", y.place());
  check_pair(scope, y, t);
  return reduced(scope, abs(y - t), options.reduction, options.weight);
}

Tensor huber_loss(const Operand& y, const Operand& t, const HuberOptions& options) {
  const OpScope scope("huber_loss", y.place());
  check_pair(scope, y, t);
  if (!(options.delta > 0)) scope.fail<ValueError>("delta is ", options.delta, "; it must be above 0");
  const Tensor d = y - t;
  // With c the difference limited to +-delta, both branches are c^2 / 2 + c (d - c). Where the last factor is not 0, c
  // is constant: as a constant, c keeps that factor, which may be infinite, out of the derivatives.
  const Tensor c = clamp(d, -options.delta, options.delta);
  return reduced(scope, 0.5 * square(c) + c.detach() * (d - c), options.reduction, options.weight);
}

}  // namespace xgrad::nn
