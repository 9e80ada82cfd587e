// A program with an op of six arithmetic steps and one with functions and a choice: what a user's own source costs.
#include <autograd/autograd.hpp>
#include <autograd/fused.hpp>

using namespace xgrad;

Tensor rational(const Operand& x, const Operand& m) {
  return fused(
      "rational", [](auto a, auto b) { return (a * b + a * a) / (1 + a * a) - b; }, x, m);
}

Tensor bounded(const Operand& x, const Operand& scale) {
  return fused(
      "bounded", [](auto a, auto s) { return select(a > 0, tanh(a * s), a * exp(a) * s); }, x, scale);
}

int main() {
  Tensor x = randn({100}).set_requires_grad(true);
  sum(rational(bounded(x, 0.5), 2.)).backward();
  return x.has_grad() ? 0 : 1;
}
