// Regression by a Gaussian process: a function is learnt from 40 noisy values, with its own uncertainty. How smooth it
// is and how loud the noise are learnt too, by L-BFGS on the likelihood, whose gradient goes through Cholesky's factor.
#include <cmath>
#include <cstdio>
#include <xgrad.hpp>

using namespace xgrad;

namespace {

/// Logarithms of the function's size, the length along which it changes, and the noise.
struct Process {
  Tensor size = tensor(0., {.dtype = f64, .requires_grad = true});
  Tensor length = tensor(0., {.dtype = f64, .requires_grad = true});
  Tensor noise = tensor(-1., {.dtype = f64, .requires_grad = true});

  /// How the function's values at a (m) and b (n) vary together, (m, n).
  Tensor covariance(const Tensor& a, const Tensor& b) const {
    return exp(2 * size - square((unsqueeze(a, 1) - b) / exp(length)) / 2);
  }
  /// Cholesky's factor of the covariance of what is measured at x.
  Tensor factor(const Tensor& x) const {
    return linalg::cholesky(covariance(x, x) + exp(2 * noise) * eye(x.size(), f64));
  }
  /// -log p(y | x) (Rasmussen and Williams 2006, equation 2.30).
  Tensor loss(const Tensor& x, const Tensor& y) const {
    const Tensor l = factor(x);
    const Tensor white = linalg::solve_triangular(l, y);
    return sum(square(white)) / 2 + linalg::slogdet(l).logabsdet + 0.5 * std::log(6.283185307) * double(x.size());
  }
};

/// Mean and deviation of the function at `at`, given the values y at x (algorithm 2.1).
std::pair<Tensor, Tensor> predict(const Process& process, const Tensor& x, const Tensor& y, const Tensor& at) {
  const NoGrad guard;
  const Tensor l = process.factor(x), both = linalg::solve_triangular(l, process.covariance(x, at));
  const Tensor mean = matmul(linalg::solve_triangular(l, y), both);
  return {mean, sqrt(exp(2 * process.size) - sum(square(both), 0))};
}

Tensor truth(const Tensor& x) { return sin(2 * x) + x / 3; }

std::string picture(const Tensor& x, const Tensor& y, const Tensor& at, const Tensor& mean, const Tensor& deviation) {
  const auto curve = [&](const Tensor& line, const char* name, const char* colour, const char* dashes) {
    return Curve{.x = to_vector(at), .y = to_vector(line), .name = name, .colour = colour, .dashes = dashes};
  };
  Chart chart{.title = "What 40 noisy values tell of a function"};
  chart.curves = {
      curve(truth(at), "the function", "#999999", "6 4"), curve(mean, "its mean", "#1f6fb4", ""),
      curve(mean - 2 * deviation, "two deviations", "#8fbce0", ""), curve(mean + 2 * deviation, "", "#8fbce0", ""),
      Curve{.x = to_vector(x), .y = to_vector(y), .name = "values", .colour = "#c33", .dots = true, .line = false}};
  return to_svg(Charts{.charts = {chart}, .columns = 1, .width = 640, .height = 300});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
    std::fputs("usage: gaussian_process [PICTURE.svg]\n", stderr);
    return 2;
  }
  if (!linalg::available()) {
    std::puts("LAPACK is missing: install Debian's package liblapacke");
    return 77;
  }
  manual_seed(0);
  constexpr double noise = 0.2;
  const Tensor x = concatenate({uniform({25}, -4, 0, f64), uniform({15}, 2, 4, f64)});  // nothing between 0 and 2
  const Tensor y = truth(x) + noise * randn({40}, f64), at = linspace(-4, 4, 161, f64);

  Process process;
  std::printf("-log p(y) %8.3f\n", process.loss(x, y).item());
  optim::LBFGS optimizer{{process.size, process.length, process.noise},
                         {.max_iter = 50, .line_search = optim::LineSearch::strong_wolfe}};
  optimizer.step([&] {
    optimizer.zero_grad();
    const Tensor loss = process.loss(x, y);
    loss.backward();
    return loss;
  });
  const auto learnt = [](const Tensor& logarithm) { return std::exp(logarithm.item()); };
  std::printf("learnt    %8.3f with size %.3f, length %.3f and noise %.3f\n", process.loss(x, y).item(),
              learnt(process.size), learnt(process.length), learnt(process.noise));

  const auto [guess, deviation] = predict(process, x, y, at);
  if (argc == 2) write_file_atomically(argv[1], picture(x, y, at, guess, deviation));
  const double within = mean(abs(guess - truth(at)) < 2 * deviation).item();
  const double gap = deviation.at(100).item(), beside = deviation.at(40).item();  // at 1 and at -2
  std::printf("deviation %8.3f at 1, %.3f at -2; off by less than two of them at %.0f %%\n", gap, beside, 100 * within);
  return std::fabs(learnt(process.noise) - noise) < 0.05 && gap > 3 * beside && within > 0.9 ? 0 : 1;
}
