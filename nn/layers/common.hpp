#pragma once
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>

/// What layers of several kinds share.
namespace xgrad::nn::detail {

/// "5 x 3", as a layer describes its sizes.
inline std::string sizes(const Shape& shape) {
  std::string s;
  for (const std::int64_t size : shape) s += text(s.empty() ? "" : " x ", size);
  return s;
}

/// Throws ValueError unless 0 <= share <= 1.
inline void check_share(const OpScope& scope, const char* what, double share) {
  if (!(share >= 0 && share <= 1)) scope.fail<ValueError>("the ", what, " is ", share, "; it must be between 0 and 1");
}

/// Dropout with probability p: what is kept grows, so that its mean stays. Nothing is kept for p = 1.
inline Tensor dropped(const Operand& x, const Tensor& keep, double p) {
  return masked_scale(x, keep, p < 1 ? 1 / (1 - p) : 1);
}

}  // namespace xgrad::nn::detail
