// Minimises Rosenbrock's function of 50 variables by Newton's method. Its Hessian would have 2500 entries; conjugate
// gradients solve H p = -g with products H v alone, which cost little more than a gradient.
#include <autograd/autograd.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>

using namespace xgrad;

namespace {

/// sum_i 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2: a curved valley, whose floor leads to (1, ..., 1).
Tensor rosenbrock(const Tensor& x) {
  const std::int64_t n = x.shape()[0];
  const Tensor head = slice(x, 0, 0, n - 1), tail = slice(x, 0, 1, n);
  return sum(100 * square(tail - square(head)) + square(1 - head));
}

double inner(const Tensor& a, const Tensor& b) { return dot(a, b).item<double>(); }

/// An approximate solution p of H p = -g (Steihaug 1983): follows conjugate directions until the residual is small, or
/// the curvature along one is not positive, which leads out of the region where Newton's step makes sense.
Tensor newton_step(const Tensor& x, const Tensor& g) {
  Tensor p = zeros(x.shape(), {.dtype = f64}), residual = -g, direction = residual;
  double left = inner(residual, residual);
  const double enough = left * std::fmin(0.25, left);
  for (std::int64_t i = 0; i < x.size() && left > enough; ++i) {
    const Tensor curved = hvp(rosenbrock, x, direction);
    const double curvature = inner(direction, curved);
    if (curvature <= 0) return i == 0 ? direction : p;
    const double length = left / curvature;
    p += length * direction;
    residual -= length * curved;
    const double next = inner(residual, residual);
    direction = residual + next / left * direction;
    left = next;
  }
  return p;
}

/// The shortest of many runs, in seconds.
template <class F>
double seconds(F f) {
  double best = 1;
  for (int i = 0; i < 300; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::fmin(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::fputs("usage: hessian_of_rosenbrock\n", stderr);
    return 2;
  }

  const Tensor small = tensor({-1.2, 1.}, {.dtype = f64});
  std::printf("The Hessian at (-1.2, 1):\n%s\n\n", hessian(rosenbrock, small).str().c_str());

  Tensor x = zeros({50}, {.dtype = f64});
  std::puts("step           f    |gradient|");
  double slope = 1;
  for (int step = 0; step < 300; ++step) {
    const auto [f, g] = value_and_grad(rosenbrock, x);
    slope = std::sqrt(inner(g, g));
    if (step % 10 == 0 || slope < 1e-10) std::printf("%4d  %10.3e    %10.3e\n", step, f.item<double>(), slope);
    if (slope < 1e-10) break;
    const Tensor p = newton_step(x, g);
    // Half the step until it leads down far enough (Armijo 1966).
    double length = 1;
    while (length > 1e-12 && rosenbrock(x + length * p).item<double>() > f.item<double>() + 1e-4 * length * inner(g, p))
      length /= 2;
    x = x + length * p;
  }

  const double gradient = seconds([&] { value_and_grad(rosenbrock, x); });
  const double product = seconds([&] { hvp(rosenbrock, x, x); });
  std::printf("\nA Hessian-vector product takes %.1f times as long as a gradient.\n", product / gradient);
  const double off = max(abs(x - 1)).item<double>();
  std::printf("Largest distance from (1, ..., 1): %.1e\n", off);
  return off < 1e-9 ? 0 : 1;
}
