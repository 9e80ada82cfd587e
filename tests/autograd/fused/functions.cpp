#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/fused.hpp>
#include <cmath>
#include <limits>
#include <string>

// Every function that a fused op may call, beside the op of that name. Compiled twice, as fused.cpp is.
using namespace xgrad;

namespace {

// Kernels without an op of their name.
Tensor negate(const Tensor& x) { return -x; }
Tensor reciprocal(const Tensor& x) { return 1 / x; }

#define NAME(name) #name,
constexpr const char* names[] = {XGRAD_UNARY_KERNELS(NAME) "elu",
                                 "selu",
                                 "pow 3",
                                 "pow 0",
                                 "pow -1",
                                 "pow 0.5",
                                 "2 pow",
                                 "clamp",
                                 "leaky_relu",
                                 "select",
                                 "isfinite"};
#undef NAME
constexpr int count = int(std::size(names));

/// Number `which` of them: one function with a choice, so that this compiles in a few seconds.
struct Unary {
  int which;
  template <class X>
  X operator()(X x) const {
    constexpr int kernels = int(kernels::Unary::count);
    switch (which) {
#define CASE(name)                \
  case int(kernels::Unary::name): \
    return name(x);
      XGRAD_UNARY_KERNELS(CASE)
#undef CASE
      case kernels:
        return elu(x);
      case kernels + 1:
        return selu(x);
      case kernels + 2:
        return pow(x, 3);
      case kernels + 3:
        return pow(x, 0);
      case kernels + 4:
        return pow(x, -1);
      case kernels + 5:
        return pow(x, 0.5);
      case kernels + 6:
        return pow(2, x);
      case kernels + 7:
        return clamp(x, -1, 0.5);
      case kernels + 8:
        return leaky_relu(x);
      case kernels + 9:
        return select(logical_and(x > -1, logical_not(x >= 1)), x * 2, -x);
      default:
        return where(logical_or(isfinite(x), isnan(x)), x, 7);
    }
  }
};

/// Whether a fused function may call the kernel's function of two.
template <kernels::Binary kernel>
constexpr bool has_tangents = requires(kernels::XGRAD_ISA::Value<float> v) {
  kernels::Elementwise<kernel>::tangents(v, v, v);
};

struct Binary {
  static constexpr int kernels = int(kernels::Binary::count), count = kernels + 6;
  int which;
  template <class X>
  X operator()(X a, X b) const {
    switch (which) {
#define CASE(name)                                     \
  case int(kernels::Binary::name):                     \
    if constexpr (has_tangents<kernels::Binary::name>) \
      return name(a, b);                               \
    else                                               \
      break;
      XGRAD_BINARY_KERNELS(CASE)
#undef CASE
      case kernels:
        return a + b;
      case kernels + 1:
        return a - b;
      case kernels + 2:
        return a * b;
      case kernels + 3:
        return a / b;
      case kernels + 4:
        return select(a == b, a, select(a != b, b, 0));
    }
    return select(logical_or(a <= b, a > 2), a * 2, b);
  }
};

template <class T>
Tensor special(int copies) {
  constexpr T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  std::vector<T> x = {0,    T(-0.), 1,        -1,     T(0.5), T(-0.5), 2,        -2,        3,
                      20,   -20,    100,      -100,   1000,   -1000,   T(1e-20), T(-1e-20), inf,
                      -inf, nan,    T(-8.75), T(1.5), T(2.5), 12,      -12,      36,        -36};
  for (int i = 0; i < 400; ++i) x.push_back(T(-10 + 0.0501 * i));
  std::vector<T> all;
  for (int i = 0; i < copies; ++i) all.insert(all.end(), x.begin(), x.end());
  return from_values(all, {std::int64_t(all.size())});
}

/// How many elements differ by more than `ulps`, counted from `scale` on; infinities and NaN must agree.
template <class T>
int differing(const Tensor& a, const Tensor& b, double ulps, double scale = 0) {
  int n = 0;
  if (a.shape() != b.shape()) return -1;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double p = a.data<T>()[i], q = b.data<T>()[i];
    if (std::isnan(p) && std::isnan(q)) continue;
    if (p == q) continue;
    const double allowed = ulps * std::numeric_limits<T>::epsilon() * std::max(std::fabs(q), scale) +
                           double(std::numeric_limits<T>::denorm_min());
    if (!(std::fabs(p - q) <= allowed)) {
      if (++n == 1) MESSAGE("element " << i << ": " << p << ", the op has " << q);
    }
  }
  return n;
}

template <class T>
void check_unary() {
  const Tensor x = special<T>(1).set_requires_grad(true);
  const Tensor g = full({x.size()}, 0.75, {.dtype = x.dtype()});
  for (int which = 0; which < count; ++which) {
    const std::string name = names[which];
    CAPTURE(name);
    const Unary f{which};
    const Tensor y = fused("f", f, x), expected = f(x);
    // The tails of gelu and erfc magnify the roundings of exp, in which the instruction sets differ, as gelu's
    // derivative does near its zero.
    CHECK(differing<T>(y, expected, name == "erfc" ? 200 : 4, name == "gelu" ? 1e-6 : 0) == 0);
    const GradOptions zeros{.zeros_if_unused = true};
    const Tensor d = grad(y, {x}, g, zeros)[0];
    if (expected.requires_grad()) {
      const Tensor right = grad(expected, {x}, g, zeros)[0];
      CHECK(differing<T>(d, right, name == "gelu" ? 200 : 8, 1e-30) == 0);
    }
  }
}

template <class T>
void check_binary() {
  const Tensor one = special<T>(1);
  const Tensor a = broadcast_to(unsqueeze(slice(one, 0, 0, 30), 1), {30, 30}).detach().set_requires_grad(true);
  const Tensor b = broadcast_to(slice(one, 0, 0, 30), {30, 30}).detach().set_requires_grad(true);
  const Tensor g = full(a.shape(), 0.75, {.dtype = a.dtype()});
  for (int which = 0; which < Binary::count; ++which) {
    CAPTURE(which);
    const Binary f{which};
    const Tensor y = fused("f", f, a, b), expected = f(a, b);
    CHECK(differing<T>(y, expected, 4) == 0);
    const auto d = grad(y, {a, b}, g), other = grad(expected, {a, b}, g);
    for (std::size_t i = 0; i < 2; ++i) CHECK(differing<T>(d[i], other[i], 8, 1e-30) == 0);
  }
}

}  // namespace

TEST_CASE("every function has the op's values to 4 ulp and its derivative, at kinks, poles, infinities and NaN too") {
  check_unary<float>();
  check_unary<double>();
}

TEST_CASE("so has every function of two arguments") {
  check_binary<float>();
  check_binary<double>();
}
