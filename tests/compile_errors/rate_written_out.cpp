// Writes the learning rate out.
// says: the learning rate is called lr: {.lr = 1e-3}
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  nn::Dense dense{2, 1};
  optim::Adam optimizer{dense.parameters(), {.learning_rate = 1e-3}};
}
