// Names an axis.
// says: axes are one integer or braces of them, before keepdims: sum(x, 1), sum(x, {0, -1}, true)
#include <xgrad.hpp>

using namespace xgrad;

int main() { const Tensor y = sum(ones({3}), "rows"); }
