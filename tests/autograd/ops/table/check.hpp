#pragma once
#include <autograd/ops/table/row.hpp>

namespace xgrad::op_table {

/// What came of a row's checks.
struct Outcome {
  std::int64_t checks = 0;
  std::vector<std::string> failures;  // each names the op, the variant, the shapes and what was seen

  bool ok() const { return failures.empty(); }
  std::string str() const;
};

/// Runs everything that holds for every op on each variant and shape of the row. In f64 and f32: the values against the
/// reference; equal values and no node under NoGrad. In f64: gradients of every order up to the variant's against
/// differences; a zero cotangent gives exact zeros; the vjp is linear in the cotangent; gradients have their inputs'
/// shapes. f32's gradient against f64's. Then the special points, in both dtypes. The inputs are the same in every run.
Outcome check(const Row& row);

/// Checks all rows of a family, failing in doctest by op, and prints how many ops and checks there were.
void check_family(const char* name, const std::vector<Row>& rows);

}  // namespace xgrad::op_table
