#include <doctest/doctest.h>
#include <autograd/ops/table/check.hpp>

using namespace xgrad::op_table;

TEST_CASE("products match their references, and their gradients the differences") {
  check_family("products", rows_matmul());
}
