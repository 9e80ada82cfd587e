// An LSTM learns a rhyme letter by letter, its state handed on from one part of the text to the next, and recites it.
// Draws the loss into an SVG file.
#include <cstdio>
#include <string>
#include <xgrad.hpp>

using namespace xgrad;

namespace {

constexpr const char* rhyme =
    "This is the house that Jack built.\n"
    "This is the malt that lay in the house that Jack built.\n"
    "This is the rat that ate the malt that lay in the house that Jack built.\n"
    "This is the cat that killed the rat that ate the malt that lay in the house that Jack built.\n"
    "This is the dog that worried the cat that killed the rat that ate the malt that lay in the house that Jack "
    "built.\n";

struct Letters : nn::Module {
  nn::LSTM lstm;
  nn::Dense output;
  std::int64_t letters;

  explicit Letters(std::int64_t n) : lstm(n, 96), output(96, n), letters(n) {}
  /// Logits of the letter after each of x (n, steps); `state` moves on.
  Tensor operator()(const Tensor& x, LstmState& state) {
    const auto [states, last] = lstm(one_hot(x, letters), {.state = state});
    state = {last.hidden.detach(), last.cell.detach()};
    return output(states);
  }
  void members(nn::Visitor& visit) override {
    visit("lstm", lstm);
    visit("output", output);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
    std::fputs("usage: character_lstm [FILE.svg]\n", stderr);
    return 2;
  }
  manual_seed(0);
  const auto vocabulary = nn::Vocabulary::of_characters(rhyme);
  const Tensor text = unsqueeze(vocabulary.encode(rhyme), 0);
  const std::int64_t length = text.shape()[1], part = 186;

  Letters model(vocabulary.size());
  optim::Adam optimizer{model.parameters(), {.lr = 5e-3}};
  Curve curve;
  double loss_of_epoch = 0;
  for (int epoch = 1; epoch <= 800; ++epoch) {
    LstmState state;
    double total = 0;
    for (std::int64_t from = 0; from + 1 < length; from += part) {
      const std::int64_t to = std::min(from + part, length - 1);
      const Tensor logits = model(slice(text, 1, from, to), state);
      const Tensor loss = nn::cross_entropy(squeeze(logits, 0), flatten(slice(text, 1, from + 1, to + 1)));
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      total += loss.item() * static_cast<double>(to - from);
    }
    loss_of_epoch = total / static_cast<double>(length - 1);
    curve.x.push_back(epoch), curve.y.push_back(loss_of_epoch);
    if (epoch % 200 == 0) std::printf("epoch %3d   loss %.4f\n", epoch, loss_of_epoch);
  }
  if (argc > 1) write_file_atomically(argv[1], to_svg(Charts{{{.title = "Loss of a letter", .curves = {curve}}}, 1}));

  const NoGrad guard;
  std::string said = "T";
  LstmState state;
  Tensor next = vocabulary.encode(said);
  while (std::ssize(said) < length) {
    next = flatten(argmax(model(reshape(next, {1, 1}), state), -1));
    said += vocabulary.decode(next);
  }
  std::printf("%s", said.c_str());
  std::int64_t right = 0;
  for (std::size_t i = 0; i < said.size(); ++i) right += said[i] == rhyme[i];
  std::printf("%lld of %lld letters as in the rhyme\n", static_cast<long long>(right), static_cast<long long>(length));
  return loss_of_epoch < .05 ? 0 : 1;
}
