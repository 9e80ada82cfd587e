#pragma once
#include "nn/table/loss_cases.hpp"

/// The rows of losses of real numbers, and of those that compare rows.
namespace xgrad::nn_table {

inline std::vector<LossRow> regression_rows() {
  using nn::huber_loss, nn::l1_loss, nn::mse_loss;
  return {
      {"mse_loss",
       {elements(
            "", [](const Tensors& x, Reduction r) { return mse_loss(x[0], x[1], r); },
            [](Real y, Real t) { return (y - t) * (y - t); }, interval(-2, 2), between),
        weighted(
            [](const Tensors& x, Reduction r) {
              return mse_loss(x[0], x[1], {r, weights_for(x[1])});
            },
            [](Real y, Real t) { return (y - t) * (y - t); }, interval(-2, 2), between),
        {"weight for each class",
         [](const Tensors& x, Reduction r) {
           return mse_loss(x[0], x[1], {r, two_weights(x[0])});
         },
         of_columns([](Real y, Real t, Real w) { return w * (y - t) * (y - t); }),
         two_columns,
         {interval(-2, 2), between}},
        {"mean over the batch",
         [](const Tensors& x, Reduction r) {
           return mse_loss(x[0], x[1], r == Reduction::mean ? Reduction::batch_mean : r);
         },
         each([](Real y, Real t) { return (y - t) * (y - t); }),
         pairs,
         {interval(-2, 2), between},
         [](const std::vector<Values>& x) { return static_cast<Real>(x[0].shape[0]); }}},
       {BAD(ShapeError, mse_loss(column, row), broadcasts("mse_loss")),
        BAD(ShapeError, mse_loss(column, zeros({2, 1})),
            "mse_loss: the prediction is (3, 1), the target is (2, 1), and a loss never broadcasts; both must have one "
            "shape"),
        BAD(DtypeError, mse_loss(column, column, {.weight = ones({3, 1}, f64)}),
            "mse_loss: the weight is f64, the loss is f32; convert the weight with .to(f32)"),
        BAD(ShapeError, mse_loss(column, column, {.weight = row}),
            "mse_loss: the weight is (3,), the loss is (3, 1); it must have or broadcast to that"),
        BAD(ValueError, mse_loss(column, 0),
            "mse_loss: an argument is a plain number; make it a tensor with full(...)"),
        BAD(DtypeError, mse_loss(column, column.to(f64)),
            "mse_loss: the prediction is f32, the target is f64; convert the target with .to(f32)")}},
      {"l1_loss",
       {elements(
           "", [](const Tensors& x, Reduction r) { return l1_loss(x[0], x[1], r); },
           [](Real y, Real t) { return std::fabs(y - t); }, apart, between)},
       {BAD(ShapeError, l1_loss(column, row), broadcasts("l1_loss"))}},
      {"huber_loss",
       {elements(
            "", [](const Tensors& x, Reduction r) { return huber_loss(x[0], x[1], r); },
            [](Real y, Real t) {
              const Real d = std::fabs(y - t);
              return d <= 1 ? d * d / 2 : d - Real(.5);
            },
            fixed({2.5, -.2, .3, -3}), fixed({.1, .4})),
        elements(
            "delta",
            [](const Tensors& x, Reduction r) { return huber_loss(x[0], x[1], {.reduction = r, .delta = .25}); },
            [](Real y, Real t) {
              const Real d = std::fabs(y - t);
              return d <= Real(.25) ? d * d / 2 : Real(.25) * (d - Real(.125));
            },
            fixed({2.5, .2, .3, -3}), fixed({.1, .4}))},
       {BAD(ShapeError, huber_loss(column, row), broadcasts("huber_loss")),
        BAD(ValueError, huber_loss(half, half, {.delta = 0}), "huber_loss: delta is 0; it must be above 0")}},
      {"hinge_loss",
       {elements(
           "", [](const Tensors& x, Reduction r) { return nn::hinge_loss(x[0], x[1].to(x[0].dtype()), r); },
           [](Real y, Real t) { return std::max<Real>(0, 1 - t * y); }, fixed({.5, -2, 3, -.25}),
           fixed({1, -1, -1, 1, 1}, i64))},
       {BAD(ShapeError, nn::hinge_loss(column, row), broadcasts("hinge_loss")),
        BAD(ValueError, nn::hinge_loss(half, tensor({1., 0.})),
            "hinge_loss: the target holds 0 at position 1; all must be -1 or 1, which 2 * t - 1 makes of 0 and 1")}},
      {"kl_div",
       {elements(
            "", [](const Tensors& x, Reduction r) { return nn::kl_div(x[0], x[1], r); },
            [](Real log_p, Real t) { return t * (std::log(t) - log_p); }, interval(-3, -.1), interval(.1, 1)),
        elements(
            "log_target",
            [](const Tensors& x, Reduction r) { return nn::kl_div(x[0], x[1], {.reduction = r, .log_target = true}); },
            [](Real log_p, Real log_t) { return std::exp(log_t) * (log_t - log_p); }, interval(-3, -.1),
            interval(-2, 0))},
       {BAD(ShapeError, nn::kl_div(column, row), broadcasts("kl_div")),
        BAD(ValueError, nn::kl_div(half, tensor({.5, -.5})),
            "kl_div: the target holds -0.5 at position 1; probabilities must be at least 0")}}};
}

inline std::vector<LossRow> likelihood_rows() {
  using nn::focal_loss, nn::gaussian_nll_loss, nn::poisson_nll_loss, nn::smooth_l1_loss;
  const Shapes with_variance{{{3, 2}, {3, 2}, {3, 2}}, {{1, 2}, {1, 2}, {1, 1}}, {{0, 2}, {0, 2}, {2}}};
  const auto gaussian = [](Real constant) {
    return [constant](const std::vector<Values>& x) {
      return build(x[0].shape, [&](const Index& at) {
        const Real v = op_table::broadcast_element(x[2], at), d = x[0][at] - x[1][at];
        return (std::log(v) + d * d / v) / 2 + constant;
      });
    };
  };
  const auto focal = [](Real z, Real t) {
    const Real p = 1 / (1 + std::exp(-z)), p_t = t * p + (1 - t) * (1 - p);
    return (t / 4 + (1 - t) * 3 / 4) * (1 - p_t) * (1 - p_t) * bce(p, t);
  };
  return {
      {"smooth_l1_loss",
       {elements(
            "", [](const Tensors& x, Reduction r) { return smooth_l1_loss(x[0], x[1], r); },
            [](Real y, Real t) {
              const Real d = std::fabs(y - t);
              return d < 1 ? d * d / 2 : d - Real(.5);
            },
            fixed({2.5, -.2, .3, -3}), fixed({.1, .4})),
        elements(
            "beta",
            [](const Tensors& x, Reduction r) { return smooth_l1_loss(x[0], x[1], {.reduction = r, .beta = .5}); },
            [](Real y, Real t) {
              const Real d = std::fabs(y - t);
              return d < Real(.5) ? d * d : d - Real(.25);
            },
            fixed({2.5, -.2, .3, -3}), fixed({.1, .4})),
        elements(
            "beta 0",
            [](const Tensors& x, Reduction r) { return smooth_l1_loss(x[0], x[1], {.reduction = r, .beta = 0}); },
            [](Real y, Real t) { return std::fabs(y - t); }, apart, between)},
       {BAD(ShapeError, smooth_l1_loss(column, row), broadcasts("smooth_l1_loss")),
        BAD(ValueError, smooth_l1_loss(half, half, {.beta = -1}),
            "smooth_l1_loss: beta is -1; it must be at least 0")}},
      {"gaussian_nll_loss",
       {{"",
         [](const Tensors& x, Reduction r) { return gaussian_nll_loss(x[0], x[1], x[2], r); },
         gaussian(0),
         with_variance,
         {interval(-2, 2), between, interval(.3, 2)}},
        {"full",
         [](const Tensors& x, Reduction r) {
           return gaussian_nll_loss(x[0], x[1], x[2], {.reduction = r, .full = true});
         },
         gaussian(std::log(2 * std::acos(Real(-1))) / 2),
         with_variance,
         {interval(-2, 2), between, interval(.3, 2)}}},
       {BAD(ShapeError, gaussian_nll_loss(column, row, row), broadcasts("gaussian_nll_loss")),
        BAD(ShapeError, gaussian_nll_loss(column, column, row),
            "gaussian_nll_loss: the variance is (3,), the prediction is (3, 1); it must have or broadcast to that"),
        BAD(DtypeError, gaussian_nll_loss(column, column, column.to(f64)),
            "gaussian_nll_loss: the prediction is f32, the variance is f64; convert it with .to(f32)"),
        BAD(ValueError, gaussian_nll_loss(half, half, tensor({1., -1.})),
            "gaussian_nll_loss: the variance holds -1 at position 1; all must be at least 0")}},
      {"poisson_nll_loss",
       {elements(
            "", [](const Tensors& x, Reduction r) { return poisson_nll_loss(x[0], x[1], r); },
            [](Real y, Real t) { return std::exp(y) - t * y; }, interval(-2, 2), interval(0, 4)),
        elements(
            "of rates, full",
            [](const Tensors& x, Reduction r) {
              return poisson_nll_loss(x[0], x[1], {.reduction = r, .log_input = false, .full = true});
            },
            [](Real y, Real t) {
              const Real log_factorial = t > 1 ? t * std::log(t) - t + std::log(2 * std::acos(Real(-1)) * t) / 2 : 0;
              return y - t * std::log(y + 1e-8L) + log_factorial;
            },
            interval(.3, 2), fixed({.5, 3, 2.25}))},
       {BAD(ShapeError, poisson_nll_loss(column, row), broadcasts("poisson_nll_loss"))}},
      {"focal_loss",
       {elements(
            "", [](const Tensors& x, Reduction r) { return focal_loss(x[0], x[1], r); }, focal, interval(-2, 2), unit),
        elements(
            "without alpha and gamma",
            [](const Tensors& x, Reduction r) {
              return focal_loss(x[0], x[1], {.reduction = r, .gamma = 0, .alpha = -1});
            },
            bce_of_logits, interval(-2, 2), unit)},
       {BAD(ShapeError, focal_loss(column, row), broadcasts("focal_loss")),
        BAD(ValueError, focal_loss(half, tensor({0., 2.})),
            "focal_loss: the target holds 2 at position 1 of shape (2,); all must be between 0 and 1"),
        BAD(ValueError, focal_loss(half, half, {.gamma = -1}), "focal_loss: gamma is -1; it must be at least 0"),
        BAD(ValueError, focal_loss(half, half, {.alpha = 2}), "focal_loss: alpha is 2; it must be at most 1")}}};
}

/// |a - b| of the rows under an index.
inline Real distance(const Values& a, const Values& b, Index at) {
  Real total = 0;
  at.push_back(0);
  for (std::int64_t& k = at.back(); k < a.shape[-1]; ++k) total += (a[at] - b[at]) * (a[at] - b[at]);
  return std::sqrt(total);
}

inline std::vector<LossRow> ranking_rows() {
  using nn::cosine_embedding_loss, nn::margin_ranking_loss, nn::triplet_margin_loss;
  const Shapes of_rows{{{3, 2}, {3, 2}, {3}}, {{1, 2}, {1, 2}, {1}}, {{0, 2}, {0, 2}, {0}}};
  const Shapes alike{{{3, 2}, {3, 2}, {3, 2}}, {{1, 2}, {1, 2}, {1, 2}}, {{0, 2}, {0, 2}, {0, 2}}};
  const Domain signs = fixed({1, -1, 1, 1, -1}, i64);
  const auto cosine = [](Real margin) {
    return [margin](const std::vector<Values>& x) {
      return build(rows_of(x[0]), [&](const Index& at) {
        Index index = at;
        index.push_back(0);
        Real ab = 0, aa = 0, bb = 0;
        for (std::int64_t& k = index.back(); k < x[0].shape[-1]; ++k)
          ab += x[0][index] * x[1][index], aa += x[0][index] * x[0][index], bb += x[1][index] * x[1][index];
        const Real c = ab / std::sqrt(aa * bb);
        return x[2][at] > 0 ? 1 - c : std::max<Real>(0, c - margin);
      });
    };
  };
  const auto triplet = [](bool swap) {
    return [swap](const std::vector<Values>& x) {
      return build(rows_of(x[0]), [&](const Index& at) {
        const Real from_anchor = distance(x[0], x[2], at), from_positive = distance(x[1], x[2], at);
        const Real away = swap ? std::min(from_anchor, from_positive) : from_anchor;
        return std::max<Real>(0, distance(x[0], x[1], at) - away + 1);
      });
    };
  };
  return {
      {"cosine_embedding_loss",
       {{"",
         [](const Tensors& x, Reduction r) { return cosine_embedding_loss(x[0], x[1], x[2].to(x[0].dtype()), r); },
         cosine(0),
         of_rows,
         {around_zero(.3, 2), around_zero(.3, 2), signs}},
        {"margin",
         [](const Tensors& x, Reduction r) {
           return cosine_embedding_loss(x[0], x[1], x[2].to(x[0].dtype()), {.reduction = r, .margin = -.5});
         },
         cosine(-.5L),
         of_rows,
         {around_zero(.3, 2), around_zero(.3, 2), signs}}},
       {BAD(ShapeError, cosine_embedding_loss(column, row, row), broadcasts("cosine_embedding_loss", "a", "b", "b")),
        BAD(ShapeError, cosine_embedding_loss(column, column, column),
            "cosine_embedding_loss: the target is (3, 1); it must be (3,), one for each row"),
        BAD(ShapeError, cosine_embedding_loss(ones({}), ones({}), ones({})),
            "cosine_embedding_loss: a is (); (n, k) or (k) is needed"),
        BAD(DtypeError, cosine_embedding_loss(column, column, ones({3}, f64)),
            "cosine_embedding_loss: a is f32, the target is f64; convert the target with .to(f32)"),
        BAD(ValueError, cosine_embedding_loss(column, column, 1),
            "cosine_embedding_loss: an argument is a plain number; make it a tensor with full(...)"),
        BAD(ValueError, cosine_embedding_loss(column, column, row),
            "cosine_embedding_loss: the target holds 0 at position 0; all must be -1 or 1, which 2 * t - 1 makes of 0 "
            "and 1")}},
      {"margin_ranking_loss",
       {{"",
         [](const Tensors& x, Reduction r) {
           return margin_ranking_loss(x[0], x[1], x[2].to(x[0].dtype()), {.reduction = r, .margin = .5});
         },
         each([](Real a, Real b, Real t) { return std::max<Real>(0, Real(.5) - t * (a - b)); }),
         alike,
         {interval(-2, 2), interval(-2, 2), signs}},
        {"no margin",
         [](const Tensors& x, Reduction r) { return margin_ranking_loss(x[0], x[1], x[2].to(x[0].dtype()), r); },
         each([](Real a, Real b, Real t) { return std::max<Real>(0, -t * (a - b)); }),
         alike,
         {interval(-2, 2), interval(-2, 2), signs}}},
       {BAD(ShapeError, margin_ranking_loss(column, row, row), broadcasts("margin_ranking_loss", "a", "b", "b")),
        BAD(ShapeError, margin_ranking_loss(column, column, row),
            "margin_ranking_loss: the target is (3,); it must be (3, 1), one for each row")}},
      {"triplet_margin_loss",
       {{"",
         [](const Tensors& x, Reduction r) { return triplet_margin_loss(x[0], x[1], x[2], r); },
         triplet(false),
         alike,
         {interval(-2, 2), interval(-2, 2), interval(-2, 2)}},
        {"swap",
         [](const Tensors& x, Reduction r) {
           return triplet_margin_loss(x[0], x[1], x[2], {.reduction = r, .swap = true});
         },
         triplet(true),
         alike,
         {interval(-2, 2), interval(-2, 2), interval(-2, 2)}}},
       {BAD(DtypeError, triplet_margin_loss(column, zeros({3, 1}, f64), column),
            "triplet_margin_loss: anchor is f32, positive is f64; convert positive with .to(f32)"),
        BAD(ShapeError, triplet_margin_loss(column, column, row),
            broadcasts("triplet_margin_loss", "anchor", "negative", "negative")),
        BAD(ShapeError, triplet_margin_loss(ones({}), ones({}), ones({})),
            "triplet_margin_loss: anchor is (); (n, k) or (k) is needed")}}};
}

}  // namespace xgrad::nn_table
