// Prints what has a text.
// compiles
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  nn::Sequential model{nn::Dense{2, 1}};
  const Tensor x = zeros({2, 3});
  std::cout << x.shape() << x.dtype() << model << model.state_dict() << model.named_parameters() << model.parameters();
}
