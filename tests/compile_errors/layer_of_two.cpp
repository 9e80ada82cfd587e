// Puts a function of two tensors between layers.
// says: a layer has a Tensor operator()(const Tensor&), of one tensor
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  nn::Sequential model{nn::Dense{2, 2}};
  model.add([](const Tensor& a, const Tensor& b) { return a + b; });
}
