// Differentiates by one tensor, and by several.
// compiles
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  const Tensor x = ones({3}, {.requires_grad = true});
  const nn::Parameter w{ones({3})};
  const Tensor first = grad(sum(x * w), x), second = grad(sum(x * w), w, {.retain_graph = true});
  const std::vector<Tensor> all = grad(sum(x * w), {x}), both = grad(sum(x * w), {x, w});
}
