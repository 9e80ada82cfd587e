// Calls the standard library's function of numbers in a fused function.
// says: in a fused function write exp(x), not std::exp(x)
#include <autograd/fused.hpp>
#include <cmath>
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  const Tensor x = ones({3});
  fused(
      "wave", [](auto a) { return a * std::exp(a); }, x);
}
