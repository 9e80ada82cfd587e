// Swaps the arguments of load_weights.
// says: the model comes first, then the path
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  nn::Sequential model{nn::Dense{2, 1}};
  nn::load_weights("weights.safetensors", model);
}
