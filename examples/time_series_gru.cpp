// How does a series go on?
//
// A GRU learns what comes after each value of two waves and noise, and then reads its own forecasts in place of values:
// a hundred steps ahead its error is a fifth of that of the last value, which is the forecast to beat. The picture
// shows both where the series ends: what the noise has hidden of the waves adds up, step by step.
#include <cmath>
#include <xgrad.hpp>
#include "command_line.hpp"

using namespace xgrad;

struct Forecaster : nn::Module {
  nn::GRU gru{1, 32};
  nn::Dense output{32, 1};

  /// What comes after each step of x (n, steps, 1); `state` moves on.
  Tensor operator()(const Tensor& x, Tensor& state) {
    const auto [states, last] = gru(x, {.state = state});
    state = last;
    return output(states);
  }
  void members(nn::Visitor& visit) override {
    visit("gru", gru);
    visit("output", output);
  }
};

double wave(int t) { return .6 * std::sin(.2 * t) + .4 * std::sin(.063 * t + 1); }

Tensor series(int from, int to) {
  std::vector<float> values;
  for (int t = from; t < to; ++t) values.push_back(static_cast<float>(wave(t)));
  return from_values(values, {1, to - from, 1}) + .02 * randn({1, to - from, 1});
}

int main(int argc, char** argv) {
  CommandLine options("Learns a series, and forecasts how it goes on.", "time_series_gru.svg");
  options.read(argc, argv);
  constexpr int length = 640, window = 96, ahead = 100;
  manual_seed(options.seed);
  const Tensor known = series(0, length);
  // Windows side by side as a batch, one step after another as targets.
  const Tensor x = reshape(slice(known, 1, 0, 576), {6, window, 1}),
               y = reshape(slice(known, 1, 1, 577), {6, window, 1});

  Forecaster model;
  optim::Adam optimizer{model.parameters(), {.lr = 1e-2}};
  auto step = capture([&] {
    Tensor state;
    const Tensor loss = nn::mse_loss(model(x, state), y);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  for (int i = 1; i <= 1000; ++i, options.check_time())
    if (const double loss = step().item(); i % 250 == 0) std::printf("step %3d   loss %.5f\n", i, loss);

  const NoGrad guard;
  Tensor state, next = select(model(slice(known, 1, length - window, length), state), 1, -1);
  Curve forecast{{}, {}, "forecast", "#c8402f"}, truth{{}, {}, "without noise", "#1f6fb4", "5 4"};
  double squares = 0, naive = 0;
  for (int t = length; t < length + ahead; ++t) {
    const double value = next.item(), error = value - wave(t), from_last = wave(length - 1) - wave(t);
    squares += error * error, naive += from_last * from_last;
    forecast.x.push_back(t), forecast.y.push_back(value);
    next = select(model(unsqueeze(next, 1), state), 1, -1);
  }
  for (int t = length - 100; t < length + ahead; ++t) truth.x.push_back(t), truth.y.push_back(wave(t));
  write_file_atomically(options.picture,
                        to_svg(Charts{{{.title = "A GRU goes on", .curves = {truth, forecast}}}, 1, 640}));

  const double error = std::sqrt(squares / ahead), of_last = std::sqrt(naive / ahead);
  std::printf("%d steps ahead: error %.3f, of the last value %.3f\n", ahead, error, of_last);
  return error < .5 * of_last ? 0 : 1;
}
