#pragma once
#include <autograd/factories.hpp>

#pragma GCC visibility push(default)

/// The functions that stand between the layers of a network, part of ops.hpp, which says what holds for all ops.
///
/// Values and first derivatives are within 4 ulp and second ones within 8, in the tails too; those of gelu, erf and
/// erfc within 1.5 x^2 more, as exp(-x^2) magnifies what x^2 lost in rounding. Where a derivative is a sum, which may
/// cancel (gelu, silu, softmax, log_softmax), the ulp are those of its largest term.
namespace xgrad {

// ---- activations (ops/activation.cpp) ----

/// 1 / (1 + exp(-x)), without overflow.
Tensor sigmoid(const Operand& x);
/// max(x, 0); derivative 0 at 0.
Tensor relu(const Operand& x);
/// x where x > 0, slope x elsewhere.
Tensor leaky_relu(const Operand& x, double slope = 0.01);
/// x where x > 0, alpha (exp(x) - 1) elsewhere.
Tensor elu(const Operand& x, double alpha = 1);
/// Klambauer et al. 2017: 1.0507... elu(x, 1.6732...).
Tensor selu(const Operand& x);
/// x Phi(x), Phi the standard normal's distribution function (Hendrycks and Gimpel 2016, exact form).
Tensor gelu(const Operand& x);
/// x sigmoid(x).
Tensor silu(const Operand& x);
/// log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)).
Tensor softplus(const Operand& x);
/// log(sigmoid(x)) = -softplus(-x).
Tensor log_sigmoid(const Operand& x);
/// x / (1 + |x|), which is 1 and -1 at the infinities.
Tensor softsign(const Operand& x);
/// exp(x) / sum(exp(x)) along the axis; a slice of -inf only gives NaN.
Tensor softmax(const Operand& x, int axis = -1);
Tensor log_softmax(const Operand& x, int axis = -1);

}  // namespace xgrad
#pragma GCC visibility pop
