// Takes a tensor for a number.
// says: cannot convert 'const xgrad::Tensor' to 'float'
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  const Tensor loss = sum(ones({3}));
  float number = loss;
}
