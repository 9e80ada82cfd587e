#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <autograd/kernels/table.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

/// What the tests of the memory, reduction, random, product and optimiser kernels share.
namespace reference {

using xgrad::kernels::Loop;
using xgrad::kernels::Size;
using xgrad::kernels::Table;

inline constexpr double inf = std::numeric_limits<double>::infinity();
inline constexpr double NaN = std::numeric_limits<double>::quiet_NaN();

/// Calls body(table) for each instruction set of this processor.
template <class Body>
void for_each_table(Body body) {
  const auto tables = xgrad::kernels::available_tables();
  REQUIRE(tables.count >= 1);
  for (int i = 0; i < tables.count; ++i) {
    INFO("instruction set ", std::string(tables.entries[i]->name));
    body(*tables.entries[i]);
  }
}

/// n values, small integers for integer types (so that their products stay exact) and else in (-2, 2).
template <class T>
std::vector<T> values(Size n, unsigned seed = 1) {
  std::mt19937 engine(seed);
  std::vector<T> v(static_cast<std::size_t>(n));
  for (T& x : v) {
    if constexpr (std::is_floating_point_v<T>)
      x = T(std::uniform_real_distribution<double>(-2, 2)(engine));
    else
      x = static_cast<T>(std::uniform_int_distribution<int>(0, 5)(engine) - (sizeof(T) == 1 ? 0 : 2));
  }
  return v;
}

/// Equal to within `ulps` units in the last place of T at the scale of `magnitude`; NaN equals NaN, inf equals inf.
template <class T>
bool close(T got, long double expected, double ulps, long double magnitude = 0) {
  if (std::isnan(expected)) return std::isnan(static_cast<long double>(got));
  if (std::isinf(static_cast<T>(expected))) return got == static_cast<T>(expected);
  const long double scale = std::max(std::max(std::fabs(expected), magnitude), 1e-30L);
  return std::fabs(static_cast<long double>(got) - expected) <=
         ulps * static_cast<long double>(std::numeric_limits<T>::epsilon()) * scale;
}

inline std::string text(const std::vector<Size>& v) {
  std::string s;
  for (const Size x : v) s += std::to_string(x) + ' ';
  return s;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class T>
std::size_t at(T i) {
  return static_cast<std::size_t>(i);
}

}  // namespace reference
