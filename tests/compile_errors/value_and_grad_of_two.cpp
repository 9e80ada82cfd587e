// Gives several tensors one by one.
// says: several stand in braces: {x, w}
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  const Tensor x = ones({3}), w = ones({3});
  const auto r = value_and_grad([](const Tensor& a, const Tensor& b) { return sum(a * b); }, x, w);
}
