#pragma once
#include <cmath>

#pragma GCC visibility push(default)

/// Functions of the C library, but for those that MinGW's has wrong: its sin and cos know 66 bits of pi, which does not
/// serve large arguments nor the neighbours of zeros, its expm1 is off by more than 1 ulp, and its lgamma is infinite
/// at subnormal numbers and loses digits near 1 and 2, where the result is 0.
namespace xgrad::system {

#ifdef __MINGW32__
double sin(double x);  // Windows' own
double cos(double x);
inline float sin(float x) { return static_cast<float>(sin(static_cast<double>(x))); }
inline float cos(float x) { return static_cast<float>(cos(static_cast<double>(x))); }
inline double expm1(double x) { return static_cast<double>(std::expm1(static_cast<long double>(x))); }
inline double lgamma(double x) { return static_cast<double>(std::lgamma(static_cast<long double>(x))); }
#else
using std::cos, std::expm1, std::lgamma, std::sin;
#endif

}  // namespace xgrad::system
#pragma GCC visibility pop
