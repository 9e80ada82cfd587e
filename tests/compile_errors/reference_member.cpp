// Assigns to a model that refers to another one.
// says: non-static reference member
#include <xgrad.hpp>

using namespace xgrad;

struct Net : nn::Module {
  nn::Dense& dense;
  explicit Net(nn::Dense& shared) : dense(shared) {}
  Tensor operator()(const Tensor& x) { return dense(x); }
  void members(nn::Visitor& visit) override { visit("dense", dense); }
};

int main() {
  nn::Dense dense{2, 1};
  Net net(dense), other(dense);
  net = other;
}
