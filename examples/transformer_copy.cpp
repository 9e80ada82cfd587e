// Two blocks of a transformer learn to repeat a random sequence that they have read. Draws the accuracy into an SVG
// file.
#include <cstdio>
#include <string>
#include <xgrad.hpp>

using namespace xgrad;

namespace {

constexpr std::int64_t tokens = 10, length = 8, steps = 2 * length, features = 32;

struct Block : nn::Module {
  nn::LayerNorm norm1{features}, norm2{features};
  nn::MultiheadAttention attention{features, 2};
  nn::Dense hidden{features, 4 * features}, output{4 * features, features};

  Tensor operator()(const Tensor& x) {
    const Tensor y = x + attention(norm1(x), {.causal = true});
    return y + output(gelu(hidden(norm2(y))));
  }
  void members(nn::Visitor& visit) override {
    visit("norm1", norm1);
    visit("norm2", norm2);
    visit("attention", attention);
    visit("hidden", hidden);
    visit("output", output);
  }
};

struct Copier : nn::Module {
  nn::Parameter embedding{randn({tokens, features}) * .3}, position{randn({steps - 1, features}) * .3};
  Block first, second;
  nn::LayerNorm norm{features};
  nn::Dense output{features, tokens};

  /// Logits of the token after each of x (n, steps - 1).
  Tensor operator()(const Tensor& x) { return output(norm(second(first(take(embedding, x) + position)))); }
  void members(nn::Visitor& visit) override {
    visit("embedding", embedding);
    visit("position", position);
    visit("first", first);
    visit("second", second);
    visit("norm", norm);
    visit("output", output);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
    std::fputs("usage: transformer_copy [FILE.svg]\n", stderr);
    return 2;
  }
  manual_seed(0);
  Copier model;
  optim::Adam optimizer{model.parameters(), {.lr = 2e-3}};
  Curve curve;
  double accuracy = 0;
  for (int step = 1; step <= 400 && accuracy < .999; ++step) {
    const Tensor half = randint({64, length}, 0, tokens), all = concatenate({half, half}, 1);
    // Only the second half can be known; the tokens of the first are left out of the loss.
    const Tensor logits = slice(model(slice(all, 1, 0, steps - 1)), 1, length - 1, steps - 1);
    const Tensor loss = nn::cross_entropy(reshape(logits, {-1, tokens}), flatten(half));
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    accuracy = mean(argmax(logits, -1) == half).item();
    curve.x.push_back(step), curve.y.push_back(accuracy);
    if (step % 50 == 0) std::printf("step %3d   loss %.4f   accuracy %.3f\n", step, loss.item(), accuracy);
  }
  if (argc > 1) write_file_atomically(argv[1], to_svg(Charts{{{.title = "Tokens repeated", .curves = {curve}}}, 1}));
  std::printf("accuracy %.4f\n", accuracy);
  return accuracy > .99 ? 0 : 1;
}
