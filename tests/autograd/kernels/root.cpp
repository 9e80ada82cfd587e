#include <doctest/doctest.h>

#include "support.hpp"

// The square roots of f64 that are not the processor's own.
using namespace kernels_support;

namespace {

/// Checks that each instruction set gives sqrt(x) as the processor does.
void check_roots(const std::vector<double>& x) {
  for (const Table* t : tables()) {
    INFO("instruction set ", std::string(t->name));
    std::vector<double> y(x.size());
    t->unary[int(Unary::sqrt)][int(f64)](x.data(), y.data(), Size(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      INFO("sqrt(", x[i], ") = ", y[i]);
      const double expected = std::sqrt(x[i]);
      if (!same_bits(y[i], expected)) FAIL_CHECK(expected);
    }
  }
}

/// The odd n below 2^bits with n^2 = c modulo 2^bits, for c = 1 modulo 8, bit by bit.
std::vector<std::uint64_t> square_roots(std::uint64_t c, int bits) {
  std::uint64_t n = 1;
  for (int k = 3; k < bits; ++k)
    if ((n * n - c) >> k & 1) n += std::uint64_t{1} << (k - 1);
  const std::uint64_t top = std::uint64_t{1} << (bits - 1), below = 2 * top - 1;
  return {n & below, -n & below, (n + top) & below, (top - n) & below};
}

}  // namespace

TEST_CASE("roots of f64 whose next bits are a half, but for the last of twice as many, are rounded correctly") {
  // With m = n 2^-53 halfway between two numbers, x = m^2 - c 2^-106 has as many bits as a number if n^2 = c modulo the
  // power of two below them.
  constexpr std::uint64_t one = std::uint64_t{1} << 53;
  std::vector<double> x;
  for (std::int64_t c = 1 - 8 * 512; c < 8 * 512; c += 8)
    for (const int bits : {54, 55})
      for (const std::uint64_t n : square_roots(std::uint64_t(c), bits)) {
        if (n < one || n >= 2 * one) continue;
        const auto square = static_cast<unsigned __int128>(n) * n - static_cast<unsigned __int128>(c);
        const double j = static_cast<double>(static_cast<std::uint64_t>(square >> bits));
        if (j < 0x1p52 || j >= 0x1p53) continue;
        for (const int power : {0, 2, -890, 960}) x.push_back(std::ldexp(j, bits - 106 + power));
      }
  REQUIRE(x.size() > 4000);
  check_roots(x);
}

TEST_CASE("roots of f64 are rounded correctly at every exponent, of special values and beside powers of two") {
  std::mt19937_64 engine(1);
  std::vector<double> x;
  for (int power = -1074; power < 1024; ++power) {
    const double p = std::ldexp(1., power);
    for (const double each : {p, std::nextafter(p, 0.), std::nextafter(p, inf)}) x.push_back(each);
    for (int i = 0; i < 20; ++i) x.push_back(p * std::uniform_real_distribution<double>(1, 2)(engine));
  }
  check_roots(x);
  for (const double special : {0., -0., -1., inf, -inf, NaN, std::numeric_limits<double>::max()}) {
    check_roots(std::vector<double>(8, special));
    check_roots({1, 2, 3, special, 5, 6, 7, 8});
  }
}

TEST_CASE("roots of a million random f64 are rounded correctly") {
  std::mt19937_64 engine(2);
  std::vector<double> x(1000000);
  for (double& each : x) each = std::uniform_real_distribution<double>(1, 4)(engine);
  check_roots(x);
}
