#include <autograd/ops/table/row.hpp>

namespace xgrad::op_table {
namespace {

const Domain few = whole_numbers(-1, 1), numbers = fixed({0, -1.5, inf, 2, nan, -inf, -0., 1});

Row comparison(const char* op, Tensor (*f)(const Operand&, const Operand&), Real (*exact)(Real, Real)) {
  Variant floating = binary(f, each(exact), few, few), special = binary(f, each(exact), numbers, few);
  floating.order = special.order = 0;
  special.label = "NaN and infinities";
  Variant integer = floating;
  integer.label = "integers";
  integer.domains = {integers(-1, 1), integers(-1, 1)};
  Variant logical = floating;
  logical.label = "booleans";
  logical.domains = {booleans(), booleans()};
  return {op, {floating, special, integer, logical}};
}

Row predicate_row(const char* op, Tensor (*f)(const Operand&), Real (*exact)(Real)) {
  Variant variant = unary(f, each(exact), numbers);
  variant.order = 0;
  return {op, {variant}};
}

/// What `row` says, of an operator that is written between or before tensors.
Row of_operator(const char* op, const Function& f, Row row) {
  row.op = op;
  for (Variant& variant : row.variants) variant.f = f;
  return row;
}

const ShapeTuples& broadcast_triples() {
  static const ShapeTuples shapes{{{}, {}, {}},
                                  {{3}, {3}, {3}},
                                  {{2, 3}, {3}, {}},
                                  {{2, 1}, {1, 3}, {2, 3}},
                                  {{4, 1}, {4, 0}, {1}},
                                  {{3}, {2, 1, 3, 1, 1}, {2, 1}},
                                  {{2, 1, 1, 2, 1}, {3}, {1, 2, 1, 1, 3}}};
  return shapes;
}

Row where_row() {
  const Domain values = interval(-2, 2);
  Variant tensors{.label = "",
                  .f = [](const Tensors& x) { return where(x[0], x[1], x[2]); },
                  .reference = each([](Real m, Real a, Real b) { return m != 0 ? a : b; }),
                  .domains = {booleans(), values, values},
                  .shapes = broadcast_triples()};
  Variant otherwise_number =
      binary(operator*, each([](Real m, Real a) -> Real { return m != 0 ? a : .5L; }), booleans(), values);
  otherwise_number.label = "number elsewhere";
  otherwise_number.f = [](const Tensors& x) { return where(x[0], x[1], .5); };
  Variant number = binary(operator*, each([](Real m, Real b) -> Real { return m != 0 ? 2 : b; }), booleans(), values);
  number.label = "number where true";
  number.f = [](const Tensors& x) { return where(x[0], 2, x[1]); };

  Special selected{{{1, 0}, {inf, nan}}, {1, nan}, {{1, 0}, {0, 1}}};
  selected.f = [](const Tensors& x) { return where(x[0].detach() > 0, x[0], x[1]); };
  // A branch that is not chosen sends its own NaN, unless its input is chosen as well.
  Special single = at(0, 0, nan), twice = at(0, 0, 0);
  single.f = [](const Tensors& x) { return where(x[0] > 0, sqrt(x[0]), 0); };
  twice.f = [](const Tensors& x) { return where(x[0] > 0, sqrt(where(x[0] > 0, x[0], 1)), 0); };
  return {"where", {tensors, otherwise_number, number}, {selected, single, twice}};
}

/// minimum and maximum: each with a number, and what ties and NaN give.
Row extremum(const char* op, Tensor (*f)(const Operand&, const Operand&), Real (*exact)(Real, Real)) {
  Variant integer = binary(f, each(exact), integers(-9, 9), integers(-9, 9)), logical = integer;
  integer.label = "integers";
  logical.label = "booleans";
  logical.domains = {booleans(), booleans()};
  integer.order = logical.order = 0;
  return {op,
          {binary(f, each(exact), interval(-2, 2), interval(-2, 2)), integer, logical,
           unary(
               "number", [f](const Tensors& x) { return f(x[0], .5); },
               [exact](const std::vector<Values>& x) {
                 return build(x[0].shape, [&](const Index& i) { return exact(x[0][i], .5); });
               },
               interval(-2, 2))},
          {{{{1}, {1}}, {1}, {{.5}, {.5}}, {{0}, {0}}},
           at2(nan, 1, nan, 1, 1),
           at2(1, nan, nan, 1, 1),
           at2(inf, inf, inf, .5, .5)}};
}

/// x between tensors of one element.
Special bounded(double x, double low, double high, double value, std::vector<double> gradients) {
  Special s{{{x}, {low}, {high}}, {value}};
  for (const double g : gradients) s.gradients.push_back({g});
  s.f = [](const Tensors& t) { return clamp(t[0], t[1], t[2]); };
  return s;
}

Row clamp_row() {
  Variant one_bound = binary(operator*, each([](Real x, Real b) { return std::fmin(std::fmax(x, Real(-1)), b); }),
                             interval(-2, 2), interval(.5, 1));
  one_bound.label = "number and tensor";
  one_bound.f = [](const Tensors& x) { return clamp(x[0], -1, x[1]); };
  return {"clamp",
          {unary(
               "", [](const Tensors& x) { return clamp(x[0], -1, .5); },
               each([](Real x) { return std::fmin(std::fmax(x, Real(-1)), .5L); }), interval(-2, 2)),
           {.label = "tensors",
            .f = [](const Tensors& x) { return clamp(x[0], x[1], x[2]); },
            .reference = each([](Real x, Real a, Real b) { return std::fmin(std::fmax(x, a), b); }),
            .domains = {interval(-2, 2), interval(-1, -.5), interval(.5, 1)},
            .shapes = broadcast_triples()},
           one_bound},
          {at(.5, .5, 1, 0), at(-1, -1, 1, 0), at(2, .5, 0, 0), at(-2, -1, 0), at(nan, nan, 0), at(inf, .5, 0),
           at(-inf, -1, 0), bounded(0, -1, 1, 0, {1, 0, 0}), bounded(2, -1, 1, 1, {0, 0, 1}),
           bounded(-2, -1, 1, -1, {0, 1, 0}), bounded(1, -1, 1, 1, {1, 0, 0}), bounded(0, 1, -1, -1, {0, 0, 1}),
           bounded(nan, -1, 1, nan, {0, 0, 0}), bounded(0, nan, 1, nan, {0, 0, 0})}};
}

}  // namespace

std::vector<Row> rows_comparison() {
  const Row conjunction =
      comparison("logical_and", logical_and, [](Real a, Real b) -> Real { return a != 0 && b != 0; });
  const Row disjunction = comparison("logical_or", logical_or, [](Real a, Real b) -> Real { return a != 0 || b != 0; });
  const Row difference =
      comparison("logical_xor", logical_xor, [](Real a, Real b) -> Real { return (a != 0) != (b != 0); });
  const Row negation = predicate_row("logical_not", logical_not, [](Real x) -> Real { return x == 0; });
  return {
      comparison("operator==", operator==, [](Real a, Real b) -> Real { return a == b; }),
      comparison("operator!=", operator!=, [](Real a, Real b) -> Real { return a != b; }),
      comparison("operator<", operator<, [](Real a, Real b) -> Real { return a < b; }),
      comparison("operator<=", operator<=, [](Real a, Real b) -> Real { return a <= b; }),
      comparison("operator>", operator>, [](Real a, Real b) -> Real { return a > b; }),
      comparison("operator>=", operator>=, [](Real a, Real b) -> Real { return a >= b; }),
      conjunction,
      disjunction,
      difference,
      negation,
      of_operator(
          "operator&&", [](const Tensors& x) { return x[0] && x[1]; }, conjunction),
      of_operator(
          "operator||", [](const Tensors& x) { return x[0] || x[1]; }, disjunction),
      of_operator(
          "operator! (unary)", [](const Tensors& x) { return !x[0]; }, negation),
      predicate_row("isnan", isnan, [](Real x) -> Real { return std::isnan(x); }),
      predicate_row("isfinite", isfinite, [](Real x) -> Real { return std::isfinite(x); }),
      where_row(),
      extremum("minimum", minimum, [](Real a, Real b) { return a < b ? a : b; }),
      extremum("maximum", maximum, [](Real a, Real b) { return a > b ? a : b; }),
      clamp_row(),
  };
}

}  // namespace xgrad::op_table
