#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <cmath>
#include <limits>
#include "messages.hpp"

using namespace xgrad;

namespace {

using Binary = Tensor (*)(const Operand&, const Operand&);
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

/// f with a number on one side is f with a 0-d tensor there, in value and in both derivatives.
void check_number(const char* name, Binary f) {
  CAPTURE(name);
  const Tensor x = tensor({0.5, 1.5, 2.5}, {.dtype = f64, .requires_grad = true}), c = tensor(0.75, {.dtype = f64});
  const auto same = [&](const Tensor& with_number, const Tensor& with_tensor) {
    CHECK(all(with_number == with_tensor).item<bool>());
    const Tensor g = grad(sum(with_number), {x}, {.create_graph = true})[0];
    const Tensor h = grad(sum(with_tensor), {x}, {.create_graph = true})[0];
    CHECK(all(g == h).item<bool>());
    CHECK(all(grad(sum(g), {x})[0] == grad(sum(h), {x})[0]).item<bool>());
  };
  same(f(x, 0.75), f(x, c));
  same(f(0.75, x), f(c, x));
}

}  // namespace

TEST_CASE("a number on either side of an op acts as a tensor of one element") {
  check_number("+", operator+);
  check_number("-", operator-);
  check_number("*", operator*);
  check_number("/", operator/);
  check_number("pow", pow);
  check_number("atan2", atan2);
  check_number("minimum", minimum);
  check_number("maximum", maximum);
  check_number("bce_with_logits", bce_with_logits);
}

TEST_CASE("a number where an op needs a tensor is named as what it is") {
  const Tensor x = ones({2, 2});
  const std::string number = "the argument is a plain number; make it a tensor with tensor(...)";
  CHECK(message_of<ValueError>([&] { all(5.); }) == "all: " + number);
  CHECK(message_of<ValueError>([&] { prod(2); }) == "prod: " + number);
  CHECK(message_of<ValueError>([&] { softmax(3.); }) == "softmax: " + number);
  CHECK(message_of<ValueError>([&] { take(x, 1); }) == "take: " + number);
  CHECK(message_of<ValueError>([&] { gather(x, 0, 1); }) == "gather: " + number);
  CHECK(message_of<ValueError>([&] { one_hot(1, 3); }) == "one_hot: " + number);
  CHECK(message_of<ValueError>([&] { where(true, x, 0); }) == "where: " + number);
  CHECK(message_of<ValueError>([&] { sum_to(2., {}); }) == "sum_to: " + number);
}

TEST_CASE("numbers that i64 cannot hold are refused, not wrapped") {
  const auto refused = [](Number n) { return message_of<DtypeError>([&] { full({2}, n, {.dtype = i64}); }); };
  CHECK(refused(1e19) == "full: the number 1e+19 is no i64; pass {.dtype = f64}");
  CHECK(refused(INFINITY) == "full: the number inf is no i64; pass {.dtype = f64}");
  CHECK(refused(std::numeric_limits<std::uint64_t>::max()) ==
        "full: the number 18446744073709551616 is no i64; pass {.dtype = f64}");
  CHECK(full({}, largest, {.dtype = i64}).item<std::int64_t>() == largest);
  CHECK(full({}, -0x1p63, {.dtype = i64}).item<std::int64_t>() == -largest - 1);
}

TEST_CASE("item to an integer takes the nearest that there is") {
  CHECK(tensor(-2.7).item<int>() == -2);
  CHECK(tensor(1e30).item<std::int64_t>() == largest);
  CHECK(tensor(NAN).item<std::int64_t>() == 0);
  CHECK(tensor(largest, {.dtype = i64}).item<std::int64_t>() == largest);
}

TEST_CASE("no op makes a shape whose elements or strides cannot be counted") {
  const std::int64_t big = std::int64_t{1} << 40;
  const std::string most = " has more elements than can be counted";
  CHECK(message_of<ShapeError>([&] {
          matmul(zeros({big, 0}), zeros({0, big}));
        }) == "matmul: shape (1099511627776, 1099511627776)" + most);
  CHECK(message_of<ShapeError>([&] {
          zeros({big, 1, 0}) + zeros({1, big, 0});
        }) == "add: shape (1099511627776, 1099511627776, 0)" + most);
  CHECK(message_of<ShapeError>([&] {
          reshape(zeros({0}), {0, big, big});
        }) == "reshape: shape (0, 1099511627776, 1099511627776)" + most);
  const Tensor x = ones({3, 4}, {.requires_grad = true});
  CHECK(sum(grad(sum(slice(x, 0, 1, 3, largest)), {x})[0]).item<int>() == 4);
}

TEST_CASE("up to 2^59 elements can be counted") {
  const std::int64_t few = std::int64_t{1} << 29;
  CHECK(checked_size({few, few}) == few * few);
  CHECK(checked_size({few + 1, few - 1}) == few * few - 1);
  CHECK(checked_size({2, few, few}) == 2 * few * few);
  CHECK(checked_size({few, few, 2}) == 2 * few * few);
  CHECK(checked_size({few, 0, 2 * few}) == 0);
  for (const Shape& shape : {Shape{2, few, few + 1}, Shape{few, few, 3}, Shape{4 * few, few}})
    CHECK_THROWS_AS(checked_size(shape), ShapeError);
}
