// Differentiates a C++ number.
// says: grad(y, x) takes two tensors, or several to differentiate by: grad(y, {a, b})
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  const Tensor x = ones({3}, {.requires_grad = true});
  const double y = sum(x).item();
  const Tensor g = grad(y, x);
}
