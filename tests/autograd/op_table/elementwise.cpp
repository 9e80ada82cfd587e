#include <autograd/op_table/row.hpp>

namespace xgrad::op_table {
namespace {

/// An op of one input on any shape.
Variant unary(Tensor (*f)(const Operand&), Reference reference, Domain domain, double ulps = 4) {
  return {.label = "",
          .f = [f](const Tensors& x) { return f(x[0]); },
          .reference = std::move(reference),
          .domains = {std::move(domain)},
          .shapes = any_shape(),
          .ulps = ulps};
}

/// An op of two inputs that broadcast.
Variant binary(Tensor (*f)(const Operand&, const Operand&), Reference reference, Domain a, Domain b, double ulps = 4) {
  return {.label = "",
          .f = [f](const Tensors& x) { return f(x[0], x[1]); },
          .reference = std::move(reference),
          .domains = {std::move(a), std::move(b)},
          .shapes = broadcast_pairs(),
          .ulps = ulps};
}

}  // namespace

std::vector<Row> rows_elementwise() {
  std::vector<Row> rows;
  rows.push_back(
      {"operator+", {binary(operator+, each([](Real a, Real b) { return a + b; }), interval(-2, 2), interval(-2, 2))}});
  rows.push_back({"exp",
                  {unary(exp, each([](Real x) { return std::exp(x); }), interval(-2, 2))},
                  {at(710, inf, inf), at(-746, 0, 0), at(0, 1, 1, 1)}});
  return rows;
}

}  // namespace xgrad::op_table
