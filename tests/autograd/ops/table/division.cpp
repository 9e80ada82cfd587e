#include <autograd/ops/table/row.hpp>

// Remainders, rounded quotients and bits.
namespace xgrad::op_table {
namespace {

Real floor_quotient(Real a, Real b) { return std::floor(a / b); }
Real remainder_of(Real a, Real b) {
  const Real rest = std::fmod(a, b);
  return rest != 0 && std::signbit(rest) != std::signbit(b) ? rest + b : rest;
}

/// Of numbers whose quotients are not whole, also with a number on either side, and of integers.
std::vector<Variant> quotients(Tensor (*f)(const Operand&, const Operand&), Real (*exact)(Real, Real)) {
  const Domain dividends = fixed({-4.9, 3.3, .4, 7.1, -.7}), divisors = fixed({1.5, -2.25, .65});
  Variant whole = binary(f, each(exact), integers(-20, 20), fixed({3, -4, 7, -1, 5, -7, 1}, i64));
  whole.label = "integers";
  whole.order = 0;
  Variant by_number = unary(
      "integers by a number", [f](const Tensors& x) { return f(x[0], -3); },
      [exact](const std::vector<Values>& x) {
        return build(x[0].shape, [&](const Index& i) { return exact(x[0][i], -3); });
      },
      integers(-20, 20));
  by_number.order = 0;
  return {binary(f, each(exact), dividends, divisors),
          unary(
              "number on the right", [f](const Tensors& x) { return f(x[0], 1.5); },
              [exact](const std::vector<Values>& x) {
                return build(x[0].shape, [&](const Index& i) { return exact(x[0][i], 1.5); });
              },
              dividends),
          unary(
              "number on the left", [f](const Tensors& x) { return f(5, x[0]); },
              [exact](const std::vector<Values>& x) {
                return build(x[0].shape, [&](const Index& i) { return exact(5, x[0][i]); });
              },
              divisors),
          whole, by_number};
}

Row bits(const char* op, Tensor (*f)(const Operand&, const Operand&), Real (*exact)(Real, Real)) {
  Variant whole = binary(f, each(exact), integers(-100, 100), integers(-100, 100)), logical = whole;
  logical.label = "booleans";
  logical.domains = {booleans(), booleans()};
  whole.order = logical.order = 0;
  return {op, {whole, logical}};
}

using Whole = std::int64_t;

}  // namespace

std::vector<Row> rows_division() {
  const std::vector<Special> rests{at2(5, 3, 2, 1, -1),    at2(-5, 3, 1, 1, 2),     at2(5, -3, -1, 1, 2),
                                   at2(-5, -3, -2, 1, -1), at2(1, 0, nan, 1, nan),  at2(inf, 2, nan, 1, nan),
                                   at2(2, inf, 2, 1, 0),   at2(nan, 2, nan, 1, nan)};
  Variant negation = unary(
      "", [](const Tensors& x) { return ~x[0]; }, each([](Real x) { return -x - 1; }), integers(-9, 9));
  Variant negated = unary(
      "booleans", [](const Tensors& x) { return ~x[0]; }, each([](Real x) -> Real { return x == 0; }), booleans());
  negation.order = negated.order = 0;
  return {
      {"floor_divide",
       quotients(floor_divide, floor_quotient),
       {at2(5, 3, 1, 0, 0), at2(-5, 3, -2, 0, 0), at2(6, 3, 2, 0, 0), at2(1, 0, inf, 0, 0), at2(0, 0, nan, 0, 0),
        at2(2, inf, 0, 0, 0), at2(-2, inf, -1, 0, 0)}},
      {"remainder", quotients(remainder, remainder_of), rests},
      {"operator%", quotients(operator%, remainder_of), rests},
      {"fmod",
       quotients(fmod, [](Real a, Real b) { return std::fmod(a, b); }),
       {at2(5, 3, 2, 1, -1), at2(-5, 3, -2, 1, 1), at2(5, -3, 2, 1, 1), at2(-5, -3, -2, 1, -1), at2(1, 0, nan, 1, nan),
        at2(2, inf, 2, 1, 0)}},
      bits("operator&", operator&, [](Real a, Real b) { return Real(Whole(a) & Whole(b)); }),
      bits("operator|", operator|, [](Real a, Real b) { return Real(Whole(a) | Whole(b)); }),
      bits("operator^", operator^, [](Real a, Real b) { return Real(Whole(a) ^ Whole(b)); }),
      {"operator~ (unary)", {negation, negated}},
  };
}

}  // namespace xgrad::op_table
