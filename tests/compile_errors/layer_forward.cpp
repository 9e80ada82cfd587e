// Has a layer whose call is named as in PyTorch.
// says: a layer has a Tensor operator()(const Tensor&), of one tensor
#include <xgrad.hpp>

using namespace xgrad;

struct Net : nn::Module {
  nn::Dense dense{2, 1};
  Tensor forward(const Tensor& x) { return dense(x); }
  void members(nn::Visitor& visit) override { visit("dense", dense); }
};

int main() {
  nn::Sequential model{nn::Dense{2, 2}, Net{}};
  model(ones({1, 2}));
}
