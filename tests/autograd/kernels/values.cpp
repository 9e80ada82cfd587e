#include <doctest/doctest.h>

#include <algorithm>
#include <autograd/ops/table/row.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "exact.hpp"

// The values of elementwise kernels against formulas in long double.
using namespace kernels_support;

namespace {

/// A kernel's exact value, and how many ulp it may be off in f32 and in f64.
template <class Kernel, class... Args>
struct Case {
  const char* name;
  Kernel kernel;
  std::function<Real(Args...)> exact;
  double f32_ulps, f64_ulps;
};
using UnaryCase = Case<Unary, Real>;
using BinaryCase = Case<Binary, Real, Real>;
#define CASE(name, f32_ulps, f64_ulps, expression)                                    \
  {                                                                                   \
#name, Unary::name, [](Real x) -> Real { return expression; }, f32_ulps, f64_ulps \
  }
const UnaryCase unary_cases[] = {
    CASE(negate, 0, 0, -x),
    CASE(abs, 0, 0, std::fabs(x)),
    CASE(sign, 0, 0,
         x > 0   ? 1
         : x < 0 ? -1
                 : x),
    CASE(square, .5001, .5001, x* x),
    CASE(sqrt, .5001, .5001, std::sqrt(x)),
    CASE(rsqrt, 1.5, 1.5, 1 / std::sqrt(x)),
    CASE(reciprocal, .5001, .5001, 1 / x),
    CASE(exp, 2, 1, std::exp(x)),
    CASE(expm1, 3, 1, std::expm1(x)),
    CASE(log, 1, 1, std::log(x)),
    CASE(log1p, 1, 1, std::log1p(x)),
    CASE(sin, 2, 1, exact_sin(x)),
    CASE(cos, 2, 1, exact_cos(x)),
    CASE(tan, 1, 1, exact_tan(x)),
    CASE(asin, 1, 1, std::asin(x)),
    CASE(acos, 1, 1, std::acos(x)),
    CASE(atan, 1, 1, std::atan(x)),
    CASE(sinh, 2, 2, std::sinh(x)),
    CASE(cosh, 2, 2, std::cosh(x)),
    CASE(tanh, 2, 2, std::tanh(x)),
    CASE(erf, 3, 1, std::erf(x)),
    CASE(erfc, 5, 1, std::erfc(x)),
    CASE(erfinv, 5, 4, inverse_erf(x)),
    CASE(exp2, 2, 1, std::exp2(x)),
    CASE(log2, 2, 1, std::log2(x)),
    CASE(log10, 2, 2, std::log10(x)),
    CASE(lgamma, 1, 8, std::lgamma(x)),
    CASE(asinh, 4, 4, std::asinh(x)),
    CASE(acosh, 4, 4, std::acosh(x)),
    CASE(atanh, 4, 4, std::atanh(x)),
    CASE(floor, 0, 0, std::floor(x)),
    CASE(ceil, 0, 0, std::ceil(x)),
    CASE(round, 0, 0, std::nearbyint(x)),
    CASE(relu, 0, 0, positive(x)),
    CASE(sigmoid, 4, 3, sigmoid(x)),
    CASE(softplus, 4, 3, softplus(x)),
    CASE(log_sigmoid, 4, 3, -softplus(-x)),
    CASE(silu, 4, 4, x == -inf ? 0 : x * sigmoid(x)),
    CASE(gelu, 4, 4, x == -inf ? 0 : x / 2 * std::erfc(-x / std::sqrt(Real(2)))),
};
#undef CASE

/// The cases above, and for each kernel that has none the reference and the bound of its op in the table of ops, which
/// then must be right everywhere.
template <class Kernel, class... Args, std::size_t n, std::size_t count>
std::vector<Case<Kernel, Args...>> all_cases(const Case<Kernel, Args...> (&cases)[n],
                                             const char* const (&names)[count]) {
  static_assert(count == std::size_t(Kernel::count));
  std::vector<Case<Kernel, Args...>> all(std::begin(cases), std::end(cases));
  std::vector<op_table::Row> rows;
  for (const auto family : {op_table::rows_arithmetic, op_table::rows_transcendental, op_table::rows_formulas,
                            op_table::rows_comparison, op_table::rows_activation})
    for (op_table::Row& row : family()) rows.push_back(std::move(row));
  for (std::size_t k = 0; k < count; ++k) {
    const std::string name = names[k];
    if (std::any_of(all.begin(), all.end(), [&](const auto& c) { return c.kernel == Kernel(k); })) continue;
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const op_table::Row& r) { return r.op == name; });
    REQUIRE_MESSAGE(row != rows.end(), name, " has neither a case here nor a row in tests/autograd/ops/table");
    const op_table::Variant& variant = row->variants[0];
    const auto exact = [reference = variant.reference](Args... x) {
      return reference({op_table::Values(Shape(), x)...}).v[0];
    };
    all.push_back({names[k], Kernel(k), exact, variant.ulps, variant.ulps});
  }
  return all;
}

#define XGRAD_NAME(name) #name,
constexpr const char *unary_names[] = {XGRAD_UNARY_KERNELS(XGRAD_NAME)},
                     *binary_names[] = {XGRAD_BINARY_KERNELS(XGRAD_NAME)};
#undef XGRAD_NAME

/// Results that pass through exp near its underflow lose digits there: x exp(x) is as coarse as a denormal times x.
/// The tails of gelu and erfc multiply the rounding of x / sqrt 2, or of x^2, by x^2.
template <class T>
double allowed(const UnaryCase& c, T x, Real want) {
  const double bound = sizeof(T) == 4 ? c.f32_ulps : c.f64_ulps;
  const double size = x != x ? 0 : std::fabs(double(x));
  if (c.kernel == Unary::silu && std::fabs(want) < 1e3L * std::numeric_limits<T>::min()) return bound + size;
  if (c.kernel == Unary::gelu || c.kernel == Unary::erfc)
    return std::fabs(want) < 1e3L * std::numeric_limits<T>::min() ? inf : bound + 1.5 * size * size;
  return bound;
}

template <class T>
void check_unary_values() {
  const std::vector<T> x = sweep<T>();
  std::vector<T> y(x.size()), first(x.size());
  for (const UnaryCase& c : all_cases(unary_cases, unary_names)) {
    std::vector<Real> want(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) want[i] = c.exact(x[i]);
    for (const Table* t : tables()) {
      t->unary[int(c.kernel)][int(dtype_of<T>)](x.data(), y.data(), Size(x.size()));
      double worst = -1, at = 0;
      if (t == tables()[0]) first = y;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const bool apart = sizeof(T) == 8 && !same_bits(y[i], first[i]);
        const double error = apart ? inf : ulps(y[i], want[i]) - allowed(c, x[i], want[i]);
        if (error > worst || error != error) worst = error, at = double(x[i]);
      }
      INFO(std::string(c.name) << " of " << std::string(name_of(dtype_of<T>)) << " on " << std::string(t->name)
                               << " at " << at);
      CHECK(worst <= 0);
    }
  }
}

#define CASE(name, f32_ulps, f64_ulps, expression)                                             \
  {                                                                                            \
#name, Binary::name, [](Real a, Real b) -> Real { return expression; }, f32_ulps, f64_ulps \
  }
const BinaryCase binary_cases[] = {
    CASE(add, .5001, .5001, a + b),
    CASE(subtract, .5001, .5001, a - b),
    CASE(multiply, .5001, .5001, a* b),
    CASE(divide, .5001, .5001, a / b),
    CASE(pow, 1, 1, std::pow(a, b)),
    CASE(minimum, 0, 0, least(a, b)),
    CASE(maximum, 0, 0, -least(-a, -b)),
    CASE(atan2, 2, 1, std::atan2(a, b)),
    CASE(relu_grad, 0, 0, b <= 0 ? 0 : a),
    CASE(sigmoid_grad, 4, 4, a* slope(b)),
    CASE(tanh_grad, 4, 4, 4 * a * slope(2 * b)),
    CASE(gelu_grad, 4, 4, a* gelu_slope(b)),
    CASE(hypot, 2, 2, std::hypot(a, b)),
    CASE(logaddexp, 4, 3, log_of_sum(a, b)),
    CASE(xlogy, 2, 2, a == 0 && b == b ? 0 : a * std::log(b)),
    CASE(fmod, 0, 0, std::fmod(a, b)),
    CASE(remainder, .5001, .5001, floored_rest(a, b)),
    CASE(floor_divide, 1, 1, floored_quotient(a, b)),
    CASE(polygamma, 2, 20, exact_polygamma(a, b)),
    CASE(bce_with_logits, 4, 3, bce(a, b)),
};
#undef CASE

/// Sums that may cancel are as exact as their terms.
template <class T>
double allowed(const BinaryCase& c, Real a, Real b, Real want) {
  const double bound = sizeof(T) == 4 ? c.f32_ulps : c.f64_ulps;
  Real terms = 0;
  if (c.kernel == Binary::logaddexp) terms = std::fmax(std::fabs(a), std::fabs(b)) + 1;
  if (c.kernel == Binary::polygamma && a == 0) terms = std::fabs(std::log(b)) + 1;
  if (c.kernel == Binary::gelu_grad) {
    if (std::fabs(want) < 1e3L * std::numeric_limits<T>::min()) return inf;
    terms = std::fabs(a) * (std::erfc(-b / std::sqrt(Real(2))) / 2 + std::fabs(b) * bell(b)) * (1 + b * b / 2);
  }
  const Real ratio = terms / std::fabs(want);
  return ratio > 1 ? bound * double(ratio) : bound;
}

template <class T>
void check_binary_values() {
  const std::vector<T> x = sweep<T>();
  std::vector<T> a, b;
  for (std::size_t i = 0; i < 28; ++i) {
    for (std::size_t j = 0; j < 28; ++j) a.push_back(x[i]), b.push_back(x[j]);
  }
  for (std::size_t i = 28; i < x.size(); ++i) a.push_back(x[i]), b.push_back(x[28 + i * 7919 % (x.size() - 28)]);
  std::vector<T> y(a.size()), first(a.size());
  for (const BinaryCase& c : all_cases(binary_cases, binary_names)) {
    std::vector<T> one = a, second = b;
    if (c.kernel == Binary::polygamma) {
      for (std::size_t i = 0; i < a.size(); ++i) one[i] = T(i % 4), second[i] = std::fabs(b[i]);
    }
    if (c.kernel == Binary::gelu_grad)
      for (T& v : second) v = v > 10 ? T(10) : v < -10 ? T(-10) : v;
    if (c.kernel == Binary::bce_with_logits) {
      for (std::size_t i = 28 * 28; i < b.size(); ++i) second[i] = std::fabs(b[i]) - std::floor(std::fabs(b[i]));
    }
    if (c.kernel == Binary::sigmoid_grad || c.kernel == Binary::tanh_grad)  // a huge a would show a tiny slope's digits
      for (T& v : second) v = v > 40 ? T(40) : v < -40 ? T(-40) : v;
    for (const Table* t : tables()) {
      const auto f = t->binary[int(c.kernel)][int(dtype_of<T>)];
      f(one.data(), second.data(), y.data(), contiguous(a.size()));
      if (t == tables()[0]) first = y;
      double worst = -1, at[2] = {};
      for (std::size_t i = 0; i < a.size(); ++i) {
        const Real want = c.exact(one[i], second[i]);
        const bool apart = sizeof(T) == 8 && !same_bits(y[i], first[i]);
        const double error = apart ? inf : ulps(y[i], want) - allowed<T>(c, one[i], second[i], want);
        if (error > worst) worst = error, at[0] = double(one[i]), at[1] = double(second[i]);
      }
      INFO(std::string(c.name) << " of " << std::string(name_of(dtype_of<T>)) << " on " << std::string(t->name)
                               << " at " << at[0] << ", " << at[1]);
      CHECK(worst <= 0);
      std::vector<T> in_place = one;
      f(in_place.data(), second.data(), in_place.data(), contiguous(a.size()));
      CHECK(std::memcmp(in_place.data(), y.data(), y.size() * sizeof(T)) == 0);
      in_place = second;
      f(one.data(), in_place.data(), in_place.data(), contiguous(a.size()));
      CHECK(std::memcmp(in_place.data(), y.data(), y.size() * sizeof(T)) == 0);
    }
  }
}

template <class T>
void check_special_values(const Table* t) {
  struct {
    Unary kernel;
    double x, y;
  } const ones[] = {
      {Unary::negate, 0, -0.},
      {Unary::abs, -0., 0},
      {Unary::abs, NaN, NaN},
      {Unary::sign, NaN, NaN},
      {Unary::sqrt, -0., -0.},
      {Unary::sqrt, -1, NaN},
      {Unary::rsqrt, 0, inf},
      {Unary::rsqrt, inf, 0},
      {Unary::reciprocal, -0., -inf},
      {Unary::exp, -inf, 0},
      {Unary::exp, inf, inf},
      {Unary::exp, -1000, 0},
      {Unary::expm1, -0., -0.},
      {Unary::expm1, -inf, -1},
      {Unary::expm1, 1.5e-38, 1.5e-38},
      {Unary::sinh, -1.5e-38, -1.5e-38},
      {Unary::log, 0, -inf},
      {Unary::log, -1, NaN},
      {Unary::log1p, -1, -inf},
      {Unary::log1p, -0., -0.},
      {Unary::sin, -0., -0.},
      {Unary::sin, inf, NaN},
      {Unary::cos, -inf, NaN},
      {Unary::tan, -0., -0.},
      {Unary::tan, inf, NaN},
      {Unary::asin, -0., -0.},
      {Unary::asin, -1, -1.57079632679489661923},
      {Unary::asin, 1.001, NaN},
      {Unary::acos, 1, 0},
      {Unary::acos, -1, 3.14159265358979323846},
      {Unary::acos, -1.001, NaN},
      {Unary::acos, NaN, NaN},
      {Unary::atan, -0., -0.},
      {Unary::atan, -inf, -1.57079632679489661923},
      {Unary::atan, NaN, NaN},
      {Unary::sinh, -0., -0.},
      {Unary::sinh, -inf, -inf},
      {Unary::sinh, NaN, NaN},
      {Unary::cosh, -0., 1},
      {Unary::cosh, -inf, inf},
      {Unary::cosh, NaN, NaN},
      {Unary::tanh, 1000, 1},
      {Unary::tanh, -inf, -1},
      {Unary::tanh, -0., -0.},
      {Unary::erf, inf, 1},
      {Unary::erf, -0., -0.},
      {Unary::floor, -0., -0.},
      {Unary::ceil, -.5, -0.},
      {Unary::round, 2.5, 2},
      {Unary::round, 3.5, 4},
      {Unary::round, -.5, -0.},
      {Unary::round, 1e30, 1e30},
      {Unary::relu, NaN, NaN},
      {Unary::sigmoid, -1000, 0},
      {Unary::sigmoid, 1000, 1},
      {Unary::sigmoid, -inf, 0},
      {Unary::softplus, 1000, 1000},
      {Unary::softplus, -1000, 0},
      {Unary::softplus, inf, inf},
      {Unary::log_sigmoid, -inf, -inf},
      {Unary::log_sigmoid, -1000, -1000},
      {Unary::silu, inf, inf},
      {Unary::silu, -inf, 0},
      {Unary::gelu, -inf, 0},
      {Unary::gelu, inf, inf},
      {Unary::gelu, NaN, NaN},
  };
  for (const auto& c : ones) {
    INFO("unary " << int(c.kernel) << " of " << c.x << " on " << std::string(t->name));
    CHECK(same_bits(unary(t, c.kernel, T(c.x)), T(c.y)));
  }
  struct {
    Binary kernel;
    double a, b, y;
  } const twos[] = {
      {Binary::pow, NaN, 0, 1},
      {Binary::pow, 1, NaN, 1},
      {Binary::pow, -2, .5, NaN},
      {Binary::pow, -2, 3, -8},
      {Binary::pow, NaN, 1, NaN},
      {Binary::pow, 0, -1, inf},
      {Binary::pow, -0., -3, -inf},
      {Binary::pow, -0., -2, inf},
      {Binary::pow, -0., 3, -0.},
      {Binary::pow, -0., .5, 0},
      {Binary::pow, -1, -inf, 1},
      {Binary::pow, .5, -inf, inf},
      {Binary::pow, -2, -inf, 0},
      {Binary::pow, inf, -1, 0},
      {Binary::pow, -inf, 3, -inf},
      {Binary::pow, -inf, -3, -0.},
      {Binary::pow, -inf, .5, inf},
      {Binary::minimum, NaN, 1, NaN},
      {Binary::minimum, 1, NaN, NaN},
      {Binary::maximum, NaN, 1, NaN},
      {Binary::maximum, 1, NaN, NaN},
      {Binary::relu_grad, 3, NaN, 3},
      {Binary::relu_grad, inf, 0, 0},
      {Binary::relu_grad, NaN, -1, 0},
      {Binary::bce_with_logits, inf, 1, 0},
      {Binary::bce_with_logits, -inf, 0, 0},
      {Binary::bce_with_logits, inf, 0, inf},
      {Binary::bce_with_logits, -inf, 1, inf},
      {Binary::bce_with_logits, 1000, 0, 1000},
      {Binary::bce_with_logits, -1000, 1, 1000},
  };
  for (const auto& c : twos) {
    INFO("binary " << int(c.kernel) << " of " << c.a << ", " << c.b << " on " << std::string(t->name));
    CHECK(same_bits(binary(t, c.kernel, T(c.a), T(c.b)), T(c.y)));
  }
}

}  // namespace

TEST_CASE("unary kernels are accurate, and alike on all instruction sets") {
  check_unary_values<float>();
  check_unary_values<double>();
}

TEST_CASE("binary kernels are accurate, work in place, and are alike on all instruction sets") {
  check_binary_values<float>();
  check_binary_values<double>();
}

TEST_CASE("special values") {
  for (const Table* t : tables()) {
    check_special_values<float>(t);
    check_special_values<double>(t);
  }
}
