// How does a perceptron learn, and what does gradient descent add?
//
// Rosenblatt's rule (1958) looks at one point after the other. A point on the wrong side of the line pulls it over, by
// being added to the weights; all others change nothing. That is a step of stochastic gradient descent on max(0, -t z),
// as is checked here against the engine's gradient. If a line can separate the classes, the rule finds one after
// finitely many corrections (Novikoff 1962), but any one, perhaps close to some points. If none can, it never comes to
// rest. Gradient descent on log(1 + exp(-t z)) listens to all points at once: it goes on to widen the gap, and settles
// where some points must stay on the wrong side. Neither can draw more than a line: for that see xor.cpp.
#include <cmath>
#include <xgrad.hpp>
#include "command_line.hpp"

using namespace xgrad;

struct Points {
  Tensor x, t;  // (n, 3), with a third column of ones, by which the bias is a weight too; (n), -1 or 1
};

/// Points on both sides of a line. Without noise none is nearer to it than 0.05; with it some are on the wrong side.
Points points(double noise) {
  const Tensor across = tensor({2., 1.}) / std::sqrt(5.), at = uniform({100, 2}, -1, 1);
  const Tensor t = sign(matmul(at, across) + noise * randn({100}));
  return {concatenate({noise > 0 ? at : at + 0.05 * outer(t, across), ones({100, 1})}, 1), t};
}

/// How far each point is from the line where x . w = 0; negative on the wrong side.
Tensor distances(const Points& p, const Tensor& w) { return p.t * matmul(p.x, w) / norm(slice(w, 0, 0, 2)); }
double mistakes(const Points& p, const Tensor& w) { return sum(distances(p, w) < 0).item(); }

using Path = std::vector<Tensor>;  // the weights at first, and after each change
Path perceptron(const Points& p, bool& is_descent) {
  Path path{tensor({-1., 1., 0.5})};
  for (int pass = 0; pass < 100 && mistakes(p, path.back()) > 0; ++pass)
    for (int i = 0; i < p.t.size(); ++i) {
      const Tensor w = path.back();
      const auto [loss, g] = value_and_grad([&](const Tensor& v) { return relu(-p.t[i] * dot(v, p.x[i])); }, w);
      if (loss.item() == 0) continue;
      path.push_back(w + p.t[i] * p.x[i]);
      is_descent &= all(path.back() == w - g).item<bool>();
    }
  return path;
}

Path gradient_descent(const Points& p) {
  Path path{tensor({-1., 1., 0.5})};
  for (int step = 0; step < 5000; ++step) {
    const auto loss = [&](const Tensor& w) { return mean(softplus(-p.t * matmul(p.x, w))); };
    path.push_back(path.back() - 2 * value_and_grad(loss, path.back()).grad);
  }
  return path;
}

/// The points, and the line at six moments, the later the darker.
Chart chart(const char* title, const Points& p, const Path& path) {
  Chart chart{.title = title,
              .subtitle = text(path.size() - 1, " changes, ", mistakes(p, path.back()), " points on the wrong side"),
              .x = {.low = -1.1, .high = 1.1},
              .y = {.low = -1.1, .high = 1.1}};
  for (int k = 0; const char* shade : {"#dbe7f3", "#b7cfe8", "#8fb5dc", "#6498cc", "#3a7bb9", "#0b4f8f"}) {
    const Tensor& w = path[static_cast<std::size_t>(std::pow(path.size(), k++ / 5.) - 0.5)];
    const Tensor x = tensor({-1.1, 1.1}), y = -(w[0] * x + w[2]) / w[1];
    chart.curves.push_back({.x = to_vector(x), .y = to_vector(y), .colour = shade});
  }
  for (const auto& [side, colour] : {std::pair(-1, "#d9622b"), std::pair(1, "#2f8f4e")}) {
    const Tensor x = select(p.x, 1, 0), y = where(p.t == side, select(p.x, 1, 1), NAN);
    chart.curves.push_back({to_vector(x), to_vector(y), "", colour, "", true, false});
  }
  return chart;
}

int main(int argc, char** argv) {
  CommandLine options("Draws the paths of Rosenblatt's rule and of gradient descent.", "perceptron.svg");
  options.read(argc, argv);
  manual_seed(options.seed);
  bool as_said = true;
  Charts paths{.charts = {}, .width = 300, .height = 300};
  for (const double noise : {0., 0.2}) {
    const Points p = points(noise);
    const Path rule = perceptron(p, as_said), descent = gradient_descent(p);
    paths.charts.push_back(chart("Rosenblatt's rule", p, rule));
    paths.charts.push_back(chart("Gradient descent", p, descent));
    const double gap = min(distances(p, rule.back())).item(), wider = min(distances(p, descent.back())).item();
    const double last_step = norm(descent.back() - descent.end()[-2]).item();
    std::printf("nearest point %.3g, by descent %.3g, whose last step was %.3g\n", gap, wider, last_step);
    as_said &= noise == 0 ? 0 < gap && gap < wider : last_step < 1e-4 && mistakes(p, rule.back()) > 0;
  }
  write_file_atomically(options.picture, to_svg(paths));
  return as_said ? 0 : 1;
}
