// Can a network learn to write, one letter after the other?
//
// It learns what may come next. An LSTM reads the GNU General Public License, which Debian ships; what it has read so
// far is its state, handed on from one part of the text to the next. Perplexity is among how many letters it would have
// to guess: 76 before, 4.6 on a tenth of the text that it has not learnt from, 3.1 on what it has, for 32 000 letters
// are few enough to learn much of them by heart. What it writes then looks like a licence, and means nothing.
#include <cmath>
#include <fstream>
#include <xgrad.hpp>
#include "command_line.hpp"

using namespace xgrad;

constexpr std::int64_t epochs = 20, streams = 20, part = 32, units = 128;

struct Letters : nn::Module {
  std::int64_t letters;
  nn::LSTM lstm;
  nn::Dense output;

  explicit Letters(std::int64_t n) : letters(n), lstm(n, units), output(units, n) {}
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

/// The perplexity of a text (n, steps), which is read part by part, and learnt if there is an optimiser.
double read(Letters& model, const Tensor& text, optim::Adam* optimizer) {
  const std::int64_t end = text.shape()[1] - 1;
  LstmState state;
  double total = 0;
  for (std::int64_t from = 0, to; from < end; from = to) {
    to = std::min(from + part, end);
    const Tensor logits = model(slice(text, 1, from, to), state);
    const Tensor loss = nn::cross_entropy(flatten(logits, 0, 1), flatten(slice(text, 1, from + 1, to + 1)));
    total += loss.item() * static_cast<double>(to - from);
    if (!optimizer) continue;
    optimizer->zero_grad();
    loss.backward();
    optimizer->step();
  }
  return std::exp(total / static_cast<double>(end));
}

int main(int argc, char** argv) {
  CommandLine options("Learns a text letter by letter, and writes some.", "character_lstm.svg");
  std::string file = "/usr/share/common-licenses/GPL-3";
  options.add("--text", file, "file to learn from");
  options.read(argc, argv);
  if (!std::ifstream(file)) return std::printf("no %s: --text names another file to learn from\n", file.c_str()), 77;

  manual_seed(options.seed);
  const std::string text = read_file(file);
  const auto vocabulary = nn::Vocabulary::of_characters(text);
  const Tensor all = vocabulary.encode(text), even = slice(all, 0, 0, all.size() / streams * streams);
  const Tensor streamed = reshape(even, {streams, -1});
  const Tensor test = slice(streamed, 0, 10, 12);  // two from the middle, in a row
  const Tensor train = concatenate({slice(streamed, 0, 0, 10), slice(streamed, 0, 12, streams)});

  Letters model(vocabulary.size());
  optim::Adam optimizer{model.parameters(), {.lr = 5e-3}};
  Curve learnt{{}, {}, "learnt from"}, unseen{{}, {}, "held out", "#c0392b"};
  for (int epoch = 1; epoch <= epochs; ++epoch, options.check_time()) {
    learnt.x.push_back(epoch), learnt.y.push_back(read(model, train, &optimizer));
    const NoGrad guard;
    unseen.x.push_back(epoch), unseen.y.push_back(read(model, test, nullptr));
  }
  const Chart chart{.title = "Perplexity of a letter", .curves = {learnt, unseen}, .x = {.label = "epoch"}};
  write_file_atomically(options.picture, to_svg({.charts = {chart}, .columns = 1}));

  const NoGrad guard;
  LstmState state;
  std::string said = "  You may ";
  Tensor next = vocabulary.encode(said);
  for (int i = 0; i < 400; ++i, said += vocabulary.decode(next)) {
    const Tensor logits = model(unsqueeze(next, 0), state)[0][-1] / 0.7;  // below 1 it dares less
    next = multinomial(softmax(logits, -1), 1);
  }
  std::printf("%s\nperplexity %.2f of what it learnt from, %.2f of what it did not\n", said.c_str(), learnt.y.back(),
              unseen.y.back());
  return unseen.y.back() < 5.2 ? 0 : 1;
}
