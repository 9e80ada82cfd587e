#include <doctest/doctest.h>
#include <autograd/ops.hpp>
#include <type_traits>

TEST_CASE("&& and || join masks, and stay the built-in ones between a tensor and a bool") {
  using namespace xgrad;
  const Tensor mask = ones({1}) > 0, none;
  static_assert(std::is_same_v<decltype(mask && !mask), Tensor> && std::is_same_v<decltype(mask || mask), Tensor>);
  static_assert(std::is_same_v<decltype(mask && true), bool> && std::is_same_v<decltype(false || mask), bool>);
  CHECK_FALSE((none.defined() && all(none > 0)));  // what stands on the right is not computed
  CHECK((mask && !!mask).item<bool>());
  if (!mask) FAIL("an if takes a tensor of one element");
}
