// Takes a real number for a size.
// says: the sizes of a shape are integers
#include <xgrad.hpp>

using namespace xgrad;

int main() { const Tensor x = zeros(3.5); }
