// Fits a line to noisy points by gradient descent, with nothing but tensors and their derivatives.
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>

using namespace xgrad;

int main(int argc, char**) {
  if (argc > 1) {
    std::fputs("usage: linear_regression\n", stderr);
    return 2;
  }

  manual_seed(0);
  const Tensor x = linspace(-1, 1, 200);
  const Tensor y = 3 * x + 2 + 0.1 * randn(x.shape());  // the line to find, and noise

  Tensor slope = zeros({}, {.requires_grad = true});
  Tensor intercept = zeros({}, {.requires_grad = true});

  std::puts("step     loss    slope  intercept");
  for (int step = 0; step <= 50; ++step) {
    const Tensor loss = mean(square(slope * x + intercept - y));
    loss.backward();

    if (step % 10 == 0)
      std::printf("%4d  %7.4f  %7.4f  %9.4f\n", step, loss.item<double>(), slope.item<double>(),
                  intercept.item<double>());

    const NoGrad guard;  // a step is no part of the function that is differentiated
    for (Tensor parameter : {slope, intercept}) {
      parameter.assign(parameter - 0.4 * parameter.grad());
      parameter.zero_grad();
    }
  }

  const bool found = std::abs(slope.item<double>() - 3) < 0.05 && std::abs(intercept.item<double>() - 2) < 0.05;
  std::puts(found ? "\nThe line is y = 3 x + 2, as it was drawn." : "\nThe line was not found.");
  return found ? 0 : 1;
}
