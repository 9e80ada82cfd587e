#include <cmath>
#include <nn/losses/common.hpp>
#include <numbers>

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

namespace {

/// Huber's loss of a difference. With c the difference limited to +-delta, both branches are c^2 / 2 + c (d - c). Where
/// the last factor is not 0, c is constant: as a constant, c keeps that factor, which may be infinite, out of the
/// derivatives.
Tensor huber(const Tensor& d, double delta) {
  const Tensor c = clamp(d, -delta, delta);
  return 0.5 * square(c) + c.detach() * (d - c);
}

}  // namespace

Tensor huber_loss(const Operand& y, const Operand& t, const HuberOptions& options) {
  const OpScope scope("huber_loss", y.place());
  check_pair(scope, y, t);
  if (!(options.delta > 0)) scope.fail<ValueError>("delta is ", options.delta, "; it must be above 0");
  return reduced(scope, huber(y - t, options.delta), options.reduction, options.weight);
}

Tensor smooth_l1_loss(const Operand& y, const Operand& t, const SmoothL1Options& options) {
  const OpScope scope("smooth_l1_loss", y.place());
  check_pair(scope, y, t);
  const double beta = options.beta;
  if (!(beta >= 0)) scope.fail<ValueError>("beta is ", beta, "; it must be at least 0");
  const Tensor d = y - t;
  return reduced(scope, beta > 0 ? huber(d, beta) / beta : abs(d), options.reduction, options.weight);
}

Tensor gaussian_nll_loss(const Operand& y, const Operand& t, const Operand& v, const GaussianNllOptions& options) {
  const OpScope scope("gaussian_nll_loss", y.place());
  check_pair(scope, y, t);
  const Tensor variances = v.tensor(y.dtype());
  if (variances.dtype() != y.dtype())
    scope.fail<DtypeError>("the prediction is ", name_of(y.dtype()), ", the variance is ", name_of(variances.dtype()),
                           "; convert it with .to(", name_of(y.dtype()), ")");
  if (!detail::fits_into(variances.shape(), y.shape()))
    scope.fail("the variance is ", variances.shape(), ", the prediction is ", y.shape(),
               "; it must have or broadcast to that");
  detail::check_elements(
      variances, [](auto x) { return x >= 0; },
      [](const detail::Invalid& found) {
        xgrad::detail::fail<ValueError>("the variance holds ", found.value, " at position ", found.position,
                                        "; all must be at least 0");
      });
  // Raised as a constant, so that one below eps still has a gradient.
  const Tensor raised = variances + (maximum(variances, options.eps) - variances).detach();
  Tensor loss = 0.5 * (log(raised) + square(y - t) / raised);
  if (options.full) loss = loss + 0.5 * std::log(2 * std::numbers::pi);
  return reduced(scope, std::move(loss), options.reduction, options.weight);
}

Tensor poisson_nll_loss(const Operand& y, const Operand& t, const PoissonNllOptions& options) {
  const OpScope scope("poisson_nll_loss", y.place());
  check_pair(scope, y, t);
  Tensor loss = options.log_input ? exp(y) - t * y : y - t * log(y + options.eps);
  if (options.full) {
    const Tensor some = t > 1, n = where(some, t, 1);
    loss = loss + where(some, n * log(n) - n + 0.5 * log(2 * std::numbers::pi * n), 0);
  }
  return reduced(scope, std::move(loss), options.reduction, options.weight);
}

}  // namespace xgrad::nn
