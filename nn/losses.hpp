#pragma once
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

/// Losses: the prediction first, the target second. They never broadcast: a prediction (n, 1) against a target (n) is a
/// ShapeError, where a silent (n, n) would train something else. By default the mean over all elements, NaN of none;
/// `{.reduction = nn::Reduction::sum}`, or just `nn::Reduction::sum`, as the last argument asks for another one.
/// Differentiable to any order in the prediction and, where it is floating, the target.
namespace xgrad::nn {

enum class Reduction { mean, sum, none };

struct LossOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  // one factor for each element of the loss, of its shape
};

struct BceWithLogitsOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};     // as above
  double pos_weight = 1;  // factor on the term of t = 1: above 1 raises recall, below 1 precision
};

struct HuberOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  // as above
  double delta = 1;
};

struct CrossEntropyOptions {
  Reduction reduction = Reduction::mean;  // the mean divides by the sum of the targets' weights
  Tensor weight = {};                     // one factor for each class, (classes)
  std::int64_t ignore_index = -100;       // targets of this class count for nothing; none where they are distributions
  double label_smoothing = 0;             // mixes the target with the uniform distribution by this share
};

/// -(t log p + (1 - t) log(1 - p)) for probabilities p and targets t, both in [0, 1]; the logarithms stop at -100 and
/// the gradient (p - t) / (p (1 - p)) divides by at least 1e-12, as in PyTorch. For the result of a recorded sigmoid(z)
/// it is binary_cross_entropy_with_logits(z, t), whose gradient is exact where p has saturated. Throws ValueError for a
/// p or t outside [0, 1] or NaN.
Tensor binary_cross_entropy(const Operand& p, const Operand& t, const LossOptions& options = {});
/// log(1 + exp(z)) - t z: binary cross-entropy of sigmoid(z) against t; gradient sigmoid(z) - t for any z. Throws
/// ValueError for a t outside [0, 1] or NaN.
Tensor binary_cross_entropy_with_logits(const Operand& z, const Operand& t, const BceWithLogitsOptions& options = {});
/// (y - t)^2.
Tensor mse_loss(const Operand& y, const Operand& t, const LossOptions& options = {});
/// |y - t|; derivative 0 at 0.
Tensor l1_loss(const Operand& y, const Operand& t, const LossOptions& options = {});
/// (y - t)^2 / 2 where |y - t| <= delta, delta (|y - t| - delta / 2) beyond (Huber 1964). Throws ValueError unless
/// delta > 0.
Tensor huber_loss(const Operand& y, const Operand& t, const HuberOptions& options = {});
/// -log softmax(z)[t] for logits z (n, classes) and i64 classes t (n), or z (classes) and t (). With floating targets
/// t of z's shape, the cross-entropy -sum_c t_c log softmax(z)_c of distributions, one for each row. Throws ValueError
/// for a class outside [0, classes), and for an ignore_index that is a class where targets are distributions.
Tensor cross_entropy(const Operand& z, const Operand& t, const CrossEntropyOptions& options = {});
/// -log_p[t] for log-probabilities as log_softmax gives them; otherwise like cross_entropy with classes.
Tensor nll_loss(const Operand& log_p, const Operand& t, const CrossEntropyOptions& options = {});
/// max(0, 1 - t y) for targets t of -1 or 1; others throw ValueError.
Tensor hinge_loss(const Operand& y, const Operand& t, const LossOptions& options = {});
/// t (log t - log_p) for log-probabilities log_p and probabilities t, 0 where t = 0; there t log t counts as constant,
/// so that the derivative in t is -log_p. Reduction::mean divides by all elements; for the divergence's mean over rows
/// take the sum and divide by their number. Throws ValueError for a negative or NaN t.
Tensor kl_div(const Operand& log_p, const Operand& t, const LossOptions& options = {});

inline Tensor binary_cross_entropy(const Operand& p, const Operand& t, Reduction r) {
  return binary_cross_entropy(p, t, LossOptions{.reduction = r});
}
inline Tensor binary_cross_entropy_with_logits(const Operand& z, const Operand& t, Reduction r) {
  return binary_cross_entropy_with_logits(z, t, BceWithLogitsOptions{.reduction = r});
}
inline Tensor mse_loss(const Operand& y, const Operand& t, Reduction r) {
  return mse_loss(y, t, LossOptions{.reduction = r});
}
inline Tensor l1_loss(const Operand& y, const Operand& t, Reduction r) {
  return l1_loss(y, t, LossOptions{.reduction = r});
}
inline Tensor huber_loss(const Operand& y, const Operand& t, Reduction r) {
  return huber_loss(y, t, HuberOptions{.reduction = r});
}
inline Tensor cross_entropy(const Operand& z, const Operand& t, Reduction r) {
  return cross_entropy(z, t, CrossEntropyOptions{.reduction = r});
}
inline Tensor nll_loss(const Operand& log_p, const Operand& t, Reduction r) {
  return nll_loss(log_p, t, CrossEntropyOptions{.reduction = r});
}
inline Tensor hinge_loss(const Operand& y, const Operand& t, Reduction r) {
  return hinge_loss(y, t, LossOptions{.reduction = r});
}
inline Tensor kl_div(const Operand& log_p, const Operand& t, Reduction r) {
  return kl_div(log_p, t, LossOptions{.reduction = r});
}

}  // namespace xgrad::nn
#pragma GCC visibility pop
