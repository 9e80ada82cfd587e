#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "support.hpp"

// The f32 functions that are more than a polynomial, where most can go wrong: at all magnitudes, beside the zeros and
// poles of the circular ones, and at the ends of what f32 can hold.
using namespace kernels_support;

namespace {

float from_bits(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

/// Every 9973rd of all f32, and the neighbours of the multiples of pi / 2 up to 8192 and a little more.
std::vector<float> everywhere() {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits < std::uint64_t(1) << 32; bits += 9973) x.push_back(from_bits(std::uint32_t(bits)));
  for (int k = 1; k < 5300; ++k) {
    float near = float(k * 1.57079632679489661923);
    for (int i = 0; i < 3; ++i) x.push_back(near), near = std::nextafter(near, i == 0 ? 0.f : 1e9f);
  }
  return x;
}

struct Worst {
  double ulps = 0, a = 0, b = 0;
  void note(float got, Real want, float x, float y = 0) {
    const double error =
        got == 0 && want == 0 && std::signbit(got) != std::signbit(want) ? inf : kernels_support::ulps(got, want);
    if (error > ulps) ulps = error, a = x, b = y;
  }
};

void check_pow(const std::vector<float>& a, const std::vector<float>& b, double bound) {
  std::vector<Real> want;
  for (std::size_t i = 0; i < a.size(); ++i) want.push_back(std::pow(Real(a[i]), Real(b[i])));
  std::vector<float> y(a.size());
  for (const Table* t : tables()) {
    t->binary[int(Binary::pow)][int(f32)](a.data(), b.data(), y.data(), contiguous(a.size()));
    Worst worst;
    for (std::size_t i = 0; i < a.size(); ++i) worst.note(y[i], want[i], a[i], b[i]);
    INFO("pow on " << std::string(t->name) << " at " << worst.a << ", " << worst.b);
    CHECK(worst.ulps <= bound);
  }
}

}  // namespace

TEST_CASE("trigonometric and hyperbolic functions and their inverses keep their bounds everywhere") {
  struct {
    Unary kernel;
    Real (*exact)(Real);
    double bound;
  } const cases[] = {
      {Unary::sin, exact_sin, 1.75},
      {Unary::cos, exact_cos, 1.75},
      {Unary::tan, exact_tan, 1.1},
      {Unary::asin, [](Real x) { return std::asin(x); }, 1},
      {Unary::acos, [](Real x) { return std::acos(x); }, 1},
      {Unary::atan, [](Real x) { return std::atan(x); }, 1},
      {Unary::sinh, [](Real x) { return std::sinh(x); }, 1.1},
      {Unary::cosh, [](Real x) { return std::cosh(x); }, 1},
  };
  const std::vector<float> x = everywhere();
  std::vector<float> y(x.size());
  for (const auto& c : cases) {
    std::vector<Real> want;
    for (const float v : x) want.push_back(c.exact(v));
    for (const Table* t : tables()) {
      t->unary[int(c.kernel)][int(f32)](x.data(), y.data(), Size(x.size()));
      Worst worst;
      for (std::size_t i = 0; i < x.size(); ++i) worst.note(y[i], want[i], x[i]);
      INFO("unary " << int(c.kernel) << " on " << std::string(t->name) << " at " << worst.a);
      CHECK(worst.ulps <= c.bound);
    }
  }
}

TEST_CASE("sinh and cosh reach as far as f32 does") {
  for (const Table* t : tables()) {
    INFO(std::string(t->name));
    for (const Unary kernel : {Unary::sinh, Unary::cosh}) {
      CHECK(unary(t, kernel, 89.4159851f) < std::numeric_limits<float>::infinity());
      CHECK(unary(t, kernel, 89.4159927f) == std::numeric_limits<float>::infinity());
    }
  }
}

TEST_CASE("pow is accurate wherever its result is a number of f32, denormal or not") {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> unit(0, 1);
  std::vector<float> a, b;
  for (int i = 0; i < 300000; ++i) {
    const float base = i % 3 ? from_bits(std::uint32_t(1 + random() % 0x7F7FFFFF))
                             : float(1 + (unit(random) - .5) * std::exp2(-23 * unit(random)));
    const double exponent = i % 2 ? unit(random) * 300 - 150 : unit(random) * 4 - (random() % 2 ? 150 : -126);
    a.push_back(base), b.push_back(float(exponent / std::log2(double(base))));
  }
  check_pow(a, b, .75);
}

TEST_CASE("a power is the same beside others of any kind") {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> base(.01f, 20), exponent(-20, 20);
  Loop<2> one;
  one.collapse();
  for (const Table* t : tables()) {
    const auto pow = t->binary[int(Binary::pow)][int(f32)];
    int wrong = 0;
    for (int i = 0; i < 1000; ++i) {
      float a[16], b[16], y[16], alone;
      for (int j = 0; j < 16; ++j) a[j] = base(random), b[j] = exponent(random);
      pow(a, b, y, contiguous(16));
      for (int j = 0; j < 16; ++j) pow(&a[j], &b[j], &alone, one), wrong += !same_bits(alone, y[j]);
      const float first = y[0];
      a[15] = -1, b[14] = float(inf), a[13] = 1e-40f;
      pow(a, b, y, contiguous(16));
      wrong += !same_bits(first, y[0]);
    }
    INFO(std::string(t->name));
    CHECK(wrong == 0);
  }
}

TEST_CASE("pow obeys C's rules, a negative base among others or not") {
  const float numbers[] = {
      0,           -0.f,      1,       -1,          2,          -2,           .5f,        -.5f,
      3,           -3,        1.5f,    -2.5f,       float(inf), -float(inf),  float(NaN), 1e-45f,
      -1e-45f,     1e-39f,    3.4e38f, -3.4e38f,    16777215,   16777216,     -16777215,  8388607.5f,
      4194304.25f, 0x1p-126f, 1e30f,   0.99999994f, 1.0000001f, -0.99999994f, 1e31f,      -1e31f};
  std::vector<float> a, b;
  for (const float x : numbers) {
    for (const float y : numbers) a.push_back(x), b.push_back(y);
  }
  check_pow(a, b, .75);
  std::mt19937 random(2);
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] = float(int(random() % 2001) - 1000) / 64, b[i] = float(int(random() % 41) - 20) / 2;
  check_pow(a, b, .75);
}
