#pragma once
#include <autograd/ops.hpp>
#include <nn/losses.hpp>

/// What the losses share: strict shapes, checks of values, and the reduction.
namespace xgrad::nn::detail {

/// Throws unless both have one shape and one floating dtype.
void check_pair(const OpScope& scope, const Operand& prediction, const Operand& target);

/// The position of the first element for which `valid`, which takes both float and double, is false, or -1.
template <class Valid>
std::int64_t first_invalid(const Tensor& t, Valid valid) {
  const auto search = [&](const auto* x, std::int64_t n) -> std::int64_t {
    int invalid = 0;  // no bool and no early exit, so that the compiler makes it a SIMD loop
    for (std::int64_t i = 0; i < n; ++i) invalid |= !valid(x[i]);
    if (!invalid) return -1;
    for (std::int64_t i = 0;; ++i)
      if (!valid(x[i])) return i;
  };
  return t.dtype() == f32 ? search(t.data<float>(), t.size()) : search(t.data<double>(), t.size());
}

/// The element at a position, for a message.
inline double element(const Tensor& t, std::int64_t i) {
  return t.dtype() == f32 ? static_cast<double>(t.data<float>()[i]) : t.data<double>()[i];
}

void check_in_unit_interval(const OpScope& scope, const char* what, const Tensor& t);

/// weight * loss, reduced.
Tensor reduced(const OpScope& scope, Tensor loss, Reduction reduction, const Tensor& weight);

}  // namespace xgrad::nn::detail
