#include <autograd/ops/table/row.hpp>
#include <numbers>

// The ops of formulas that are less common.
namespace xgrad::op_table {
namespace {

constexpr double pi = std::numbers::pi, euler = std::numbers::egamma;
const Domain signed_numbers = interval(-2, 2), inside = interval(-.9, .9), positive = interval(.3, 3),
             off_zero = around_zero(.3, 2), between_poles = interval(-2.8, -2.2);

Special in_f64(Special s) {
  s.f64_only = true;
  return s;
}

Real erfinv_of(Real x) {
  Real y = x;
  for (int i = 0; i < 100; ++i) y -= (std::erf(y) - x) / (2 * std::numbers::inv_sqrtpi_v<Real> * std::exp(-y * y));
  return y;
}

/// Derivative n of digamma: its recurrence up to 200, and there the first terms of its asymptotic series.
Real polygamma_of(int n, Real x) {
  Real sum = 0, factorial = 1;
  for (int k = 2; k <= n; ++k) factorial *= static_cast<Real>(k);
  const Real sign = n % 2 ? 1 : -1;
  for (; x < 200; ++x) sum += sign * factorial * std::pow(x, static_cast<Real>(-n - 1));
  if (n == 0)
    return sum + std::log(x) - 1 / (2 * x) - 1 / (12 * x * x) + 1 / (120 * x * x * x * x) -
           1 / (252 * std::pow(x, Real(6)));
  const auto power = [&](int k) { return std::pow(x, static_cast<Real>(-k)); };
  const Real n_plus = static_cast<Real>(n + 1);
  return sum + sign * factorial *
                   (power(n) / static_cast<Real>(n) + power(n + 1) / 2 + n_plus * power(n + 2) / 12 -
                    n_plus * (n_plus + 1) * (n_plus + 2) * power(n + 4) / 720 +
                    n_plus * (n_plus + 1) * (n_plus + 2) * (n_plus + 3) * (n_plus + 4) * power(n + 6) / 30240);
}

/// An op of two, also with a number on either side.
std::vector<Variant> with_numbers(Tensor (*f)(const Operand&, const Operand&), Real (*exact)(Real, Real), Domain a,
                                  Domain b, double ulps = 4, double scale = 0) {
  std::vector<Variant> variants{binary(f, each(exact), a, b, ulps),
                                unary(
                                    "number on the right", [f](const Tensors& x) { return f(x[0], 1.5); },
                                    [exact](const std::vector<Values>& x) {
                                      return build(x[0].shape, [&](const Index& i) { return exact(x[0][i], 1.5); });
                                    },
                                    a, ulps),
                                unary(
                                    "number on the left", [f](const Tensors& x) { return f(3, x[0]); },
                                    [exact](const std::vector<Values>& x) {
                                      return build(x[0].shape, [&](const Index& i) { return exact(3, x[0][i]); });
                                    },
                                    b, ulps)};
  for (Variant& v : variants) v.scale = scale;
  return variants;
}

Row lerp_row() {
  const auto exact = [](Real a, Real b, Real w) { return a + w * (b - a); };
  Variant tensors{.label = "",
                  .f = [](const Tensors& x) { return lerp(x[0], x[1], x[2]); },
                  .reference = each(+exact),
                  .domains = {signed_numbers, signed_numbers, fixed({-.2, .3, .7, 1.4})},
                  .shapes = {{{}, {}, {}},
                             {{3}, {3}, {3}},
                             {{2, 3}, {3}, {}},
                             {{2, 1}, {1, 3}, {2, 3}},
                             {{4, 1}, {4, 0}, {1}},
                             {{2, 1, 1, 2, 1}, {3}, {1, 2, 1, 1, 3}}},
                  .scale = 6};
  Variant ends{.label = "between numbers",
               .f = [](const Tensors& x) { return lerp(-1, 2, x[0]); },
               .reference = each(+[](Real w) { return 3 * w - 1; }),
               .domains = {fixed({-.2, .3, .7, 1.4})},
               .shapes = {{{}}, {{3}}, {{2, 0}}, {{2, 1, 3}}},
               .scale = 6};
  std::vector<Variant> variants{tensors, ends};
  for (const double w : {.3, .8}) {
    Variant number = binary(
        operator+,
        [w](const std::vector<Values>& x) {
          return build(broadcast_of(x), [&](const Index& i) {
            const Real a = broadcast_element(x[0], i), b = broadcast_element(x[1], i);
            return a + static_cast<Real>(w) * (b - a);
          });
        },
        signed_numbers, signed_numbers);
    number.label = text("weight ", w);
    number.f = [w](const Tensors& x) { return lerp(x[0], x[1], w); };
    number.scale = 4;
    variants.push_back(std::move(number));
  }
  Special end = at2(.1, .7, .7, 0, 1);
  end.f = [](const Tensors& x) { return lerp(x[0], x[1], 1); };
  return {"lerp", std::move(variants), {end}};
}

std::vector<Row> gamma_rows() {
  std::vector<Variant> polygammas;
  const auto add = [&]<int n>(const char* label, const Domain& domain, int order) {
    Variant v = unary(
        label, [](const Tensors& x) { return polygamma(n, x[0]); }, each([](Real x) { return polygamma_of(n, x); }),
        domain, 8);
    v.scale = n == 0 ? 1 : 0;
    v.order = order;
    polygammas.push_back(std::move(v));
  };
  add.operator()<1>("1", positive, 3);
  add.operator()<2>("2", positive, 2);
  add.operator()<5>("5", positive, 1);
  add.operator()<0>("0", positive, 2);
  add.operator()<1>("1 below 0", between_poles, 2);
  add.operator()<3>("3 below 0", between_poles, 1);
  const auto far = [](int n, double x, double value) {
    Special s{{{x}}, {value}};
    s.f = [n](const Tensors& t) { return polygamma(n, t[0]); };
    return s;
  };
  Variant digammas = unary(digamma, each([](Real x) { return polygamma_of(0, x); }), positive);
  Variant negative = unary(
      "below 0", [](const Tensors& x) { return digamma(x[0]); }, each([](Real x) { return polygamma_of(0, x); }),
      between_poles, 8);
  digammas.scale = negative.scale = 4;
  Special lgamma_at_1 = at(1, 0, -euler, pi * pi / 6), digamma_at_1 = at(1, -euler, pi * pi / 6);
  lgamma_at_1.tolerance = digamma_at_1.tolerance = 8;
  return {
      {"lgamma",
       {unary(lgamma, each([](Real x) { return std::lgamma(x); }), positive),
        unary(
            "below 0", [](const Tensors& x) { return lgamma(x[0]); }, each([](Real x) { return std::lgamma(x); }),
            between_poles, 8)},
       {lgamma_at_1, at(0, inf, -inf), at(-0., inf, inf), at(-1, inf, nan), at(inf, inf, inf, 0), at(nan, nan, nan)}},
      {"digamma",
       {digammas, negative},
       {digamma_at_1, at(0, -inf, inf), at(-0., inf, inf), at(-2, nan, inf), at(inf, inf, 0), at(-inf, nan, nan),
        at(nan, nan, nan)}},
      {"polygamma",
       std::move(polygammas),
       {far(1, inf, 0), far(3, 0, inf), far(2, 0, -inf), far(1, -1, inf), far(2, nan, nan), far(1, 1, pi * pi / 6)}}};
}

Row nan_to_num_row() {
  const auto with = [](NanToNumOptions options, Special s) {
    s.f = [options](const Tensors& x) { return nan_to_num(x[0], options); };
    return s;
  };
  Variant integer = unary(
      "integers", [](const Tensors& x) { return nan_to_num(x[0]); }, each([](Real x) { return x; }), integers(-5, 5));
  integer.order = 0;
  Special lowest = at(-inf, std::numeric_limits<float>::lowest(), 0);
  lowest.f32_only = true;
  return {"nan_to_num",
          {unary(
               "", [](const Tensors& x) { return nan_to_num(x[0]); }, each([](Real x) { return x; }), signed_numbers),
           integer},
          {at(nan, 0, 0), in_f64(at(inf, std::numeric_limits<double>::max(), 0)), lowest, at(1, 1, 1, 0),
           with({.nan = 3}, at(nan, 3, 0)), with({.infinity = 7}, at(inf, 7, 0)),
           with({.negative_infinity = -7}, at(-inf, -7, 0))}};
}

}  // namespace

std::vector<Row> rows_formulas() {
  Variant sincs = unary(
      "", [](const Tensors& x) { return sinc(x[0]); }, each([](Real x) {
        const Real u = std::numbers::pi_v<Real> * x;
        return x == 0 ? 1 : std::sin(u) / u;
      }),
      interval(-2, 2));
  sincs.scale = 1;
  std::vector<Row> rows{
      {"reciprocal",
       {unary(reciprocal, each([](Real x) { return 1 / x; }), off_zero)},
       {at(0, inf, -inf), at(-0., -inf, -inf), at(inf, 0, 0), at(nan, nan, nan)}},
      {"hypot",
       with_numbers(
           hypot, [](Real a, Real b) { return std::hypot(a, b); }, off_zero, off_zero),
       {at2(0, 0, 0, 0, 0), at2(3, -4, 5, .6, -.8), at2(inf, nan, inf, 1, 0), at2(2, -inf, inf, 0, -1),
        at2(nan, 1, nan, nan, nan), in_f64(at2(3e200, 4e200, 5e200, .6, .8)),
        in_f64(at2(3e-200, 4e-200, 5e-200, .6, .8))}},
      lerp_row(),
      {"exp2",
       {unary(exp2, each([](Real x) { return std::exp2(x); }), signed_numbers)},
       {at(3, 8, 8 * std::numbers::ln2), at(-inf, 0, 0, 0), at(inf, inf, inf), at(2000, inf, inf), at(-2000, 0, 0),
        at(nan, nan, nan)}},
      {"log2",
       {unary(log2, each([](Real x) { return std::log2(x); }), positive)},
       {at(8, 3, std::numbers::log2e / 8), at(0, -inf, inf), at(-1, nan, nan, nan), at(inf, inf, 0)}},
      {"log10",
       {unary(log10, each([](Real x) { return std::log10(x); }), positive)},
       {at(1000, 3, std::numbers::log10e / 1000), at(0, -inf, inf), at(-1, nan, nan, nan), at(inf, inf, 0)}},
      {"logaddexp",
       with_numbers(
           logaddexp, [](Real a, Real b) { return std::log(std::exp(a) + std::exp(b)); }, signed_numbers,
           signed_numbers, 4, 2),
       {at2(1000, 1000, 1000 + std::numbers::ln2, .5, .5), at2(-1000, 1000, 1000, 0, 1), at2(inf, inf, inf, .5, .5),
        at2(-inf, -inf, -inf, 0, 0), at2(-inf, 1, 1, 0, 1), at2(inf, -inf, inf, 1, 0), at2(nan, 1, nan, nan, nan)}},
      {"xlogy",
       with_numbers(
           xlogy, [](Real a, Real b) { return a * std::log(b); }, off_zero, positive),
       {at2(0, 0, 0, 0, nan), at2(0, nan, nan, nan, nan), at2(2, 0, -inf, -inf, inf), at2(0, -1, 0, 0, 0),
        at2(1, -1, nan, nan, -1), at2(0, inf, 0, inf, 0)}},
      {"asinh",
       {unary(asinh, each([](Real x) { return std::asinh(x); }), interval(-4, 4))},
       {at(0, 0, 1, 0), at(inf, inf, 0, 0), at(-inf, -inf, 0, 0), at(nan, nan, nan),
        in_f64(at(1e300, 691.46867507877362, 1e-300)), at(1e-12, 1e-12, 1, -1e-12)}},
      {"acosh",
       {unary(acosh, each([](Real x) { return std::acosh(x); }), interval(1.2, 4))},
       {at(1, 0, inf, -inf), at(.5, nan, nan, nan), at(-2, nan, nan, nan), at(inf, inf, 0, 0),
        in_f64(at(1e200, 461.2101657793691, 1e-200)), at(nan, nan, nan)}},
      {"atanh",
       {unary(atanh, each([](Real x) { return std::atanh(x); }), inside)},
       {at(0, 0, 1, 0), at(1, inf, inf), at(-1, -inf, inf), at(1.5, nan, nan, nan), at(-1.5, nan, nan, nan),
        at(1e-17, 1e-17, 1, 2e-17)}},
      {"sinc", {sincs}, {at(0, 1, 0, -pi * pi / 3), at(1e-9, 1, -pi * pi / 3 * 1e-9, -pi * pi / 3), at(nan, nan, nan)}},
      {"erfinv",
       {unary(erfinv, each(erfinv_of), inside, 6)},
       {at(0, 0, std::sqrt(pi) / 2, 0), at(1, inf, inf), at(-1, -inf, inf), at(1.5, nan, nan), at(nan, nan, nan)}},
      nan_to_num_row(),
  };
  for (Row& row : gamma_rows()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace xgrad::op_table
