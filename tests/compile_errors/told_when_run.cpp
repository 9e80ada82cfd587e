// Compiles, and is told what is wrong when it runs: tests/misuse.
// compiles
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  const Tensor a = ones({3}), b = zeros({3});
  if (a > 0) return 1;
  const Tensor larger = std::max(a, b);
  const Tensor classes = tensor({1, 2}, {.dtype = i64, .requires_grad = true});
}
