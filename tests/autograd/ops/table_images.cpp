#include <doctest/doctest.h>
#include <autograd/ops/table/check.hpp>

using namespace xgrad::op_table;

TEST_CASE("ops on images match their references, and their gradients the differences") {
  check_family("ops on images", rows_images());
}
