// Leaves out the target of a loss.
// says: Tensor mse_loss(const Operand& y, const Operand& t,
#include <xgrad.hpp>

using namespace xgrad;

int main() { const Tensor loss = nn::mse_loss(ones({3, 1})); }
