#include "native.hpp"

#include <xsimd/xsimd.hpp>

namespace bench {
namespace {

using V = xsimd::batch<float>;

template <class F>
void loop(const float* x, float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += std::int64_t(V::size)) F{}(V::load_unaligned(x + i)).store_unaligned(y + i);
}

template <class F>
RawLoop raw(const char* name, F) {
  return {name, loop<F>};
}

}  // namespace

const std::vector<RawLoop>& raw_loops() {
  static const std::vector<RawLoop> all = {
      raw("exp", [](V x) { return xsimd::exp(x); }),
      raw("expm1", [](V x) { return xsimd::expm1(x); }),
      raw("log", [](V x) { return xsimd::log(x); }),
      raw("log1p", [](V x) { return xsimd::log1p(x); }),
      raw("sin", [](V x) { return xsimd::sin(x); }),
      raw("cos", [](V x) { return xsimd::cos(x); }),
      raw("tan", [](V x) { return xsimd::tan(x); }),
      raw("asin", [](V x) { return xsimd::asin(x); }),
      raw("acos", [](V x) { return xsimd::acos(x); }),
      raw("atan", [](V x) { return xsimd::atan(x); }),
      raw("sinh", [](V x) { return xsimd::sinh(x); }),
      raw("cosh", [](V x) { return xsimd::cosh(x); }),
      raw("tanh", [](V x) { return xsimd::tanh(x); }),
      raw("erf", [](V x) { return xsimd::erf(x); }),
      raw("sigmoid", [](V x) { return 1 / (1 + xsimd::exp(-x)); }),
      raw("softplus", [](V x) { return xsimd::max(x, V(0)) + xsimd::log1p(xsimd::exp(-xsimd::abs(x))); }),
      raw("silu", [](V x) { return x / (1 + xsimd::exp(-x)); }),
      raw("gelu", [](V x) { return V(0.5f) * x * (1 + xsimd::erf(x * V(0.70710678f))); }),
  };
  return all;
}

void raw_pow(const float* x, const float* z, float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += std::int64_t(V::size))
    xsimd::pow(V::load_unaligned(x + i), V::load_unaligned(z + i)).store_unaligned(y + i);
}

template <class T>
double multiply_add(std::int64_t rounds) {
  using B = xsimd::batch<T>;
  constexpr int chains = 12;  // enough to hide an instruction's latency, few enough for the registers
  B sums[chains];
  for (int k = 0; k < chains; ++k) sums[k] = B(T(k));
  const B factor(T(0.999)), term(T(0.001));
  for (std::int64_t r = 0; r < rounds; ++r)
    for (int k = 0; k < chains; ++k) sums[k] = sums[k] * factor + term;  // one instruction: -ffp-contract=fast
  for (int k = 1; k < chains; ++k) sums[0] += sums[k];
  asm volatile("" : : "m"(sums[0]));
  return 2.0 * static_cast<double>(rounds) * chains * static_cast<double>(B::size);
}
template double multiply_add<float>(std::int64_t);
template double multiply_add<double>(std::int64_t);

}  // namespace bench
