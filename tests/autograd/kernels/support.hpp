#pragma once
#include <autograd/kernels/table.hpp>
#include <autograd/support/system_math.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

/// What the tests of the elementwise kernels share.
namespace kernels_support {

using namespace xgrad;
using namespace xgrad::kernels;

inline constexpr double inf = std::numeric_limits<double>::infinity(), NaN = std::numeric_limits<double>::quiet_NaN();

using Real = long double;

/// The circular functions in as many digits as the C library has them right for all arguments: MinGW's in long double
/// know 66 bits of pi.
#ifdef __MINGW32__
inline Real exact_sin(Real x) { return system::sin(static_cast<double>(x)); }
inline Real exact_cos(Real x) { return system::cos(static_cast<double>(x)); }
inline Real exact_tan(Real x) { return std::tan(static_cast<double>(x)); }
#else
inline Real exact_sin(Real x) { return std::sin(x); }
inline Real exact_cos(Real x) { return std::cos(x); }
inline Real exact_tan(Real x) { return std::tan(x); }
#endif

/// The distance in units in the last place of `want`; huge where one is NaN or infinite and the other is not.
template <class T>
double ulps(T got, Real want) {
  const T rounded = static_cast<T>(want);
  if (rounded != rounded) return got != got ? 0 : inf;
  if (got != got) return inf;
  if (std::isinf(rounded) || std::isinf(got)) return got == rounded ? 0 : inf;
  int exponent;
  std::frexp(rounded == 0 ? std::numeric_limits<T>::min() : rounded, &exponent);
  exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
  return double(std::fabs(Real(got) - want) / std::ldexp(Real(1), exponent - std::numeric_limits<T>::digits));
}

inline std::vector<const Table*> tables() {
  const Tables t = available_tables();
  return {t.entries, t.entries + t.count};
}

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (a != a && b != b);
}

/// Numbers of all magnitudes, denser around 1, and special values.
template <class T>
std::vector<T> sweep() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> x{0,
                   -T(0),
                   T(inf),
                   -T(inf),
                   T(NaN),
                   1,
                   -1,
                   T(.5),
                   T(-.5),
                   T(1.5),
                   T(2.5),
                   T(-2.5),
                   Limits::max(),
                   Limits::lowest(),
                   Limits::min(),
                   -Limits::min(),
                   Limits::denorm_min(),
                   -Limits::denorm_min(),
                   T(88.5),
                   T(88.72),
                   T(88.73),
                   T(-87.5),
                   T(-103.9),
                   T(-104.1),
                   T(709.7),
                   T(-745.2),
                   T(1e-20),
                   T(1e10)};
  std::mt19937_64 random(1);
  const auto add = [&](double low, double high, int n) {
    std::uniform_real_distribution<double> u(low, high);
    for (int i = 0; i < n; ++i) x.push_back(T(u(random)));
  };
  add(-1, 1, 1000), add(-10, 10, 1000), add(-110, 110, 1000), add(-9000, 9000, 500);
  std::uniform_real_distribution<double> exponent(Limits::min_exponent10 - 7, Limits::max_exponent10);
  for (int i = 0; i < 1000; ++i) x.push_back(T(i % 2 ? 1 : -1) * T(std::pow(10., exponent(random))));
  return x;
}

inline Loop<2> contiguous(std::size_t n) {
  Loop<2> loop;
  loop.rank = 1;
  loop.sizes[0] = Size(n);
  loop.strides[0][0] = loop.strides[1][0] = 1;
  return loop;
}

template <class T>
T unary(const Table* t, Unary k, T x) {
  T y;
  t->unary[int(k)][int(dtype_of<T>)](&x, &y, 1);
  return y;
}
template <class T>
T binary(const Table* t, Binary k, T a, T b) {
  T y;
  t->binary[int(k)][int(dtype_of<T>)](&a, &b, &y, contiguous(1));
  return y;
}
template <class From, class To>
To cast(const Table* t, From x) {
  To y;
  t->cast[int(dtype_of<From>)][int(dtype_of<To>)](&x, &y, 1);
  return y;
}

}  // namespace kernels_support
