// Gives two tensors to a Sequential.
// says: of one tensor; what takes several is a struct of your own
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  nn::Sequential model{nn::Dense{2, 1}};
  const Tensor x = ones({3, 2}), y = model(x, x);
}
