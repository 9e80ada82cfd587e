#include <doctest/doctest.h>
#include <autograd/ops/table/check.hpp>

using namespace xgrad::op_table;

TEST_CASE("linear algebra matches its references, and its gradients the differences") {
  check_family("linear algebra", rows_linalg());
}
