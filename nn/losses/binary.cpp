#include <algorithm>
#include <autograd/core/kernel_calls.hpp>
#include <autograd/primitive.hpp>
#include <autograd/support/limits.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <nn/losses/common.hpp>

/// Losses of two classes: of probabilities, of logits, and of margins.
namespace xgrad::nn {
namespace {

using detail::check_pair, detail::reduced;

/// The z of a recorded p = sigmoid(z), if neither was overwritten since; otherwise null. It lives as long as p.
const Tensor* logits_of(const Tensor& p) {
  const Ref<Node>& node = p.node();
  // The hooks of a node with extras must see its gradient, so the pass must visit it.
  if (!node || node->extras || std::strcmp(node->name, "sigmoid") != 0 || !node->source().defined()) return nullptr;
  const Tensor& z = node->source();
  return z.is_valid(node->recorded) && p.is_valid(node->recorded) && z.dtype() == p.dtype() ? &z : nullptr;
}

template <class T>
void forward(const T* p, const T* t, T* y, std::int64_t n) {
  const T floor = -100;
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = -(t[i] * std::max(std::log(p[i]), floor) + (1 - t[i]) * std::max(std::log1p(-p[i]), floor));
}

/// log(1 - p) - log(p), the derivative of the loss in t. The logarithms stop at -100, but their slopes do not.
Tensor negative_log_odds(const Tensor& p) {
  return primitive(
      "negative_log_odds", {p},
      [&] {
        const Tensor constant = p.detach();
        return (maximum(log(1 - constant), -100) - maximum(log(constant), -100)).array();
      },
      // Where the cotangent is 0 the result is 0, also if the slope is infinite.
      [p](const Tensor& g) { return where(g == 0, 0, -g / (p * (1 - p))); });
}

Tensor from_probabilities(const Operand& p, const Operand& t) {
  return primitive(
      "binary_cross_entropy", {p, t},
      [&] {
        Array y(p.dtype(), p.shape());
        if (p.dtype() == f32) {
          capturing::repeat(forward<float>, p.array().data<float>(), t.array().data<float>(), y.data<float>(),
                            p.size());
        } else {
          capturing::repeat(forward<double>, p.array().data<double>(), t.array().data<double>(), y.data<double>(),
                            p.size());
        }
        return y;
      },
      [p, t](const Tensor& g) { return g * ((p - t) / clamp(p * (1 - p), 1e-12, 1)); },
      [p](const Tensor& g) { return g * negative_log_odds(p.tensor()); });
}

template <class T>
void residuals(const T* p, const T* t, const T* g, double count, T* y, std::int64_t n) {
  const T share = static_cast<T>(static_cast<double>(*g) / count);
  for (std::int64_t i = 0; i < n; ++i) y[i] = (p[i] - t[i]) * share;
}

/// (p - t) g / count for a 0-d g: what the mean of bce_with_logits(z, t) sends to z, where p = sigmoid(z).
Tensor residual_mean(const Tensor& p, const Tensor& t, const Tensor& g, double count) {
  return primitive(
      "bce_with_logits_grad", {p, t, g},
      [&] {
        Array y(p.dtype(), p.shape());
        if (p.dtype() == f32) {
          capturing::repeat(residuals<float>, p.data<float>(), t.data<float>(), g.data<float>(), count, y.data<float>(),
                            p.size());
        } else {
          capturing::repeat(residuals<double>, p.data<double>(), t.data<double>(), g.data<double>(), count,
                            y.data<double>(), p.size());
        }
        return y;
      },
      [g = Saved(g), count](const Tensor& h) { return h * (g / count); },
      [g = Saved(g), count](const Tensor& h) { return h * (-g / count); },
      [p = Saved(p), t = Saved(t), count](const Tensor& h) { return sum(h * (p - t)) / count; });
}

/// The mean of bce_with_logits(z, t), without history.
Array mean_of_losses(const Tensor& z, const Tensor& t, double count) {
  const OperandRef pair[] = {z, t};
  const Array losses = xgrad::detail::elementwise_forward(pair, kernels::Binary::bce_with_logits);
  Array sum(z.dtype(), {});
  const auto kernel = kernels::table().reduce[int(kernels::Reduce::sum)][int(z.dtype())];
  kernel(losses.data(), sum.data(), 1, losses.size(), 1);
  return xgrad::detail::divided(std::move(sum), count);
}

/// The mean of bce_with_logits(z, t), as one node. `p` is sigmoid(z) where that has been computed, or undefined.
Tensor mean_with_logits(const Tensor& z, const Tensor& p, const Operand& t) {
  const auto count = static_cast<double>(z.size());
  const auto forward = [&] { return mean_of_losses(z, t.tensor(), count); };
  return primitive(
      "bce_with_logits", {z, t}, forward,
      [given = p.defined(), known = Saved(p.defined() ? p : z), t = Saved(t), count](const Tensor& g) {
        if (given) return residual_mean(known.tensor(), t.tensor(), g, count);
        return residual_mean(sigmoid(known), t.tensor(), g, count);
      },
      [z = Saved(z), count](const Tensor& g) { return z * (-g / count); });
}

/// w t softplus(-z) + (1 - t) softplus(z); a factor of 0 gives 0 also where its logarithm is infinite.
Tensor weighted_with_logits(const Tensor& z, const Tensor& t, const Operand& w) {
  const auto forward = [&] {
    const Tensor zs = z.detach(), ts = t.detach(), positive = w * ts, negative = 1 - ts;
    return (where(positive == 0, 0, positive * softplus(-zs)) + where(negative == 0, 0, negative * softplus(zs)))
        .array();
  };
  return primitive(
      "weighted_bce_with_logits", {z, t}, forward,
      [z, t, w](const Tensor& g) { return g * ((1 - t) * sigmoid(z) - w * t * sigmoid(-z)); },
      [z, w = w.tensor(z.dtype())](const Tensor& g) { return g * (where(w == 0, 0, w * softplus(-z)) - softplus(z)); });
}

/// Throws unless the factors on positive targets are finite, at least 0, and broadcast to the loss's shape.
void check_pos_weight(const OpScope& scope, const Operand& w, const Operand& z) {
  if (w.is_number()) {
    if (const double factor = w.number().real(); !(factor >= 0 && factor < xgrad::detail::infinity))
      scope.fail<ValueError>("pos_weight is ", factor, "; it must be finite and at least 0");
    return;
  }
  if (w.dtype() != z.dtype())
    scope.fail<DtypeError>("the prediction is ", name_of(z.dtype()), ", pos_weight is ", name_of(w.dtype()),
                           "; convert it with .to(", name_of(z.dtype()), ")");
  if (!detail::fits_into(w.shape(), z.shape()))
    scope.fail("pos_weight is ", w.shape(), ", the prediction is ", z.shape(), "; it must have or broadcast to that");
  detail::check_elements(
      w.tensor(), [](auto x) { return (x >= 0) & (x < std::numeric_limits<decltype(x)>::infinity()); },
      [](const detail::Invalid& found) {
        xgrad::detail::fail<ValueError>("pos_weight holds ", found.value, " at position ", found.position,
                                        "; all must be finite and at least 0");
      });
}

}  // namespace

Tensor binary_cross_entropy(const Operand& p, const Operand& t, const LossOptions& options) {
  const OpScope scope("binary_cross_entropy", p.place());
  check_pair(scope, p, t);
  detail::check_prediction_in_unit_interval(p.tensor());
  detail::check_target_in_unit_interval(t.tensor());
  const Tensor* const z = logits_of(p.tensor());
  if (z && options.reduction == Reduction::mean && !options.weight.defined())
    return mean_with_logits(*z, p.tensor(), t);
  return reduced(scope, z ? bce_with_logits(*z, t) : from_probabilities(p, t), options.reduction, options.weight);
}

Tensor binary_cross_entropy_with_logits(const Operand& z, const Operand& t, const BceWithLogitsOptions& options) {
  const OpScope scope("binary_cross_entropy_with_logits", z.place());
  check_pair(scope, z, t);
  detail::check_target_in_unit_interval(t.tensor());
  const Operand& w = options.pos_weight;
  check_pos_weight(scope, w, z);
  const bool plain = w.is_number() && w.number().real() == 1;
  if (plain && options.reduction == Reduction::mean && !options.weight.defined())
    return mean_with_logits(z.tensor(), {}, t);
  Tensor loss = plain ? bce_with_logits(z, t) : weighted_with_logits(z.tensor(), t.tensor(), w);
  return reduced(scope, std::move(loss), options.reduction, options.weight);
}

Tensor focal_loss(const Operand& z, const Operand& t, const FocalOptions& options) {
  const OpScope scope("focal_loss", z.place());
  check_pair(scope, z, t);
  detail::check_target_in_unit_interval(t.tensor());
  const double alpha = options.alpha;
  if (!(options.gamma >= 0)) scope.fail<ValueError>("gamma is ", options.gamma, "; it must be at least 0");
  if (!(alpha <= 1)) scope.fail<ValueError>("alpha is ", alpha, "; it must be at most 1");
  // 1 - p_t, put together so that it keeps its digits where p_t is near 1.
  const Tensor missed = t * sigmoid(-z) + (1 - t) * sigmoid(z);
  Tensor loss = bce_with_logits(z, t);
  if (options.gamma > 0) {
    const Tensor sure = missed == 0;  // there a gamma below 1 has an infinite slope, the loss none
    loss = where(sure, 0, pow(where(sure, 1, missed), options.gamma)) * loss;
  }
  if (alpha >= 0) loss = loss * (alpha * t + (1 - alpha) * (1 - t));
  return reduced(scope, std::move(loss), options.reduction, options.weight);
}

Tensor hinge_loss(const Operand& y, const Operand& t, const LossOptions& options) {
  const OpScope scope("hinge_loss", y.place());
  check_pair(scope, y, t);
  detail::check_target_is_sign(t.tensor());
  return reduced(scope, relu(1 - y * t), options.reduction, options.weight);
}

}  // namespace xgrad::nn
