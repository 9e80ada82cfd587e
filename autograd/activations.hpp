#pragma once
#include <autograd/factories.hpp>

#pragma GCC visibility push(default)

/// The functions that stand between the layers of a network, part of ops.hpp, which says what holds for all ops.
///
/// Values and first derivatives are within 4 ulp and second ones within 8, in the tails too; those of gelu, erf and
/// erfc within 1.5 x^2 more, as exp(-x^2) magnifies what x^2 lost in rounding. Where a derivative is a sum, which may
/// cancel (gelu, silu, softmax, log_softmax), the ulp are those of its largest term.
namespace xgrad {

// ---- activations ----

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
/// x where x > 0, alpha (exp(x / alpha) - 1) elsewhere (Barron 2017). Throws ValueError if alpha is 0.
Tensor celu(const Operand& x, double alpha = 1);
/// x where x > 0, a x elsewhere (He et al. 2015). `a` broadcasts; of shape (channels) it goes along axis 1 of an x that
/// has one.
Tensor prelu(const Operand& x, const Operand& a);
/// x Phi(x), Phi the standard normal's distribution function (Hendrycks and Gimpel 2016, exact form).
Tensor gelu(const Operand& x);
struct GeluOptions {
  bool tanh =
      false;  // x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) instead, which GPT-2 and BERT were trained with
};
Tensor gelu(const Operand& x, GeluOptions options);
/// x limited to [low, high]; derivative 0 at the bounds, as in PyTorch, where clamp's is 1. Throws ValueError unless
/// low < high.
Tensor hardtanh(const Operand& x, double low = -1, double high = 1);
/// hardtanh(x, 0, 6).
Tensor relu6(const Operand& x);
/// relu6(x + 3) / 6, and x times that (Howard et al. 2019); at -3 and 3 hardswish has the derivatives of its middle
/// part.
Tensor hardsigmoid(const Operand& x);
Tensor hardswish(const Operand& x);
/// x tanh(softplus(x)) (Misra 2019).
Tensor mish(const Operand& x);
/// x sigmoid(x).
Tensor silu(const Operand& x);
/// log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)).
Tensor softplus(const Operand& x);
/// log(1 + exp(beta x)) / beta. Throws ValueError unless beta > 0.
Tensor softplus(const Operand& x, double beta);
/// log(sigmoid(x)) = -softplus(-x).
Tensor log_sigmoid(const Operand& x);
/// x / (1 + |x|), which is 1 and -1 at the infinities.
Tensor softsign(const Operand& x);
/// exp(x) / sum(exp(x)) along the axis; a slice of -inf only gives NaN.
Tensor softmax(const Operand& x, int axis = -1);
Tensor log_softmax(const Operand& x, int axis = -1);
/// softmax(-x).
Tensor softmin(const Operand& x, int axis = -1);
/// The first half of the axis times the sigmoid of the second (Dauphin et al. 2017). Throws ShapeError for an odd axis.
Tensor glu(const Operand& x, int axis = -1);

}  // namespace xgrad
#pragma GCC visibility pop
