#include <autograd/ops/table/row.hpp>

namespace xgrad::op_table {
namespace {

const Domain signed_numbers = interval(-2, 2), nonzero = around_zero(.5, 2), positive = interval(.5, 2);

/// An operator between tensors, with a number on either side, and on integers.
std::vector<Variant> operator_variants(Tensor (*f)(const Operand&, const Operand&), Real (*exact)(Real, Real), Domain a,
                                       Domain b) {
  std::vector<Variant> variants{binary(f, each(exact), std::move(a), std::move(b)),
                                unary(
                                    "number on the right", [f](const Tensors& x) { return f(x[0], 1.5); },
                                    [exact](const std::vector<Values>& x) {
                                      return build(x[0].shape, [&](const Index& i) { return exact(x[0][i], 1.5); });
                                    },
                                    nonzero),
                                unary(
                                    "number on the left", [f](const Tensors& x) { return f(3, x[0]); },
                                    [exact](const std::vector<Values>& x) {
                                      return build(x[0].shape, [&](const Index& i) { return exact(3, x[0][i]); });
                                    },
                                    nonzero)};
  return variants;
}

std::vector<Variant> with_integers(std::vector<Variant> variants) {
  Variant integer = variants[0];
  integer.label = "integers";
  integer.domains = {integers(-1000000000, 1000000000), integers(-9, 9)};
  integer.order = 0;
  variants.push_back(std::move(integer));
  return variants;
}

/// The same on booleans.
std::vector<Variant> with_booleans(std::vector<Variant> variants, Real (*exact)(Real, Real)) {
  Variant logical = variants[0];
  logical.label = "booleans";
  logical.reference = each(exact);
  logical.domains = {booleans(), booleans()};
  logical.order = 0;
  variants.push_back(std::move(logical));
  return variants;
}

/// `a op= b`, by what it leaves in a.
Variant compound(Tensor& (*f)(Tensor&, const Operand&), Real (*exact)(Real, Real)) {
  Variant variant = binary(operator+, each(exact), signed_numbers, nonzero);
  variant.f = [f](const Tensors& x) {
    Tensor a = x[0];
    f(a, x[1]);
    return a;
  };
  return variant;
}

Real add(Real a, Real b) { return a + b; }
Real subtract(Real a, Real b) { return a - b; }
Real multiply(Real a, Real b) { return a * b; }
Real divide(Real a, Real b) { return a / b; }

/// pow with a plain number as exponent or base.
Function to_the(double n) {
  return [n](const Tensors& x) { return pow(x[0], n); };
}
Function power_of(double a) {
  return [a](const Tensors& x) { return pow(a, x[0]); };
}
Special pow_at(Function f, Special s) {
  s.f = std::move(f);
  return s;
}

Row pow_row() {
  const auto pair = [](double a, double b, double value, double da, double db, double daa, double dbb) {
    return Special{{{a}, {b}}, {value}, {{da}, {db}}, {{daa}, {dbb}}};
  };
  Variant integer = binary(pow, each([](Real a, Real b) { return std::pow(a, b); }), integers(-5, 5), integers(0, 9));
  Variant cube = unary("integers^3", to_the(3), each([](Real x) { return x * x * x; }), integers(-99, 99));
  integer.label = "integers";
  integer.order = cube.order = 0;
  return {"pow",
          {binary(pow, each([](Real a, Real b) { return std::pow(a, b); }), positive, signed_numbers),
           unary("x^0", to_the(0), each([](Real) -> Real { return 1; }), signed_numbers),
           unary("x^1", to_the(1), each([](Real x) { return x; }), signed_numbers),
           unary("x^2", to_the(2), each([](Real x) { return x * x; }), signed_numbers),
           unary("x^3", to_the(3), each([](Real x) { return x * x * x; }), signed_numbers),
           unary("x^0.5", to_the(.5), each([](Real x) { return std::sqrt(x); }), positive),
           unary("x^-1", to_the(-1), each([](Real x) { return 1 / x; }), nonzero),
           unary("2^x", power_of(2), each([](Real x) { return std::exp2(x); }), signed_numbers), integer, cube},
          {
              pair(0, 0, 1, 0, 0, 0, 0),
              pair(0, 1, 0, 1, 0, 0, 0),
              pair(0, 2, 0, 0, 0, 2, 0),
              at2(0, -1, inf, -inf, -inf),
              at2(-2, .5, nan, nan, nan),
              at2(-2, 2, 4, -4, nan),
              at2(-2, 3, -8, 12, nan),
              pow_at(to_the(0), at(nan, 1, 0)),
              pow_at(to_the(0), at(inf, 1, 0)),
              pow_at(to_the(0), at(0, 1, 0, 0)),
              pow_at(to_the(1), at(0, 0, 1, 0)),
              pow_at(to_the(2), at(0, 0, 0, 2)),
              pow_at(to_the(3), at(0, 0, 0, 0)),
              pow_at(to_the(.5), at(0, 0, inf)),
              pow_at(to_the(-1), at(0, inf, -inf)),
              pow_at(power_of(0), at(0, 1, 0, 0)),
              pow_at(power_of(0), at(-1, inf, -inf)),
              pow_at(power_of(-2), at(2, 4, nan)),
              pow_at(power_of(-2), at(.5, nan, nan)),
          }};
}

Special signed_at(double x, double value, double gradient) {
  Special s = at(x, value, gradient);
  s.signed_zeros = true;
  return s;
}

/// A piecewise constant op: values only, its derivative is 0.
Row steps(const char* op, Tensor (*f)(const Operand&), Real (*exact)(Real), std::vector<Special> special) {
  Variant integer = unary(f, each(exact), integers(-1000000000, 1000000000));
  integer.label = "integers";
  integer.order = 0;
  return {op, {unary(f, each(exact), fixed({-2.7, -1.2, -.4, .3, .6, 1.8, 2.3})), integer}, std::move(special)};
}

}  // namespace

std::vector<Row> rows_arithmetic() {
  Special product_of_zero = at(0, 0, nan);  // the product rule's 0 * inf
  product_of_zero.f = [](const Tensors& x) { return 0 * sqrt(x[0]); };
  return {
      {"operator+",
       with_booleans(with_integers(operator_variants(operator+, add, signed_numbers, signed_numbers)),
                     [](Real a, Real b) -> Real { return a != 0 || b != 0; }),
       {at2(inf, -inf, nan, 1, 1)}},
      {"operator-",
       with_integers(operator_variants(operator-, subtract, signed_numbers, signed_numbers)),
       {at2(inf, inf, nan, 1, -1)}},
      {"operator*",
       with_booleans(with_integers(operator_variants(operator*, multiply, signed_numbers, signed_numbers)), multiply),
       {at2(0, inf, nan, inf, 0)}},
      {"operator/",
       operator_variants(operator/, divide, signed_numbers, nonzero),
       {at2(1, 0, inf, inf, -inf),
        at2(0, 0, nan, inf, nan),
        {{{1}, {inf}}, {0}, {{0}, {-0.}}, {}, {}, {}, false, true},
        {{{1e100}, {1e160}}, {1e-60}, {{1e-160}, {-1e-220}}, {}, {}, {}, true}}},
      {"operator- (unary)",
       {unary(operator-, each([](Real x) { return -x; }), signed_numbers)},
       {signed_at(0, -0., -1)}},
      {"operator+ (unary)",
       {unary(
           "", [](const Tensors& x) { return +x[0]; }, each([](Real x) { return x; }), signed_numbers)}},
      {"operator+=", {compound(operator+=, add)}},
      {"operator-=", {compound(operator-=, subtract)}},
      {"operator*=", {compound(operator*=, multiply)}},
      {"operator/=", {compound(operator/=, divide)}},
      pow_row(),
      {"square", {unary(square, each([](Real x) { return x * x; }), signed_numbers)}, {at(0, 0, 0, 2)}},
      {"abs",
       {unary(abs, each([](Real x) { return std::fabs(x); }), nonzero)},
       {at(0, 0, 0, 0), at(-0., 0, 0), at(nan, nan, nan), at(-inf, inf, -1)}},
      {"sign",
       {unary(sign, each([](Real x) -> Real { return x > 0 ? 1 : -1; }), nonzero)},
       {at(0, 0, 0), at(nan, nan, 0), at(-inf, -1, 0)}},
      {"sqrt",
       {unary(sqrt, each([](Real x) { return std::sqrt(x); }), positive)},
       {signed_at(0, 0, inf), signed_at(-0., -0., -inf), at(-1, nan, nan), at(inf, inf, 0), product_of_zero}},
      {"rsqrt",
       {unary(rsqrt, each([](Real x) { return 1 / std::sqrt(x); }), positive)},
       {at(0, inf, -inf), at(-1, nan, nan), at(inf, 0, 0)}},
      steps("floor", floor, [](Real x) { return std::floor(x); }, {at(-2, -2, 0), at(-inf, -inf, 0), at(nan, nan, 0)}),
      steps("ceil", ceil, [](Real x) { return std::ceil(x); }, {at(2, 2, 0), signed_at(-.5, -0., 0), at(nan, nan, 0)}),
      steps("round", round, [](Real x) { return std::nearbyint(x); },
            {at(2.5, 2, 0), at(3.5, 4, 0), at(-2.5, -2, 0), signed_at(-.5, -0., 0), at(nan, nan, 0)}),
  };
}

}  // namespace xgrad::op_table
