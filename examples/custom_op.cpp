// Adds an op of one's own: its values are an xtensor expression, its derivative is one line of ops.
#include <autograd/autograd.hpp>
#include <autograd/xtensor.hpp>
#include <iostream>

using namespace xgrad;

namespace {

/// (sqrt(x^2 + 1) - 1) / 2 + x, elementwise: a line with a bend at 0. Its derivative is x / (2 sqrt(x^2 + 1)) + 1.
Tensor bent(const Operand& x) {
  return primitive(
      "bent", {x}, [](const auto& v) { return (xt::sqrt(v * v + 1) - 1) / 2 + v; },
      [x](const Tensor& g) { return g * (x / (2 * sqrt(square(x) + 1)) + 1); });
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::cerr << "usage: custom_op\n";
    return 2;
  }

  const Tensor x = tensor({-3., -0.5, 0.25, 1., 4.}, {.dtype = f64, .requires_grad = true});
  const Tensor y = bent(x);
  sum(y).backward();
  std::cout << "x           " << x << '\n' << "bent(x)     " << y << '\n' << "derivative  " << x.grad() << "\n\n";

  // The rule is made of ops, so it can be differentiated again: second derivatives are right as well.
  const GradcheckReport report = gradcheck(bent, {x}, {.order = 2});
  std::cout << report << '\n';
  return report.ok() ? 0 : 1;
}
