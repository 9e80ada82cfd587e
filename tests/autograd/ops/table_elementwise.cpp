#include <doctest/doctest.h>
#include <autograd/ops/table/check.hpp>

using namespace xgrad::op_table;

TEST_CASE("arithmetic matches its references, and its gradients the differences") {
  check_family("arithmetic", rows_arithmetic());
}

TEST_CASE("exponentials, logarithms and trigonometry match their references, and their gradients the differences") {
  check_family("transcendental", rows_transcendental());
}

TEST_CASE("less common formulas match their references, and their gradients the differences") {
  check_family("formulas", rows_formulas());
}

TEST_CASE("remainders, rounded quotients and bits match their references, and their gradients the differences") {
  check_family("division", rows_division());
}

TEST_CASE("comparisons and choices match their references, and their gradients the differences") {
  check_family("comparison", rows_comparison());
}

TEST_CASE("activations match their references, and their gradients the differences") {
  check_family("activation", rows_activation());
}

TEST_CASE("&& and || join masks, and stay the built-in ones between a tensor and a bool") {
  using namespace xgrad;
  const Tensor mask = ones({1}) > 0, none;
  static_assert(std::is_same_v<decltype(mask && !mask), Tensor> && std::is_same_v<decltype(mask || mask), Tensor>);
  static_assert(std::is_same_v<decltype(mask && true), bool> && std::is_same_v<decltype(false || mask), bool>);
  CHECK_FALSE((none.defined() && all(none > 0)));  // what stands on the right is not computed
  CHECK((mask && !!mask).item<bool>());
  if (!mask) FAIL("an if takes a tensor of one element");
}
