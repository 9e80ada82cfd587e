#include <doctest/doctest.h>
#include <autograd/op_table/check.hpp>

using namespace xgrad::op_table;

TEST_CASE("arithmetic matches its references, and its gradients the differences") {
  check_family("arithmetic", rows_arithmetic());
}

TEST_CASE("exponentials, logarithms and trigonometry match their references, and their gradients the differences") {
  check_family("transcendental", rows_transcendental());
}

TEST_CASE("comparisons and choices match their references, and their gradients the differences") {
  check_family("comparison", rows_comparison());
}

TEST_CASE("activations match their references, and their gradients the differences") {
  check_family("activation", rows_activation());
}
