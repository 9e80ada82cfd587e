// A formula of six steps as one op: its speed beside the same formula composed of six ops, and beside a loop written by
// hand. The derivatives come from the formula itself.
#include <algorithm>
#include <autograd/autograd.hpp>
#include <autograd/fused.hpp>
#include <chrono>
#include <cstdio>
#include <vector>

using namespace xgrad;

namespace {

/// (x m + x^2) / (1 + x^2) - m, of tensors, or of what `fused` computes with.
constexpr auto formula = [](auto x, auto m) {
  const auto square = x * x;
  return (x * m + square) / (1 + square) - m;
};

Tensor fused_formula(const Operand& x, const Operand& m) { return fused("formula", formula, x, m); }

/// The same by hand, forward and backward: what one would write without a library that differentiates.
using Lanes = xsimd::batch<float>;
void forward_by_hand(const float* x, const float* m, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; i += Lanes::size) {
    const Lanes a = Lanes::load_unaligned(x + i), b = Lanes::load_unaligned(m + i), s = a * a;
    ((a * b + s) / (1.f + s) - b).store_unaligned(y + i);
  }
}
void backward_by_hand(const float* x, const float* m, const float* g, float* dx, float* dm, std::size_t n) {
  for (std::size_t i = 0; i < n; i += Lanes::size) {
    const Lanes a = Lanes::load_unaligned(x + i), b = Lanes::load_unaligned(m + i), h = Lanes::load_unaligned(g + i);
    const Lanes s = a * a, over = 1.f / (1.f + s), ratio = (a * b + s) * over;
    (h * (b + 2.f * a - 2.f * a * ratio) * over).store_unaligned(dx + i);
    (h * (a * over - 1.f)).store_unaligned(dm + i);
  }
}

/// Milliseconds that f takes, the median of 41 runs.
template <class F>
double time_of(const F& f) {
  std::vector<double> times;
  for (int i = 0; i < 41; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    f();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::nth_element(times.begin(), times.begin() + 20, times.end());
  return times[20];
}

struct Run {
  Tensor y, dx, dm;
  double saved_megabytes;  // kept for the backward pass, besides x, m and y
};
template <class F>
Run run(const F& f, const Tensor& x, const Tensor& m, const Tensor& g) {
  Run r;
  const std::int64_t before = memory::statistics().live_bytes;
  r.y = f(x, m);
  r.saved_megabytes = 1e-6 * double(memory::statistics().live_bytes - before) - 4e-6 * double(r.y.size());
  const std::vector<Tensor> d = grad(r.y, {x, m}, g);
  r.dx = d[0], r.dm = d[1];
  return r;
}

double difference(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item<double>(); }

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::fprintf(stderr, "usage: fused_op\n");
    return 2;
  }
  set_num_threads(1);
  manual_seed(0);
  constexpr std::int64_t n = 1 << 20;
  const Tensor x = randn({n}).set_requires_grad(true), m = randn({n}).set_requires_grad(true), g = randn({n});

  Tensor y = zeros({n}), dx = zeros({n}), dm = zeros({n});
  const auto by_hand = [&] {
    forward_by_hand(x.data<float>(), m.data<float>(), y.data<float>(), n);
    backward_by_hand(x.data<float>(), m.data<float>(), g.data<float>(), dx.data<float>(), dm.data<float>(), n);
  };
  by_hand();
  const Run one = run(fused_formula, x, m, g), six = run(formula, x, m, g);
  const double composed = time_of([&] { run(formula, x, m, g); }),
               fused = time_of([&] { run(fused_formula, x, m, g); }), hand = time_of(by_hand);

  std::printf("(x m + x^2) / (1 + x^2) - m and both derivatives, %lld elements, one thread, f32 in batches of %d\n\n",
              static_cast<long long>(n), int(Lanes::size));
  std::printf("                     ms   times fused   saved MB\n");
  std::printf("six ops        %8.2f %13.1f %10.1f\n", composed, composed / fused, six.saved_megabytes);
  std::printf("fused          %8.2f %13.1f %10.1f\n", fused, 1., one.saved_megabytes);
  std::printf("by hand        %8.2f %13.1f\n\n", hand, hand / fused);

  // Derivatives of higher order come from the ops that the formula is written in.
  const GradcheckReport report =
      gradcheck(fused_formula, {randn({3, 2}, {.dtype = f64}), randn({2}, {.dtype = f64})}, {.order = 3});
  std::printf("derivatives up to the third: %s\n", report.ok() ? "right" : report.str().c_str());

  const bool equal = difference(one.y, six.y) == 0 && difference(one.dx, six.dx) < 1e-5 &&
                     difference(one.dm, six.dm) < 1e-5 && difference(one.y, y) < 1e-5 &&
                     difference(one.dx, dx) < 1e-5 && difference(one.dm, dm) < 1e-5;
  std::printf("values and gradients: %s\n", equal ? "equal" : "DIFFERENT");
  return equal && report.ok() && one.saved_megabytes == 0 ? 0 : 1;
}
