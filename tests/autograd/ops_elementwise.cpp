#include <doctest/doctest.h>
#include <autograd/op_table/check.hpp>

using namespace xgrad::op_table;

TEST_CASE("elementwise ops match their references, and their gradients the differences") {
  check_family("elementwise ops", rows_elementwise());
}
