// Taylor series by repeated gradients: the n-th derivative is the gradient of the one before, and the coefficient of
// x^n is the n-th derivative at 0, divided by n!.
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>

using namespace xgrad;

namespace {

/// f and its first `order` derivatives at x.
template <class F>
std::vector<double> derivatives(F f, double at, int order) {
  const Tensor x = tensor(at, {.dtype = f64, .requires_grad = true});
  Tensor y = f(x);
  std::vector<double> values{y.item<double>()};
  for (int n = 1; n <= order; ++n) {
    y = grad(y, {x}, {.create_graph = true})[0];
    values.push_back(y.item<double>() + 0.);  // a zero without a sign
  }
  return values;
}

struct Series {
  const char* name;
  Tensor (*f)(const Tensor&);
  std::vector<double> coefficients;  // of the known series, in lowest terms
};

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::fputs("usage: higher_order\n", stderr);
    return 2;
  }

  const Series all[] = {
      {"exp(sin x)",
       [](const Tensor& x) { return exp(sin(x)); },
       {1, 1, 1. / 2, 0, -1. / 8, -1. / 15, -1. / 240, 1. / 90, 31. / 5760}},
      {"tanh x", [](const Tensor& x) { return tanh(x); }, {0, 1, 0, -1. / 3, 0, 2. / 15, 0, -17. / 315, 0}},
      {"log(1 + exp x)",
       [](const Tensor& x) { return softplus(x); },
       {std::log(2.), 1. / 2, 1. / 8, 0, -1. / 192, 0, 1. / 2880, 0, -17. / 645120}},
  };
  bool right = true;
  for (const Series& series : all) {
    const std::vector<double> d = derivatives(series.f, 0, 8);
    std::printf("%s\n   n    n-th derivative at 0    coefficient of x^n    series to x^n, at 0.5\n", series.name);
    double factorial = 1, power = 1, total = 0;
    for (int n = 0; n <= 8; ++n) {
      const auto i = static_cast<std::size_t>(n);
      if (n > 0) factorial *= n;
      const double coefficient = d[i] / factorial;
      total += coefficient * power;
      power *= 0.5;
      std::printf("  %2d  %22.15g  %20.15f  %24.15f\n", n, d[i], coefficient, total);
      right &= std::fabs(coefficient - series.coefficients[i]) < 1e-12;
    }
    const double exact = series.f(tensor(0.5, {.dtype = f64})).item<double>();
    std::printf("  the function itself%65.15f\n\n", exact);
    right &= std::fabs(total - exact) < 1e-4;
  }
  std::puts(right ? "All coefficients are those of the known series." : "Some coefficients are wrong.");
  return right ? 0 : 1;
}
