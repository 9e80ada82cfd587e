// Checks two gradients against central differences: a right one, and one that a misplaced detach() made wrong.
#include <autograd/autograd.hpp>
#include <iostream>

using namespace xgrad;

namespace {

/// The length of a vector.
Tensor length(const Tensor& x) { return sqrt(sum(square(x))); }

/// The same values, but the gradient sees one of the two factors as a constant and is half of what it should be.
Tensor length_with_a_mistake(const Tensor& x) { return sqrt(sum(x * x.detach())); }

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::cerr << "usage: gradcheck\n";
    return 2;
  }

  manual_seed(0);
  const Tensor x = randn({3}, {.dtype = f64});  // differences need the digits of f64

  const GradcheckReport right = gradcheck(length, {x}, {.order = 2});
  std::cout << "length, first and second derivatives:\n" << right << '\n';

  const GradcheckReport wrong = gradcheck(length_with_a_mistake, {x});
  std::cout << "length_with_a_mistake:\n" << wrong << '\n';

  return right.ok() && !wrong.ok() ? 0 : 1;
}
