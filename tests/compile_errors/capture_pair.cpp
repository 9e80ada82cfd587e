// Captures a function that returns a pair.
// says: a captured function returns nothing, a Tensor or a std::vector<Tensor>
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  auto step = capture([](const Tensor& x) { return std::pair{x * 2, x * 3}; });
  step(ones({3}));
}
