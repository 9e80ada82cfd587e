#include <doctest/doctest.h>
#include <autograd/ops/table/check.hpp>

using namespace xgrad::op_table;

TEST_CASE("vectors match their references, and their gradients the differences") {
  check_family("vectors", rows_vectors());
}

TEST_CASE("reductions, scans and orders match their references, and their gradients the differences") {
  check_family("reductions, scans and orders", rows_reduction());
}
