#include <doctest/doctest.h>
#include <autograd/ops/table/check.hpp>

using namespace xgrad::op_table;

TEST_CASE("ops that reshape, join and cut match their references, and their gradients the differences") {
  check_family("shaping ops", rows_shaping());
}
