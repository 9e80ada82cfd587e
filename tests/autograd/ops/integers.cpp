#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/capture.hpp>
#include <limits>
#include <support.hpp>

// What integers and booleans refuse and wrap.
using namespace xgrad;

TEST_CASE("integers are not divided by 0, nor raised to negative powers") {
  const Tensor a = tensor({4, 5}, i64), zero = tensor({1, 0}, i64), minus = tensor({1, -2}, i64);
  CHECK(message_of<ValueError>([&] { a % zero; }) ==
        "remainder: the divisor is 0 at position 1; integers have no infinity");
  CHECK(message_of<ValueError>([&] { fmod(a, 0); }) == "fmod: the divisor is 0; integers have no infinity");
  CHECK(message_of<ValueError>([&] { floor_divide(2, zero); }) ==
        "floor_divide: the divisor is 0 at position 1; integers have no infinity");
  CHECK(message_of<ValueError>([&] { pow(a, minus); }) ==
        "pow: the exponent is -2, and integers have no fractions; convert with .to(f64)");
  CHECK(message_of<ValueError>([&] { pow(a, -1); }) ==
        "pow: the exponent is -1, and integers have no fractions; convert with .to(f64)");
  CHECK(message_of<DtypeError>([&] { pow(a, .5); }) ==
        "pow: the number 0.5 is no i64; convert the tensor with .to(f64)");
}

TEST_CASE("a divisor that is 0 only in a replay is found there") {
  Tensor divisor = tensor({2, 3}, i64);
  const Tensor a = tensor({7, 8}, i64);
  auto step = capture([&] { return std::vector<Tensor>{a % divisor}; });
  CHECK(to_vector<int>(step()[0]) == std::vector<int>{1, 2});
  divisor.assign(tensor({0, 3}, i64));
  CHECK(message_of<ValueError>([&] { step(); }).ends_with("the divisor is 0 at position 0; integers have no infinity"));
  divisor.assign(tensor({5, 3}, i64));
  CHECK(to_vector<int>(step()[0]) == std::vector<int>{2, 2});
}

TEST_CASE("bits are those of integers and booleans") {
  const Tensor a = tensor({12, -1}, i64);
  CHECK(to_vector<int>(a & 10) == std::vector<int>{8, 10});
  CHECK(to_vector<int>(1 | a) == std::vector<int>{13, -1});
  CHECK(to_vector<int>(~a) == std::vector<int>{-13, 0});
  CHECK(to_vector<bool>((a > 0) ^ (a < 100)) == std::vector<bool>{false, true});
  CHECK(message_of<DtypeError>([&] { ones({2}) & 1; }) == "bitwise_and: not defined for f32; convert with .to(i64)");
  CHECK(message_of<DtypeError>([&] { ~ones({2}); }) == "bitwise_not: not defined for f32; convert with .to(i64)");
  CHECK(message_of<DtypeError>([&] { a&(a > 0); }).starts_with("bitwise_and: a is i64, b is boolean"));
}

TEST_CASE("booleans add to or and multiply to and, and are not subtracted") {
  const Tensor p = tensor({1, 1, 0, 0}) != 0, q = tensor({1, 0, 1, 0}) != 0;
  CHECK((p + q).dtype() == boolean);
  CHECK(to_vector<bool>(p + q) == std::vector<bool>{true, true, true, false});
  CHECK(to_vector<bool>(p * q) == std::vector<bool>{true, false, false, false});
  CHECK(message_of<DtypeError>([&] { p - q; }) == "subtract: not defined for boolean; convert with .to(f32)");
}
