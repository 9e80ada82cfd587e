#pragma once
#include <autograd/ops/table/row.hpp>

namespace xgrad::op_table {

/// An op that moves elements of one input and rounds nothing.
inline Variant one(std::string label, Tensor (*f)(const Tensor&), Values (*reference)(const Values&),
                   ShapeTuples shapes) {
  return {.label = std::move(label),
          .f = [f](const Tensors& x) { return f(x[0]); },
          .reference = [reference](const std::vector<Values>& x) { return reference(x[0]); },
          .domains = {interval(-2, 2)},
          .shapes = std::move(shapes),
          .ulps = 0};
}

/// Parts of the family of shaping.
std::vector<Row> rows_joining();
std::vector<Row> rows_slicing();
std::vector<Row> rows_rearranging();
std::vector<Row> rows_diagonals();

}  // namespace xgrad::op_table
