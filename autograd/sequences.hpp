#pragma once
#include <autograd/factories.hpp>

#pragma GCC visibility push(default)

/// Ops on sequences, batch first: (n, steps, features); part of ops.hpp, which says what holds for all ops. The layers
/// that are made of them are in nn/recurrent.hpp and nn/attention.hpp.
namespace xgrad {

// ---- attention ----

struct AttentionOptions {
  bool causal = false;  // query i sees keys 0 ... i only
  Tensor mask = {};     // broadcast to (..., m, k): boolean, true where a key is seen, or numbers added to the scores,
                        // of which -inf hides a key, whatever its score
  double dropout = 0;   // the probability that a weight is dropped; the others grow by 1 / (1 - dropout)
  double scale = 0;     // of the scores; 0 stands for 1 / sqrt(d)
};
/// softmax(scale q k^T + mask) v for queries q (..., m, d), keys k (..., k, d) and values v (..., k, e), whose leading
/// axes are equal -> (..., m, e) (Vaswani et al. 2017). A query that sees no key gives zeros. The weights (m, k) are
/// never stored as a whole, so that memory grows with the length and not with its square, but for derivatives of second
/// order and those by the mask. Throws ShapeError, DtypeError, and ValueError unless dropout is in [0, 1).
Tensor scaled_dot_product_attention(const Operand& q, const Operand& k, const Operand& v,
                                    const AttentionOptions& options = {});
/// Boolean (n, steps) for i64 lengths (n): true where step < length, the mask of sequences that have been padded at
/// their ends. Throws ValueError unless 0 <= length <= steps.
Tensor sequence_mask(const Operand& lengths, std::int64_t steps);

// ---- recurrent layers ----

/// What a recurrent layer of h units trains for `in` features: input (in, k h), hidden (h, k h) and a bias, the columns
/// of its gates side by side. An undefined bias is zero.
struct RecurrentWeights {
  Tensor input, hidden, bias;
};
struct RecurrentOptions {
  Tensor mask = {};       // boolean (n, steps): where it is false, the state stays what it was and x has no part
  bool reversed = false;  // from the last step to the first
};
/// h' = tanh(x W + h U + b) for each step of x (n, steps, in), from the state `start` (n, h), zeros if it is undefined;
/// bias (h) -> the state after each step (n, steps, h). Throws ShapeError for no steps and for shapes that do not fit.
Tensor rnn(const Operand& x, const RecurrentWeights& weights, const Tensor& start = {},
           const RecurrentOptions& options = {});
/// r = sigmoid(x Wr + h Ur + br), u = sigmoid(x Wu + h Uu + bu), t = tanh(x Wt + bt + r (h Ut + ct)),
/// h' = (1 - u) t + u h: the reset gate r acts on the product, as in PyTorch and cuDNN. Columns are r, u, t; the bias
/// (4 h) is br, bu, bt, ct. Otherwise as rnn (Cho et al. 2014).
Tensor gru(const Operand& x, const RecurrentWeights& weights, const Tensor& start = {},
           const RecurrentOptions& options = {});
struct LstmState {
  Tensor hidden, cell;
};
/// i = sigmoid(x Wi + h Ui + bi), likewise f and o, g = tanh(x Wg + h Ug + bg), c' = f c + i g, h' = o tanh(c').
/// Columns, and the bias (4 h), are i, f, g, o. `hidden` is the state after each step (n, steps, h), `cell` c after the
/// last one (n, h). Otherwise as rnn (Hochreiter and Schmidhuber 1997, Gers et al. 2000).
LstmState lstm(const Operand& x, const RecurrentWeights& weights, const LstmState& start = {},
               const RecurrentOptions& options = {});

}  // namespace xgrad
#pragma GCC visibility pop
