#include <doctest/doctest.h>
#include <autograd/linalg.hpp>
#include <environment.hpp>
#include <support.hpp>

// A program that finds no LAPACK.
using namespace xgrad;

TEST_CASE("without LAPACK an op says what is missing, and a program goes on") {
  set_variable("XGRAD_LAPACK", "no_such_library.so.0");  // before the first call, which looks for it
  CHECK_FALSE(linalg::available());
  const int line = __LINE__ + 1;
  const std::string told = thrown([] { static_cast<void>(linalg::inv(eye(2))); });
  const bool built = !has(told, "this build of xgrad is without LAPACK");
  const std::string expected =
      built
          ? "LAPACK is missing: there is no library no_such_library.so.0, which XGRAD_LAPACK names, or it lacks LAPACKE"
          : "this build of xgrad is without LAPACK; build it with -DXGRAD_LAPACK=ON";
  CHECK(told == text(__FILE__, ":", line, ": linalg::inv: ", expected));
  CHECK(eye(2).at(0, 0).item() == 1);
  CHECK(linalg::inv(zeros({0, 0})).size() == 0);  // for which there is nothing to compute
}
