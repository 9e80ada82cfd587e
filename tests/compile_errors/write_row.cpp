// Writes a row as into an array.
// says: write x.set(i, v) or x.set(i, j, v)
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  Tensor x = zeros({3, 3});
  x[0] = ones({3});
}
