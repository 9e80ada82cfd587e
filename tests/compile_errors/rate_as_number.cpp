// Gives the learning rate as a plain number.
// says: options stand in braces: {.lr = 1e-3}
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  nn::Dense dense{2, 1};
  optim::Adam optimizer(dense.parameters(), 1e-3);
}
