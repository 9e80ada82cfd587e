#pragma once
#include <autograd/tensor.hpp>
#include <functional>

/// The search along a direction by which LBFGS chooses the length of an iteration.
namespace xgrad::optim::detail {

/// A point of the line: how far from its start, the loss there, its gradient, and its slope along the line.
struct LinePoint {
  double t = 0, loss = 0;
  Tensor gradient;
  double slope = 0;
};

/// A point at which the loss has decreased enough and the slope is flat enough (the strong Wolfe conditions with
/// constants 1e-4 and 0.9), or the lowest one found by 25 evaluations or when the bracket is narrower than `narrow`.
/// `start` has a negative slope; `first` is the t that is tried first.
LinePoint strong_wolfe(const std::function<LinePoint(double t)>& evaluate, const LinePoint& start, double first,
                       double narrow);

}  // namespace xgrad::optim::detail
