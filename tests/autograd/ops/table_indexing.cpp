#include <doctest/doctest.h>
#include <autograd/ops/table/check.hpp>

using namespace xgrad::op_table;

TEST_CASE("ops that index match their references, and their gradients the differences") {
  check_family("indexing ops", rows_indexing());
}
