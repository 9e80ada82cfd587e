#pragma once
#include <cstdint>
#include <vector>

/// Loops compiled for the processor at hand, as yardsticks of what it can do.
namespace bench {

/// A function of xsimd over a contiguous array, batch by batch; n is a multiple of 64.
struct RawLoop {
  const char* name;
  void (*run)(const float* x, float* y, std::int64_t n);
};
const std::vector<RawLoop>& raw_loops();
/// y[i] = x[i]^z[i].
void raw_pow(const float* x, const float* z, float* y, std::int64_t n);

/// `rounds` multiplications with additions in each lane of many registers that do not wait for each other; how many
/// floating-point operations these were.
template <class T>
double multiply_add(std::int64_t rounds);
extern template double multiply_add<float>(std::int64_t);
extern template double multiply_add<double>(std::int64_t);

}  // namespace bench
