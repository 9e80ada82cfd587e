#pragma once
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

/// Losses: the prediction first, the target second. They never broadcast: a prediction (n, 1) against a target (n) is a
/// ShapeError, where a silent (n, n) would train something else. By default the mean over all elements, NaN of none;
/// `{.reduction = nn::Reduction::sum}`, or just `nn::Reduction::sum`, as the last argument asks for another one.
/// Differentiable to any order in the prediction and, where it is floating, the target.
namespace xgrad::nn {

enum class Reduction {
  mean,
  sum,
  none,
  batch_mean  // the sum divided by the size of axis 0
};

struct LossOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  // factors of the loss's elements, of its shape or one that broadcasts to it
};

struct BceWithLogitsOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};      // as above
  Operand pos_weight = 1;  // factor on the term of t = 1, above 1 for recall, below 1 for precision; or one for each
                           // class: a tensor that broadcasts to the loss's shape, and gets no gradient
};

struct HuberOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  // as above
  double delta = 1;
};

struct SmoothL1Options {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  // as above
  double beta = 1;
};

struct GaussianNllOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  // as above
  bool full = false;   // with the constant log(2 pi) / 2
  double eps = 1e-6;
};

struct PoissonNllOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};     // as above
  bool log_input = true;  // whether the prediction is the logarithm of the rate
  bool full = false;      // with Stirling's approximation of log(t!) for t > 1
  double eps = 1e-8;      // is added to a rate before its logarithm is taken
};

struct MarginOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  // as above
  double margin = 0;
};

struct TripletOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  // as above
  double margin = 1;
  double p = 2;       // of the norm
  bool swap = false;  // whether the negative is compared with the nearer of anchor and positive
};

struct FocalOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  // as above
  double gamma = 2;
  double alpha = 0.25;  // factor of t = 1, 1 - alpha being that of t = 0; below 0: none
};

struct KlDivOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};       // as above
  bool log_target = false;  // whether the target holds logarithms too
};

struct CrossEntropyOptions {
  Reduction reduction = Reduction::mean;  // the mean divides by the targets' weights' sum, of distributions by the rows
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
/// Huber's loss divided by its delta, here beta: (y - t)^2 / (2 beta) where |y - t| < beta, |y - t| - beta / 2 beyond;
/// for beta = 0 that is |y - t|. Throws ValueError unless beta >= 0.
Tensor smooth_l1_loss(const Operand& y, const Operand& t, const SmoothL1Options& options = {});
/// (log v + (y - t)^2 / v) / 2 for targets t of normal distributions with means y and variances v, each counted as at
/// least eps (Nix and Weigend 1994). v has y's shape or one that broadcasts to it. Throws ValueError for a negative v.
Tensor gaussian_nll_loss(const Operand& y, const Operand& t, const Operand& v, const GaussianNllOptions& options = {});
/// exp(y) - t y for counts t of Poisson distributions with rates exp(y), or y - t log(y + eps) for rates y.
Tensor poisson_nll_loss(const Operand& y, const Operand& t, const PoissonNllOptions& options = {});
/// -log softmax(z)[t] for logits z (n, classes) and i64 classes t (n), or z (classes) and t (), or z (n, classes, d1,
/// ...) and t (n, d1, ...). With floating targets t of z's shape, the cross-entropy -sum_c t_c log softmax(z)_c of
/// distributions, one for each row. Throws ValueError
/// for a class outside [0, classes), and for an ignore_index that is a class where targets are distributions.
Tensor cross_entropy(const Operand& z, const Operand& t, const CrossEntropyOptions& options = {});
/// -log_p[t] for log-probabilities as log_softmax gives them; otherwise like cross_entropy with classes.
Tensor nll_loss(const Operand& log_p, const Operand& t, const CrossEntropyOptions& options = {});
/// max(0, 1 - t y) for targets t of -1 or 1; others throw ValueError.
Tensor hinge_loss(const Operand& y, const Operand& t, const LossOptions& options = {});
/// t (log t - log_p) for log-probabilities log_p and probabilities t, 0 where t = 0; there t log t counts as constant,
/// so that the derivative in t is -log_p. Reduction::mean divides by all elements; the divergence's mean over rows is
/// Reduction::batch_mean. Throws ValueError for a negative or NaN t, unless it holds logarithms.
Tensor kl_div(const Operand& log_p, const Operand& t, const KlDivOptions& options = {});
/// alpha_t (1 - p_t)^gamma (-log p_t) for targets t in [0, 1], p_t being the probability sigmoid(z) of a t of 1 and
/// 1 - sigmoid(z) of a 0, mixed between (Lin et al. 2017). Throws ValueError for a t outside [0, 1] or gamma < 0.
Tensor focal_loss(const Operand& z, const Operand& t, const FocalOptions& options = {});
/// For rows a and b (n, k) and t (n): 1 - cosine_similarity(a, b) where t = 1, max(0, cosine_similarity(a, b) - margin)
/// where t = -1; other t throw ValueError. Without the axis n for single vectors.
Tensor cosine_embedding_loss(const Operand& a, const Operand& b, const Operand& t, const MarginOptions& options = {});
/// max(0, margin - t (a - b)) for t of 1, where a should rank above b, or -1; others throw ValueError.
Tensor margin_ranking_loss(const Operand& a, const Operand& b, const Operand& t, const MarginOptions& options = {});
/// max(0, |a - positive| - |a - negative| + margin) for rows (n, k), by norms over the last axis; derivative 0 at
/// distance 0. PyTorch adds 1e-6 to each difference, this does not. (Schroff, Kalenichenko and Philbin 2015.)
Tensor triplet_margin_loss(const Operand& anchor, const Operand& positive, const Operand& negative,
                           const TripletOptions& options = {});

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
  return kl_div(log_p, t, KlDivOptions{.reduction = r});
}
inline Tensor smooth_l1_loss(const Operand& y, const Operand& t, Reduction r) {
  return smooth_l1_loss(y, t, SmoothL1Options{.reduction = r});
}
inline Tensor gaussian_nll_loss(const Operand& y, const Operand& t, const Operand& v, Reduction r) {
  return gaussian_nll_loss(y, t, v, GaussianNllOptions{.reduction = r});
}
inline Tensor poisson_nll_loss(const Operand& y, const Operand& t, Reduction r) {
  return poisson_nll_loss(y, t, PoissonNllOptions{.reduction = r});
}
inline Tensor focal_loss(const Operand& z, const Operand& t, Reduction r) {
  return focal_loss(z, t, FocalOptions{.reduction = r});
}
inline Tensor cosine_embedding_loss(const Operand& a, const Operand& b, const Operand& t, Reduction r) {
  return cosine_embedding_loss(a, b, t, MarginOptions{.reduction = r});
}
inline Tensor margin_ranking_loss(const Operand& a, const Operand& b, const Operand& t, Reduction r) {
  return margin_ranking_loss(a, b, t, MarginOptions{.reduction = r});
}
inline Tensor triplet_margin_loss(const Operand& a, const Operand& positive, const Operand& negative, Reduction r) {
  return triplet_margin_loss(a, positive, negative, TripletOptions{.reduction = r});
}

}  // namespace xgrad::nn
#pragma GCC visibility pop
