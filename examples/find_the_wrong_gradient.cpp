// A hall of mistakes that people make in gradients. Each is planted in the middle of a small network, whose forward is
// right; gradcheck finds the op, its line, and what is wrong with it. With --page FILE, the last one is written as
// HTML.
#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>
#include <cstring>
#include <iostream>

using namespace xgrad;

namespace {

/// softplus(x) + b for a row b, with its derivatives by x and by b as rules. As Operands, x and b know the line of the
/// call.
template <class ByX, class ByB>
Tensor activation(const Operand& x, const Operand& b, ByX by_x, ByB by_b) {
  return primitive(
      "activation", {x, b}, [&] { return (softplus(x.tensor().detach()) + b.tensor().detach()).array(); }, by_x, by_b);
}

struct Exhibit {
  const char* mistake;
  Tensor (*op)(const Tensor& x, const Tensor& b);
  const char* found;    // the op that gradcheck should name
  const char* pattern;  // and what it should call the mistake
  int order = 1;
};

// The right rules: the cotangent g times sigmoid(x), and g summed over the rows that b was repeated for.
auto right_x(const Tensor& x) {
  return [x](const Tensor& g) { return g * sigmoid(x); };
}
Tensor right_b(const Tensor& g) { return sum(g, {0}); }

Tensor last_saved = zeros({4, 4}, {.dtype = f64});

const Exhibit hall[] = {
    {"the sign is wrong",
     [](const Tensor& x, const Tensor& b) {
       return activation(
           x, b, [x](const Tensor& g) { return g * -sigmoid(x); }, right_b);
     },
     "activation", "factor -1"},
    {"a factor of 1.0005, too small for a tolerance of 0.1 %",
     [](const Tensor& x, const Tensor& b) {
       return activation(
           x, b, [x](const Tensor& g) { return g * 1.0005 * sigmoid(x); }, right_b);
     },
     "activation", "factor 1.0005"},
    {"a mean over the rows instead of a sum",
     [](const Tensor& x, const Tensor& b) {
       return activation(x, b, right_x(x), [](const Tensor& g) { return mean(g, {0}); });
     },
     "activation", "factor 1/n"},
    {"the bias sees one row only",
     [](const Tensor& x, const Tensor& b) {
       return activation(x, b, right_x(x), [](const Tensor& g) { return squeeze(slice(g, 0, 0, 1), 0); });
     },
     "activation", "axis 0 not summed"},
    {"one sum too many",
     [](const Tensor& x, const Tensor& b) {
       return activation(x, b, right_x(x), [](const Tensor& g) { return broadcast_to(sum(g), {4}); });
     },
     "activation", "axis 0 summed too often"},
    {"rows and columns have changed places",
     [](const Tensor& x, const Tensor& b) {
       return activation(
           x, b, [x](const Tensor& g) { return transpose(g * sigmoid(x)); }, right_b);
     },
     "activation", "transposed"},
    {"off by one column",
     [](const Tensor& x, const Tensor& b) {
       const auto rule = [x](const Tensor& g) { return pad(slice(g * sigmoid(x), 1, 1, 4), {{0, 0}, {0, 1}}, 0); };
       return activation(x, b, rule, right_b);
     },
     "activation", "shifted"},
    {"a saved value that the next call overwrites",
     [](const Tensor& x, const Tensor& b) {
       last_saved = sigmoid(x.detach());
       return activation(
           x, b, [](const Tensor& g) { return g * last_saved; }, right_b);
     },
     "activation", "stale"},
    {"noise of one part in 10^9",
     [](const Tensor& x, const Tensor& b) {
       const auto rule = [x](const Tensor& g) { return g * sigmoid(x) * (1 + 1e-9 * randn({}, {.dtype = f64})); };
       return activation(x, b, rule, right_b);
     },
     "activation", "jitter"},
    {"no rule at all for the bias",
     [](const Tensor& x, const Tensor& b) { return activation(x, b, right_x(x), not_differentiable); }, "activation",
     "detached"},
    {"every op is right, but a part was detached",
     [](const Tensor& x, const Tensor& b) { return softplus(x) * sigmoid(x.detach()) + b; }, "sigmoid", "detached"},
    {"a number that was taken out of a tensor",
     [](const Tensor& x, const Tensor& b) { return x * max(x).item<double>() + b; }, "multiply", "detached"},
    {"the first derivative is right, and the second is not",
     [](const Tensor& x, const Tensor& b) {
       return activation(
           x, b, [x](const Tensor& g) { return g * sigmoid(x.detach()); }, right_b);
     },
     "activation", "detached", 2},
    {"one element of sixteen",
     [](const Tensor& x, const Tensor& b) {
       const auto rule = [x](const Tensor& g) {
         const Tensor factor = ones({4, 4}, {.dtype = f64});
         factor.data<double>()[6] = 0.9;
         return g * factor * sigmoid(x);
       };
       return activation(x, b, rule, right_b);
     },
     "activation", "one element"},
};

}  // namespace

int main(int argc, char** argv) try {
  const bool page = argc == 3 && std::strcmp(argv[1], "--page") == 0;
  if (argc > 1 && !page) {
    std::cerr << "usage: find_the_wrong_gradient [--page FILE.html]\n";
    return 2;
  }
  manual_seed(1);
  const Tensor x = randn({4, 3}, {.dtype = f64}), w = randn({3, 4}, {.dtype = f64}), b = randn({4}, {.dtype = f64});

  int missed = 0;
  std::string last;
  for (const Exhibit& exhibit : hall) {
    const auto network = [&](const Tensor& weight, const Tensor& bias) {
      return mean(square(tanh(exhibit.op(matmul(x, weight), bias))));
    };
    const GradcheckReport report = gradcheck(network, {w, b}, {.order = exhibit.order});
    std::cout << exhibit.mistake << ":\n";
    bool found = false;
    for (const GradcheckCulprit& c : report.culprits()) {
      found |= c.op == exhibit.found && c.pattern == exhibit.pattern;
      std::cout << "    line " << c.place.line << ": " << c.op << ", input " << c.input << ": " << c.pattern << '\n';
    }
    if (!found) std::cout << "    NOT FOUND\n" << report;
    missed += !found;
    if (page) last = report.to_html(exhibit.mistake);
  }
  if (page) write_file_atomically(argv[2], last);
  std::cout << std::size(hall) - static_cast<std::size_t>(missed) << " of " << std::size(hall) << " found\n";
  return missed == 0 ? 0 : 1;
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
