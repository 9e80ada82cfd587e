// How does attention find what it needs?
//
// A transformer of two blocks reads eight random tokens and says them backwards. At each step it has to look at another
// place, as far before the middle as it is behind, and nothing tells it where: it learns that from the vectors of the
// positions, in about sixty steps. The picture shows the weights of all heads for a sequence: a row for each step, from
// white to black by how much it looks at the one of a column. Below the middle they lie on the other diagonal.
#include <cmath>
#include <xgrad.hpp>
#include "command_line.hpp"
#include "drawn.hpp"

using namespace xgrad;

constexpr std::int64_t tokens = 10, length = 8, steps = 2 * length - 1, features = 32, heads = 2;

struct Block : nn::Module {
  nn::LayerNorm norm1{features}, norm2{features};
  nn::MultiheadAttention attention{features, heads};
  nn::Dense hidden{features, 4 * features}, output{4 * features, features};

  Tensor operator()(const Tensor& x) {
    const Tensor y = x + attention(norm1(x), {.causal = true});
    return y + output(gelu(hidden(norm2(y))));
  }
  /// The weights of attention's heads (heads, steps, steps), which it does not keep, for one sequence.
  Tensor weights(const Tensor& x) {
    const auto parts = [&](nn::Dense& d) { return permute(reshape(d(norm1(x)), {steps, heads, -1}), {1, 0, 2}); };
    const Tensor scores = matmul(parts(attention.query), parts(attention.key), {.transpose_b = true});
    return softmax(where(tril(ones({steps, steps})) > 0, scores / std::sqrt(features / heads), -INFINITY), -1);
  }
  void members(nn::Visitor& visit) override {
    visit("norm1", norm1);
    visit("norm2", norm2);
    visit("attention", attention);
    visit("hidden", hidden);
    visit("output", output);
  }
};

struct Reverser : nn::Module {
  nn::Parameter embedding{randn({tokens, features}) * .3}, position{randn({steps, features}) * .3};
  Block first, second;
  nn::LayerNorm norm{features};
  nn::Dense output{features, tokens};

  Tensor embedded(const Tensor& x) { return take(embedding, x) + position; }
  /// Logits of the token after each of x (n, steps).
  Tensor operator()(const Tensor& x) { return output(norm(second(first(embedded(x))))); }
  void members(nn::Visitor& visit) override {
    visit("embedding", embedding);
    visit("position", position);
    visit("first", first);
    visit("second", second);
    visit("norm", norm);
    visit("output", output);
  }
};

int main(int argc, char** argv) {
  CommandLine options("Learns to say what it has read backwards.", "transformer_copy.svg");
  options.read(argc, argv);
  manual_seed(options.seed);
  Reverser model;
  optim::Adam optimizer{model.parameters(), {.lr = 3e-3}};
  Curve curve;
  Tensor read;
  for (int step = 1; step <= 1500 && (step == 1 || curve.y.back() < 1); ++step, options.check_time()) {
    const Tensor half = randint({64, length}, 0, tokens), back = flip(half, 1);
    read = concatenate({half, slice(back, 1, 0, length - 1)}, 1);
    const Tensor logits = slice(model(read), 1, length - 1, steps);  // the first half cannot be known
    const Tensor loss = nn::cross_entropy(flatten(logits, 0, 1), flatten(back));
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    curve.x.push_back(step), curve.y.push_back(mean(argmax(logits, -1) == back).item());
  }
  const NoGrad guard;
  const Tensor x = model.embedded(slice(read, 0, 0, 1));
  const Tensor maps[] = {model.first.weights(x), model.second.weights(model.first(x))};
  std::string drawings;
  for (int i = 0; i < 4; ++i)
    drawings += drawn(maps[i / 2][i % 2], 0, 1, {10. + 170 * i, 10}, 160, text("block ", i / 2, ", head ", i % 2));
  write_file_atomically(options.picture, svg_picture(690, 200, drawings));
  std::printf("all of %lld tokens are right after %zu steps\n", static_cast<long long>(64 * length), curve.x.size());
  return curve.y.back() == 1 ? 0 : 1;
}
