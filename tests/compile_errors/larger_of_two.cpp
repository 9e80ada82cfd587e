// Takes the larger of two tensors by max.
// says: of two tensors take maximum or minimum
#include <xgrad.hpp>

using namespace xgrad;

int main() { const Tensor y = max(ones({3}), zeros({3})); }
