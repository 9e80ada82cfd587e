// Teaches a model of one's own the exclusive or, which no single layer can compute.
#include <cstdio>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xgrad;

namespace {

/// A model is a struct: its layers are members, the call operator says what it computes, and `members` lists what it
/// is made of.
struct Xor : nn::Module {
  nn::Dense hidden{2, 8}, output{8, 1};

  Tensor operator()(const Tensor& x) { return output(tanh(hidden(x))); }

  void members(nn::Visitor& visit) override {
    visit("hidden", hidden);
    visit("output", output);
  }
};

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::fputs("usage: xor\n", stderr);
    return 2;
  }

  const Tensor inputs = tensor({{0., 0.}, {0., 1.}, {1., 0.}, {1., 1.}});
  const Tensor targets = tensor({{0.}, {1.}, {1.}, {0.}});

  manual_seed(0);
  Xor model;
  std::puts(model.summary().c_str());

  optim::Adam optimizer{model.parameters(), {.lr = 0.05}};
  for (int step = 1; step <= 200; ++step) {
    optimizer.zero_grad();
    const Tensor loss = nn::binary_cross_entropy_with_logits(model(inputs), targets);
    loss.backward();
    optimizer.step();
    if (step % 50 == 0) std::printf("step %3d   loss %.4f\n", step, loss.item<double>());
  }

  const NoGrad guard;
  const Tensor probabilities = sigmoid(model(inputs));
  std::puts("\na  b   a xor b   P(a xor b)");
  for (int row = 0; row < 4; ++row)
    std::printf("%g  %g      %g        %.4f\n", inputs.data<float>()[2 * row], inputs.data<float>()[2 * row + 1],
                targets.data<float>()[row], probabilities.data<float>()[row]);

  const bool learned = all(abs(probabilities - targets) < 0.05).item<bool>();
  std::puts(learned ? "\nLearned." : "\nNot learned.");
  return learned ? 0 : 1;
}
