// Branches by an element in a fused function.
// says: write select(mask, a, b)
#include <autograd/fused.hpp>
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  const Tensor x = ones({3});
  fused(
      "ramp", [](auto a) { return a > 0 ? a : 0 * a; }, x);
}
