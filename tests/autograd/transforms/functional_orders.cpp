#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/observer.hpp>
#include <cmath>

using namespace xgrad;

namespace {

/// v + d e with e^2 = 0; nested, derivatives of higher orders.
template <class T>
struct Dual {
  T v{}, d{};
  friend Dual operator+(const Dual& a, const Dual& b) { return {a.v + b.v, a.d + b.d}; }
  friend Dual operator-(const Dual& a, const Dual& b) { return {a.v - b.v, a.d - b.d}; }
  friend Dual operator*(const Dual& a, const Dual& b) { return {a.v * b.v, a.v * b.d + a.d * b.v}; }
};
double constant(double x, double) { return x; }
template <class T>
Dual<T> constant(double x, const Dual<T>&) {
  return {constant(x, T()), T()};
}
template <class T>
Dual<T> tanh(const Dual<T>& x) {
  using std::tanh;
  const T y = tanh(x.v);
  return {y, (constant(1, T()) - y * y) * x.d};
}

using Third = Dual<Dual<Dual<double>>>;

struct Network {
  Tensor first, bias, second;
  Tensor operator()(const Tensor& x) const { return sum(tanh(matmul(tanh(matmul(x, first) + bias), second))); }
  Third operator()(const std::vector<Third>& x) const {
    const auto at = [](const Tensor& t, std::size_t i) { return constant(t.data<double>()[i], Third()); };
    const std::size_t in = x.size(), hidden = static_cast<std::size_t>(bias.size());
    const auto out = static_cast<std::size_t>(second.shape()[1]);
    Third total;
    std::vector<Third> h(hidden);
    for (std::size_t j = 0; j < hidden; ++j) {
      h[j] = at(bias, j);
      for (std::size_t i = 0; i < in; ++i) h[j] = h[j] + x[i] * at(first, i * hidden + j);
      h[j] = tanh(h[j]);
    }
    for (std::size_t k = 0; k < out; ++k) {
      Third y;
      for (std::size_t j = 0; j < hidden; ++j) y = y + h[j] * at(second, j * out + k);
      total = total + tanh(y);
    }
    return total;
  }
};

/// How many ops run, in rules too, and how many elements they write.
struct Work : Observer {
  std::int64_t ops = 0, elements = 0;
  void op_ends(const OpCall&, const Tensor& result) override {
    ++ops;
    if (result.defined()) elements += result.size();
  }
};

template <class F>
Work work_of(F f) {
  Work work;
  const Observing observing(work);
  f();
  return work;
}

}  // namespace

TEST_CASE("third derivatives of a network are those of nested dual numbers") {
  manual_seed(1);
  const auto draw = [](const Shape& shape) { return randn(shape, {.dtype = f64}); };
  const Network f{draw({3, 5}), draw({5}), draw({5, 2})};
  const Tensor x = draw({3});
  const auto h = [&](const Tensor& t) { return hessian(f, t); };
  const Tensor reverse = jacobian(h, x), forward = jacobian(h, x, {.mode = JacobianMode::forward});
  REQUIRE(reverse.shape() == Shape{3, 3, 3});
  double largest = 0;
  for (std::size_t i = 0; i < 27; ++i) {
    std::vector<Third> at(3);
    for (std::size_t k = 0; k < 3; ++k) {
      at[k].v.v.v = x.data<double>()[k];
      at[k].d.v.v = k == i / 9;
      at[k].v.d.v = k == i / 3 % 3;
      at[k].v.v.d = k == i % 3;
    }
    const double expected = f(at).d.d.d;
    largest = std::max(largest, std::fabs(expected));
    CHECK(std::fabs(reverse.data<double>()[i] - expected) < 1e-8);
    CHECK(std::fabs(forward.data<double>()[i] - expected) < 1e-8);
  }
  CHECK(largest > 0.01);
}

TEST_CASE("hvp costs at most four gradients, and so does jvp") {
  manual_seed(2);
  const Tensor first = randn({20, 64}), second = randn({64, 64}), last = randn({64, 1}), x = randn({16, 20});
  const auto f = [&](const Tensor& t) {
    return mean(softplus(matmul(tanh(matmul(sigmoid(matmul(t, first)), second)), last)));
  };
  const Work gradient = work_of([&] { value_and_grad(f, x); });
  for (const Work& work : {work_of([&] { hvp(f, x, x); }), work_of([&] { jvp(f, x, x); })}) {
    MESSAGE("ops ", double(work.ops) / double(gradient.ops), ", elements ",
            double(work.elements) / double(gradient.elements), " times those of a gradient");
    CHECK(work.ops <= 4 * gradient.ops);
    CHECK(work.elements <= 4 * gradient.elements);
  }
}
