#include <doctest/doctest.h>
#include <autograd/ops/table/check.hpp>

using namespace xgrad::op_table;

TEST_CASE("ops on sequences match their references, and their gradients the differences") {
  check_family("ops on sequences", rows_sequences());
}
