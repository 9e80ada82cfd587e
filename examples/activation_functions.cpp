// Draws the ten most common activation functions, each with its first and second derivative, which come from the
// engine, and says what the difference is and when to take which.
#include <algorithm>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <nn/nn.hpp>

using namespace xgrad;

namespace {

struct Activation {
  const char* name;
  Tensor (*f)(const Tensor&);
  const char* formula;
  const char* words[2];
};

const Activation activations[] = {
    {"sigmoid",
     [](const Tensor& x) { return sigmoid(x); },
     "1 / (1 + exp(−x))",
     {"Squeezes to 0 … 1: for probabilities.", "Slope at most 1/4: deep stacks learn slowly."}},
    {"tanh",
     [](const Tensor& x) { return tanh(x); },
     "(exp(x) − exp(−x)) / (exp(x) + exp(−x))",
     {"Squeezes to −1 … 1, centred: recurrent layers.", "Slope up to 1, but it fades away from 0."}},
    {"relu",
     [](const Tensor& x) { return relu(x); },
     "max(x, 0)",
     {"Cheap, its slope does not fade: the first choice.", "Slope 0 below 0: a unit stuck there is dead."}},
    {"leaky_relu",
     [](const Tensor& x) { return leaky_relu(x, 0.1); },
     "x above 0, slope · x below (here 0.1)",
     {"As relu, but some slope is left below 0,", "so that no unit dies."}},
    {"elu",
     [](const Tensor& x) { return elu(x); },
     "x above 0, exp(x) − 1 below",
     {"As relu, but smooth, and −1 far below 0:", "outputs average nearer to 0."}},
    {"selu",
     [](const Tensor& x) { return selu(x); },
     "1.0507 · elu(x, 1.6733)",
     {"elu, scaled so that layer after layer keeps", "mean 0 and variance 1."}},
    {"gelu",
     [](const Tensor& x) { return gelu(x); },
     "x · Φ(x), Φ the normal distribution",
     {"A smooth relu with a small dip:", "what transformers use."}},
    {"silu",
     [](const Tensor& x) { return silu(x); },
     "x · sigmoid(x), also called swish",
     {"A smooth relu with a larger dip:", "deep convolutional networks."}},
    {"softplus",
     [](const Tensor& x) { return softplus(x); },
     "log(1 + exp(x))",
     {"A smooth relu that is always above 0:", "for outputs that must be positive."}},
    {"log_sigmoid",
     [](const Tensor& x) { return log_sigmoid(x); },
     "log(sigmoid(x)) = −softplus(−x)",
     {"The logarithm of a probability, without", "overflow: for losses, not for hidden layers."}},
};

/// f, f' and f'' at the points x.
struct Curves {
  Tensor value, slope, curvature;
};

Curves curves_of(const Activation& a, const Tensor& x) {
  const Tensor y = a.f(x);
  const Tensor slope = grad(sum(y), {x}, {.create_graph = true})[0];
  return {y, slope, grad(sum(slope), {x}, {.zeros_if_unused = true})[0]};
}

double at(const Tensor& curve, std::int64_t i) { return curve.data<double>()[i] + 0; }  // never -0

constexpr std::int64_t points = 401, middle = 200;  // from -5 to 5

/// A curve with a gap where it jumps: there is a kink of what it is the derivative of.
Curve curve(const Tensor& x, const Tensor& y, const char* name, const char* colour, const char* dashes) {
  Curve result{.x = {}, .y = {}, .name = name, .colour = colour, .dashes = dashes};
  for (std::int64_t i = 0; i < points; i += 2) {
    if (i > 0 && std::fabs(at(y, i) - at(y, i - 2)) > 0.2) {
      result.x.push_back(NAN);
      result.y.push_back(NAN);
    }
    result.x.push_back(at(x, i));
    result.y.push_back(at(y, i));
  }
  return result;
}

std::string picture(const Tensor& x, const std::vector<Curves>& curves) {
  Charts charts{.charts = {}, .columns = 3, .width = 280, .height = 150};
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const Activation& a = activations[i];
    charts.charts.push_back(
        {.title = a.name,
         .subtitle = a.formula,
         .curves = {curve(x, curves[i].curvature, "f''(x), how fast that changes; none at a kink", "#2f8f4e", "2 3"),
                    curve(x, curves[i].slope, "f'(x), how much of a gradient comes through", "#d4602a", "7 3"),
                    curve(x, curves[i].value, "f(x), what the layer gives on", "#1f5fa8", "")},
         .x = {.ticks = {-4, -2, 0, 2, 4}},
         .y = {.ticks = {-1, 0, 1, 2}, .low = -2, .high = 2.5},
         .words = {a.words[0], a.words[1]}});
  }
  charts.charts.push_back(
      {.title = "What the curves say",
       .words = {"Where f' is near 0, nothing is learnt (vanishing", "gradients); where it jumps, there is a kink.",
                 "Without any activation, a stack of layers is just", "one linear layer."}});
  charts.charts.push_back(
      {.title = "Which one to take",
       .words = {"Hidden layers: relu. If units die: leaky_relu or elu.",
                 "Transformers and other deep networks: gelu or silu.", "A yes or no: sigmoid as the last layer.",
                 "One of several classes: softmax, along an axis.", "A number of any size: no activation at the end.",
                 "A positive number: softplus.", "A number between −1 and 1: tanh."}});
  return to_svg(charts);
}

/// Whether the engine's derivatives are those of the textbooks.
bool as_in_textbooks(const std::vector<Curves>& curves) {
  double worst = 0;
  for (std::int64_t i = 0; i < points; ++i) {
    const double s = at(curves[0].value, i), t = at(curves[1].value, i);
    worst =
        std::max({worst, std::fabs(at(curves[0].slope, i) - s * (1 - s)),
                  std::fabs(at(curves[0].curvature, i) - s * (1 - s) * (1 - 2 * s)),
                  std::fabs(at(curves[1].slope, i) - (1 - t * t)),
                  std::fabs(at(curves[1].curvature, i) + 2 * t * (1 - t * t)), std::fabs(at(curves[8].slope, i) - s),
                  std::fabs(at(curves[8].curvature, i) - s * (1 - s)), std::fabs(at(curves[2].curvature, i))});
  }
  std::printf("\nlargest difference from the formulas in textbooks: %.1e\n", worst);
  return worst < 1e-14 && at(curves[0].slope, middle) == 0.25;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string file = argc > 1 ? argv[1] : "activation_functions.svg";
  if (argc > 2 || file[0] == '-') {
    std::fputs("usage: activation_functions [FILE.svg]\n", stderr);
    return 2;
  }

  const Tensor x = linspace(-5, 5, points, {.dtype = f64, .requires_grad = true});
  std::vector<Curves> curves;
  std::printf("%-12s %8s %8s %8s %8s %8s\n", "", "f(0)", "f'(-5)", "f'(0)", "f'(5)", "f''(0)");
  for (const Activation& a : activations) {
    const Curves& c = curves.emplace_back(curves_of(a, x));
    std::printf("%-12s %8.4f %8.4f %8.4f %8.4f %8.4f\n", a.name, at(c.value, middle), at(c.slope, 0),
                at(c.slope, middle), at(c.slope, points - 1), at(c.curvature, middle));
  }
  write_file_atomically(file, picture(x, curves));
  std::printf("\ndrawn in %s\n", file.c_str());
  return as_in_textbooks(curves) ? 0 : 1;
}
