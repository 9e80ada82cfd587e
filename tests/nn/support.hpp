#pragma once
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <cmath>
#include <vector>

#include "messages.hpp"

/// What the tests of nn share.
namespace xgrad {

inline std::vector<double> numbers(const Tensor& t) {
  const Tensor d = t.detach().to(f64);
  return {d.data<double>(), d.data<double>() + d.size()};
}

inline void check_close(const Tensor& t, const std::vector<double>& expected, double tolerance = 1e-12) {
  const std::vector<double> found = numbers(t);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    if (std::isfinite(expected[i])) {
      CHECK(std::abs(found[i] - expected[i]) <= tolerance * std::max(1.0, std::abs(expected[i])));
    } else {
      CHECK((found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i]))));
    }
  }
}

inline bool equal(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && numbers(a) == numbers(b); }

/// `file.cpp:LINE: rest`, LINE being that of the macro.
#define CHECK_ERROR(expression, file, rest) \
  CHECK(error_of([&] { (void)(expression); }) == xgrad::text(file ":", __LINE__, ": ", rest))

}  // namespace xgrad
