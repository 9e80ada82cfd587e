// Adds an op of one's own: its values are an xtensor expression, its derivative is one line of ops.
#include <autograd/autograd.hpp>
#include <autograd/xtensor.hpp>
#include <iostream>

using namespace xgrad;

namespace {

/// x / (1 + |x|), elementwise: a tanh that saturates slowly. Its derivative is 1 / (1 + |x|)^2.
Tensor softsign(const Operand& x) {
  return primitive(
      "softsign", {x}, [](const auto& v) { return v / (1 + xt::abs(v)); },
      [x](const Tensor& g) { return g / square(1 + abs(x)); });
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::cerr << "usage: custom_op\n";
    return 2;
  }

  const Tensor x = tensor({-3., -0.5, 0.25, 1., 4.}, {.dtype = f64, .requires_grad = true});
  const Tensor y = softsign(x);
  sum(y).backward();
  std::cout << "x            " << x << '\n' << "softsign(x)  " << y << '\n' << "derivative   " << x.grad() << "\n\n";

  // The rule is made of ops, so it can be differentiated again: second derivatives are right as well.
  const GradcheckReport report = gradcheck(softsign, {x}, {.order = 2});
  std::cout << report << '\n';
  return report.ok() ? 0 : 1;
}
