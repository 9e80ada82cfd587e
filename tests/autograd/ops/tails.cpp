#include <doctest/doctest.h>
#include <algorithm>
#include <autograd/autograd.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "../kernels/support.hpp"

// Values and derivatives far out, beside the ends of domains and next to 0, where a formula that is right in the middle
// has lost its digits: 1 + f with f near -1, a product of something vast and something tiny, squares out of range.
// tests/autograd/fused/functions.cpp compares fused functions with these ops.
using namespace xgrad;

namespace {

using Real = long double;
using kernels_support::exact_tan;
constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

// The formulas are of long double, whose exponents reach so far that no tail of f64 needs care. Powers of x that meet
// exponentials are of x limited to where these are 0 in f64.
Real near(Real x, Real limit) { return x != x ? x : std::fmin(std::fmax(x, -limit), limit); }
Real sigmoid_of(Real x) { return 1 / (1 + std::exp(-x)); }
Real slope(Real x) { return std::exp(-std::fabs(x)) / std::pow(1 + std::exp(-std::fabs(x)), 2.0L); }
Real curve(Real x) { return -slope(x) * std::tanh(x / 2); }
Real softplus_of(Real x) { return x != x ? x : std::fmax(x, 0.0L) + std::log1p(std::exp(-std::fabs(x))); }
Real bell(Real x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<Real>); }
Real below(Real x) { return std::erfc(-x / std::sqrt(2.0L)) / 2; }
Real arc(Real x) { return 1 / std::sqrt((1 - x) * (1 + x)); }
Real gauss(Real x) { return 2 / std::sqrt(std::numbers::pi_v<Real>) * std::exp(-x * x); }
Real log_slope(Real x) { return x < 0 ? nan : 1 / x; }
constexpr Real lambda = 1.0507009873554804934193349852946L, alpha = 1.6732632423543772848170429916717L;

/// An op, its value and its derivatives.
struct Tail {
  const char* name;
  Tensor (*op)(const Operand&);
  Real (*order[3])(Real);
  double ulps[3] = {4, 4, 8};   // how far they may be off,
  double squared = 0;           // and how many times x^2 more, where exp(-x^2) multiplies what x^2 lost in rounding
  Real (*terms[3])(Real) = {};  // the size of the terms of a sum that is 0 somewhere
};

#define REAL(formula) [](Real x) -> Real { return formula; }
const Tail tails[] = {
    {"sigmoid", sigmoid, {sigmoid_of, slope, curve}},
    {"tanh", tanh, {REAL(std::tanh(x)), REAL(4 * slope(2 * x)), REAL(-8 * slope(2 * x) * std::tanh(x))}},
    {"softplus", softplus, {softplus_of, sigmoid_of, slope}},
    {"log_sigmoid", log_sigmoid, {REAL(-softplus_of(-x)), REAL(sigmoid_of(-x)), REAL(-slope(x))}},
    {"silu",
     silu,
     {REAL(near(x, 11000) * sigmoid_of(x) + (x > 11000 ? x - 11000 : 0)),
      REAL(sigmoid_of(x) + near(x, 11000) * slope(x)), REAL(2 * slope(x) + near(x, 11000) * curve(x))},
     {4, 4, 8},
     0,
     {nullptr, REAL(sigmoid_of(x) + std::fabs(near(x, 11000)) * slope(x)),
      REAL(2 * slope(x) + std::fabs(near(x, 11000) * curve(x)))}},
    {"gelu",
     gelu,
     {REAL(near(x, 140) * below(x) + (x > 140 ? x - 140 : 0)), REAL(below(x) + near(x, 140) * bell(x)),
      REAL(bell(x) * (2 - near(x, 140) * near(x, 140)))},
     {4, 4, 8},
     1.5,
     {nullptr, REAL(below(x) + std::fabs(near(x, 140)) * bell(x)), REAL(bell(x) * (2 + near(x, 140) * near(x, 140)))}},
    {"elu",
     [](const Operand& x) { return elu(x); },
     {REAL(x > 0 ? x : std::expm1(x)), REAL(x > 0 ? 1 : std::exp(x)), REAL(x > 0 ? 0 : std::exp(x))}},
    {"selu",
     selu,
     {REAL(lambda * (x > 0 ? x : alpha * std::expm1(x))), REAL(lambda*(x > 0 ? 1 : alpha * std::exp(x))),
      REAL(x > 0 ? 0 : lambda * alpha * std::exp(x))}},
    {"erf", erf, {REAL(std::erf(x)), gauss, REAL(-2 * near(x, 140) * gauss(x))}, {4, 4, 8}, 1.5},
    {"erfc", erfc, {REAL(std::erfc(x)), REAL(-gauss(x)), REAL(2 * near(x, 140) * gauss(x))}, {4, 4, 8}, 1.5},
    {"exp", exp, {REAL(std::exp(x)), REAL(std::exp(x)), REAL(std::exp(x))}},
    {"expm1", expm1, {REAL(std::expm1(x)), REAL(std::exp(x)), REAL(std::exp(x))}},
    {"log", log, {REAL(std::log(x)), log_slope, REAL(-log_slope(x) * log_slope(x))}},
    {"log1p", log1p, {REAL(std::log1p(x)), REAL(log_slope(1 + x)), REAL(-log_slope(1 + x) * log_slope(1 + x))}},
    {"tan",
     tan,
     {REAL(exact_tan(x)), REAL(1 + exact_tan(x) * exact_tan(x)),
      REAL(2 * exact_tan(x) * (1 + exact_tan(x) * exact_tan(x)))}},
    {"asin", asin, {REAL(std::asin(x)), arc, REAL(x* arc(x) * arc(x) * arc(x))}},
    {"acos", acos, {REAL(std::acos(x)), REAL(-arc(x)), REAL(-x* arc(x) * arc(x) * arc(x))}},
    {"atan",
     atan,
     {REAL(std::atan(x)), REAL(1 / (1 + x * x)), REAL(std::isinf(x) ? 0 : -2 * x / ((1 + x * x) * (1 + x * x)))}},
    {"sinh", sinh, {REAL(std::sinh(x)), REAL(std::cosh(x)), REAL(std::sinh(x))}},
    {"cosh", cosh, {REAL(std::cosh(x)), REAL(std::sinh(x)), REAL(std::cosh(x))}},
};
#undef REAL

template <class T>
std::vector<T> grid() {
  using Limits = std::numeric_limits<T>;
  const T above_0 = Limits::min() * 1024, below_1 = std::nextafter(T(1), T(0)), above_1 = std::nextafter(T(1), T(2));
  std::vector<T> x = {0, T(inf), T(nan), above_0, T(1e-17), T(1e-8), T(1e-3), below_1, 1, above_1, 1000, T(1e9)};
  for (int i = 1; i < 1000; ++i) x.push_back(T(i) * (i < 300 ? T(.0501) : T(.101)));
  for (int i = 100; i < 750; ++i) x.push_back(T(i) + T(.37));
  const std::size_t n = x.size();
  for (std::size_t i = 0; i < n; ++i) x.push_back(-x[i]);
  return x;
}

/// How far `got` is from `want`, in units in the last place of `want` or of terms of a given size. Nobody asks for
/// digits that are lost beside the smallest normal number.
template <class T>
double error(T got, Real want, Real size) {
  using Limits = std::numeric_limits<T>;
  if (want != want || got != got) return want != want && got != got ? 0 : inf;
  if (std::isinf(T(want)) || std::isinf(got)) return got == T(want) ? 0 : inf;
  const Real off = std::fabs(got - want);
  return off <= 1024 * Limits::min() ? 0 : double(off / std::max(std::fabs(want), size) / Limits::epsilon());
}

template <class T>
void check(const Tail& tail) {
  const std::vector<T> at = grid<T>();
  const Tensor x = from_values(at, {std::int64_t(at.size())}).set_requires_grad(true);
  const Tensor one = ones(x.shape(), {.dtype = x.dtype()});
  const Tensor y = tail.op(x), d = grad(y, {x}, one, {.create_graph = true})[0];
  const Tensor orders[] = {y, d, grad(d, {x}, one, {.zeros_if_unused = true})[0]};
  for (int k = 0; k < 3; ++k) {
    double worst = 0, excess = 0;
    std::size_t where = 0;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const Real v = at[i];
      const double allowed = tail.ulps[k] + tail.squared * std::fmin(double(v * v), 1e4);
      const double off = error(orders[k].template data<T>()[i], tail.order[k](v), tail.terms[k] ? tail.terms[k](v) : 0);
      if (off / allowed > excess) worst = off, excess = off / allowed, where = i;
    }
    CHECK_MESSAGE(excess <= 1, "derivative ", k, " of ", std::string(tail.name), " in ",
                  std::string(name_of(dtype_of<T>)), " at ", at[where], " is ", orders[k].template data<T>()[where],
                  ", not ", double(tail.order[k](at[where])), ": ", worst, " ulp");
  }
}

}  // namespace

TEST_CASE("values, first and second derivatives keep their digits in the tails, at ends of domains and beside 0") {
  for (const Tail& tail : tails) {
    check<float>(tail);
    check<double>(tail);
  }
}

TEST_CASE("polygamma beside its poles is that of the distance to them, on both sides") {
  const double distance = std::ldexp(1, -40), tiny = 1e-20;  // 1 - tiny is 1
  // Of order n the nearest term is (-1)^(n+1) n! / (x + k)^(n+1), beside which no other counts.
  const double at[] = {tiny, -tiny, distance, -distance, -1 - distance, -1 + distance, -7 - distance, -7 + distance};
  const double apart[] = {tiny, -tiny, distance, -distance, -distance, distance, -distance, distance};
  for (int n = 1; n <= 3; ++n)
    for (int i = 0; i < 8; ++i) {
      CAPTURE(n);
      CAPTURE(at[i]);
      const double want = (n % 2 ? 1 : -1) * std::tgamma(n + 1.) / std::pow(apart[i], n + 1);
      CHECK(polygamma(n, tensor(at[i], f64)).item() == doctest::Approx(want).epsilon(1e-14));
    }
  const Tensor x = tensor(-tiny, f64).set_requires_grad(true);
  CHECK(grad(digamma(x), x).item() == doctest::Approx(1e40).epsilon(1e-14));
}
