#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <cmath>
#include <limits>
#include "support.hpp"

using namespace xgrad;

namespace {

using Binary = Tensor (*)(const Operand&, const Operand&);

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
  CHECK(full({}, INT64_MAX, {.dtype = i64}).item<std::int64_t>() == INT64_MAX);
  CHECK(full({}, -0x1p63, {.dtype = i64}).item<std::int64_t>() == -INT64_MAX - 1);
}

TEST_CASE("a number that an op's tensor cannot hold is refused, and taken once the tensor is converted as it says") {
  const Tensor x = tensor({1, 2}, {.dtype = i64}), mask = tensor({true, false}, {.dtype = boolean});
  const std::string advice = "the number 2.5 is no i64; convert the tensor with .to(f64)";
  CHECK(message_of<DtypeError>([&] { where(mask, 2.5, x); }) == "where: " + advice);
  CHECK(message_of<DtypeError>([&] { where(mask, x, 2.5); }) == "where: " + advice);
  CHECK(message_of<DtypeError>([&] { pad(x, {{1, 0}}, 2.5); }) == "pad: " + advice);
  CHECK(message_of<DtypeError>([&] { x + 2.5; }) == "add: " + advice);
  const Tensor wide = x.to(f64);
  CHECK(all(where(mask, 2.5, wide) == tensor({2.5, 2.}, {.dtype = f64})).item<bool>());
  CHECK(all(where(mask, wide, 2.5) == tensor({1., 2.5}, {.dtype = f64})).item<bool>());
  CHECK(all(pad(wide, {{1, 0}}, 2.5) == tensor({2.5, 1., 2.}, {.dtype = f64})).item<bool>());
  CHECK(all(wide + 2.5 == tensor({3.5, 4.5}, {.dtype = f64})).item<bool>());
  CHECK(all(pad(x, {{1, 0}}, 3) == tensor({3, 1, 2}, {.dtype = i64})).item<bool>());
}

TEST_CASE("item to an integer truncates, and refuses what the type cannot hold") {
  CHECK(tensor(-2.7).item<int>() == -2);
  CHECK(tensor(-0.5).item<unsigned>() == 0);
  CHECK(tensor(true, {.dtype = boolean}).item<unsigned char>() == 1);
  CHECK(tensor(2147483647, {.dtype = i64}).item<int>() == 2147483647);
  CHECK(tensor(INT64_MAX, {.dtype = i64}).item<std::int64_t>() == INT64_MAX);
  CHECK(tensor(INT64_MAX, {.dtype = i64}).item<std::uint64_t>() == std::uint64_t(INT64_MAX));
  CHECK(tensor(1e19, {.dtype = f64}).item<std::uint64_t>() == 10000000000000000000u);
  CHECK(tensor(-0x1p63, {.dtype = f64}).item<std::int64_t>() == -INT64_MAX - 1);
  const auto refused = [](const auto& value, const char* range) {
    return text("item: the value ", value, " is outside of ", range,
                ", what the type asked for can hold; ask for a wider one, as item<double>()");
  };
  const char *const of_int = "-2147483648 to 2147483647", *const of_i64 = "-9223372036854775808 to 9223372036854775807";
  const Tensor large = tensor(3'000'000'000, {.dtype = i64}), minus = tensor(-1, {.dtype = i64});
  CHECK(message_of<ValueError>([&] { return large.item<int>(); }) == refused(3'000'000'000, of_int));
  CHECK(message_of<ValueError>([&] { return minus.item<unsigned>(); }) == refused(-1, "0 to 4294967295"));
  CHECK(message_of<ValueError>([&] { return minus.item<std::uint64_t>(); }) ==
        refused(-1, "0 to 18446744073709551615"));
  CHECK(message_of<ValueError>([&] { return large.to(f64).item<int>(); }) == refused(3e9, of_int));
  CHECK(message_of<ValueError>([] { return tensor(2147483648., {.dtype = f64}).item<int>(); }) ==
        refused(2147483648., of_int));
  CHECK(message_of<ValueError>([] { return tensor(0x1p63).item<std::int64_t>(); }) == refused(0x1p63, of_i64));
  CHECK(message_of<ValueError>([] { return tensor(0x1p64).item<std::uint64_t>(); }) ==
        refused(0x1p64, "0 to 18446744073709551615"));
  CHECK(message_of<ValueError>([] { return tensor(NAN).item<std::int64_t>(); }) == refused(NAN, of_i64));
}

TEST_CASE("a conversion to i64 truncates, and refuses what i64 cannot hold, in a replay too") {
  const Tensor x = tensor({-2.7, 2.7, -0x1p63}, {.dtype = f64});
  CHECK(x.to(i64).str() == "[                  -2                    2 -9223372036854775808]");
  CHECK(zeros({0}).to(i64).size() == 0);
  CHECK(message_of<ValueError>([] {
          return tensor({{1., 2.}, {3., NAN}}).to(i64);
        }) == "to: the value nan at position 3 of shape (2, 2) is no i64; replace it first, as by where");
  CHECK(message_of<ValueError>([] {
          return tensor({1., -0x1.8p63, 0x1p63}, {.dtype = f64}).to(i64);
        }) ==
        "to: the value -13835058055282163712 at position 1 of shape (3,) is no i64; replace it first, as by where");
  CHECK_THROWS_AS(tensor({INFINITY}).to(i64), ValueError);
  auto step = capture([](const Tensor& t) { return t.to(i64); });
  CHECK(step(tensor({1.5})).item<int>() == 1);
  CHECK(step(tensor({2.5})).item<int>() == 2);
  CHECK_THROWS_AS(step(tensor({1e19})), ValueError);
}

TEST_CASE("i64 meets numbers without a way through double") {
  constexpr std::int64_t odd = (std::int64_t{1} << 53) + 1;
  const Tensor x = tensor({odd - 1, odd, odd + 1}, {.dtype = i64});
  CHECK((x == odd).str() == "[False  True False]");
  CHECK((x > odd - 1).str() == "[False  True  True]");
  CHECK((odd <= x).str() == "[False  True  True]");
  CHECK(all(where(x == odd, odd, x) == x).item<bool>());
  CHECK(max(minimum(x, odd)).item<std::int64_t>() == odd);
  CHECK(sum(clamp(x, odd, odd)).item<std::int64_t>() == 3 * odd);
  CHECK(clamp(x, -INT64_MAX - 1, INT64_MAX).str() == x.str());
  CHECK(pad(x, {{1, 0}}, odd).data<std::int64_t>()[0] == odd);
  CHECK(message_of<ValueError>([&] { clamp(x, odd, odd - 1); }) ==
        "clamp: low is 9007199254740993, high is 9007199254740992; expected low <= high");
  CHECK(message_of<DtypeError>([&] { pad(x, {{1, 0}}, 1e19); }).starts_with("pad: the number 1e+19 is no i64"));
}

TEST_CASE("booleans meet 0 and 1, and no other number") {
  const Tensor b = tensor({true, false}, {.dtype = boolean});
  CHECK((b == 1).str() == "[ True False]");
  CHECK((b == 0.).str() == "[False  True]");
  CHECK((b != true).str() == "[False  True]");
  const auto refused = [](const char* what, const char* number) {
    return text(what, ": the number ", number, " is no boolean; convert the tensor with .to(f64)");
  };
  CHECK(message_of<DtypeError>([&] { return b == 2; }) == refused("equal", "2"));
  CHECK(message_of<DtypeError>([&] { return 0.5 != b; }) == refused("not_equal", "0.5"));
  CHECK(message_of<DtypeError>([&] { return b == NAN; }) == refused("equal", "nan"));
  CHECK(message_of<DtypeError>([&] { return b == -1; }) == refused("equal", "-1"));
  CHECK(message_of<DtypeError>([] { full({2}, 2, {.dtype = boolean}); }) ==
        "full: the number 2 is no boolean; pass {.dtype = f64}");
  CHECK_THROWS_AS(tensor({0.5}, {.dtype = boolean}), DtypeError);
  CHECK_THROWS_AS(where(b, 2, b), DtypeError);
  CHECK_THROWS_AS(pad(b, {{1, 0}}, 0.5), DtypeError);
}

TEST_CASE("sums of booleans are i64 whatever the shape") {
  const Tensor b = tensor({true, false}, {.dtype = boolean});
  CHECK(sum_to(b, {2}).dtype() == i64);
  CHECK(sum_to(b, {2}).str() == "[1 0]");
  CHECK(sum_to(b, {1}).dtype() == i64);
  CHECK(sum_to(tensor(true, {.dtype = boolean}), {}).dtype() == i64);
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
  CHECK(sum(grad(sum(slice(x, 0, 1, 3, INT64_MAX)), {x})[0]).item<int>() == 4);
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
