// Differentiates by a name.
// says: grad(y, x) takes two tensors, or several to differentiate by: grad(y, {a, b})
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  const Tensor x = ones({3}, {.requires_grad = true});
  const Tensor g = grad(sum(x), "x");
}
