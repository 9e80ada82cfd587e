#pragma once
#include <autograd/ops.hpp>

namespace xgrad {

/// x, but `limit` where |x| is larger, and of derivative 0 there: for a formula in which x meets a factor that has
/// vanished by then, which keeps inf * 0 out. Unlike clamp's, the derivative at a NaN is 1, so that NaN stays NaN in
/// derivatives of all orders.
inline Tensor limited(const Operand& x, double limit) { return where(abs(x) > limit, limit, x); }

}  // namespace xgrad
