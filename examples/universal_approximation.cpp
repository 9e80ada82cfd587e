// Can a network with one hidden layer compute any function?
//
// Any continuous function on a closed interval (or box), to any error, if the layer is wide enough (Cybenko 1989,
// Hornik 1991). The theorem says that weights exist; it does not say how wide is enough, nor that training finds them.
// So this program measures: it fits a function with a kink by layers of 1 to 64 tanh units, takes the best of a few
// starts, and draws the error against the width. Little is gained until there is a unit for each bend; then the error
// drops, and past that the optimiser limits it more than the width does.
#include <cmath>
#include <map>
#include <xgrad.hpp>
#include "command_line.hpp"

using namespace xgrad;

/// Continuous, but not smooth at 0.3.
Tensor f(const Tensor& x) { return sin(15 * x) * exp(-x) + 3 * abs(x - 0.3); }

/// The values on `grid` of a layer of this width and a line on top of it, fitted to f at the points x.
Tensor fit(std::int64_t width, const Tensor& x, const Tensor& grid) {
  // Steep and spread over the interval, so that each unit bends the curve at a place of its own.
  const nn::DenseOptions spread{
      .weight_init = nn::init::normal(0, 6), .bias_init = nn::init::uniform(-6, 6), .dtype = f64};
  nn::Sequential model{nn::Dense{1, width, spread}, nn::Tanh{}, nn::Dense{width, 1, {.dtype = f64}}};
  optim::LBFGS optimizer{model.parameters(), {.max_iter = 1000, .line_search = optim::LineSearch::strong_wolfe}};
  const Tensor target = f(x);
  optimizer.step([&] {
    const Tensor loss = nn::mse_loss(model(x), target);
    optimizer.zero_grad();
    loss.backward();
    return loss;
  });
  const NoGrad guard;
  return model(grid);
}

int main(int argc, char** argv) {
  CommandLine options("Fits a function by hidden layers of growing width.", "universal_approximation.svg");
  int starts = 3;
  options.add("--starts", starts, "fits of each width, of which the best counts", 1, 1000);
  options.read(argc, argv);
  manual_seed(options.seed);
  const Tensor x = unsqueeze(linspace(-1, 1, 200, f64), 1), grid = unsqueeze(linspace(-1, 1, 401, f64), 1);

  const std::map<double, std::string> drawn{{2, "#d9622b"}, {8, "#2f8f4e"}, {64, "#1f6fb4"}};  // widths, colours
  Chart fits{.title = "Fits by width"};
  Chart errors{.title = "Largest error by width",
               .x = {.label = "hidden units", .ticks = {1, 2, 4, 8, 16, 32, 64}, .logarithmic = true},
               .y = {.logarithmic = true}};
  std::vector<double> error;
  for (const double width : errors.x.ticks) {
    Tensor best;
    error.push_back(INFINITY);
    for (int start = 0; start < starts; ++start) {
      options.check_time();
      const Tensor values = fit(static_cast<std::int64_t>(width), x, grid);
      const double largest = max(abs(values - f(grid))).item();
      if (largest < error.back()) error.back() = largest, best = values;
    }
    std::printf("%3.0f hidden units: largest error %.4f\n", width, error.back());
    if (const auto found = drawn.find(width); found != drawn.end())
      fits.curves.push_back({to_vector(grid), to_vector(best), text(width, " units"), found->second});
  }
  fits.curves.push_back({to_vector(grid), to_vector(f(grid)), "f", "#24292f", "2 4"});
  errors.curves.push_back({.x = errors.x.ticks, .y = error, .dots = true});
  write_file_atomically(options.picture, to_svg(Charts{{fits, errors}}));
  return error[0] > error[2] && error[2] > error[3] && error[6] < error[3] / 5 ? 0 : 1;
}
