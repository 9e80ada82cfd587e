#pragma once
#include "nn/table/loss_cases.hpp"

/// The rows of losses of two classes and of many.
namespace xgrad::nn_table {

inline LossRow bce_row() {
  using nn::binary_cross_entropy;
  return {
      "binary_cross_entropy",
      {elements(
           "", [](const Tensors& x, Reduction r) { return binary_cross_entropy(x[0], x[1], r); }, bce, unit, unit),
       elements(
           "of a sigmoid", [](const Tensors& x, Reduction r) { return binary_cross_entropy(sigmoid(x[0]), x[1], r); },
           bce_of_logits, interval(-2, 2), unit),
       weighted(
           [](const Tensors& x, Reduction r) {
             return binary_cross_entropy(x[0], x[1], {r, weights_for(x[1])});
           },
           bce, unit, unit)},
      {BAD(ShapeError, binary_cross_entropy(column, row), broadcasts("binary_cross_entropy")),
       BAD(ValueError, binary_cross_entropy(tensor({.5, 1.5}), half),
           "binary_cross_entropy: the prediction holds 1.5 at position 1 of shape (2,); all must be between 0 and 1"),
       BAD(ValueError, binary_cross_entropy(tensor({op_table::nan, .5}), half),
           "binary_cross_entropy: the prediction holds nan at position 0 of shape (2,); all must be between 0 and 1"),
       BAD(ValueError, binary_cross_entropy(half, tensor({0., 2.})),
           "binary_cross_entropy: the target holds 2 at position 1 of shape (2,); all must be between 0 and 1")}};
}

inline LossRow bce_with_logits_row() {
  using nn::binary_cross_entropy_with_logits;
  return {
      "binary_cross_entropy_with_logits",
      {elements(
           "", [](const Tensors& x, Reduction r) { return binary_cross_entropy_with_logits(x[0], x[1], r); },
           bce_of_logits, interval(-2, 2), unit),
       elements(
           "pos_weight",
           [](const Tensors& x, Reduction r) {
             return binary_cross_entropy_with_logits(x[0], x[1], {.reduction = r, .pos_weight = 3});
           },
           [](Real z, Real t) { return 3 * t * std::log1p(std::exp(-z)) + (1 - t) * std::log1p(std::exp(z)); },
           interval(-2, 2), unit),
       {"pos_weight for each class",
        [](const Tensors& x, Reduction r) {
          return binary_cross_entropy_with_logits(x[0], x[1], {.reduction = r, .pos_weight = two_weights(x[0])});
        },
        of_columns([](Real z, Real t, Real w) {
          return w * t * std::log1p(std::exp(-z)) + (1 - t) * std::log1p(std::exp(z));
        }),
        two_columns,
        {interval(-2, 2), unit}}},
      {BAD(ShapeError, binary_cross_entropy_with_logits(column, row), broadcasts("binary_cross_entropy_with_logits")),
       BAD(ShapeError, binary_cross_entropy_with_logits(column, column, {.pos_weight = ones({3})}),
           "binary_cross_entropy_with_logits: pos_weight is (3,), the prediction is (3, 1); it must have or broadcast "
           "to that"),
       BAD(DtypeError, binary_cross_entropy_with_logits(column, column, {.pos_weight = ones({1}, f64)}),
           "binary_cross_entropy_with_logits: the prediction is f32, pos_weight is f64; convert it with .to(f32)"),
       BAD(ValueError, binary_cross_entropy_with_logits(half, half, {.pos_weight = tensor({1., -1.})}),
           "binary_cross_entropy_with_logits: pos_weight holds -1 at position 1; all must be finite and at least 0"),
       BAD(ValueError, binary_cross_entropy_with_logits(half, tensor({0., -1.})),
           "binary_cross_entropy_with_logits: the target holds -1 at position 1 of shape (2,); all must be between "
           "0 and 1"),
       BAD(ValueError, binary_cross_entropy_with_logits(half, half, {.pos_weight = op_table::nan}),
           "binary_cross_entropy_with_logits: pos_weight is nan; it must be finite and at least 0")}};
}

inline const Domain classes = integers(0, 2);
inline const Shapes with_classes{{{4, 3}, {4}}, {{1, 3}, {1}}, {{0, 3}, {0}}, {{3}, {}}};
inline const Shapes with_distributions{{{4, 3}, {4, 3}}, {{1, 3}, {1, 3}}, {{0, 3}, {0, 3}}, {{3}, {3}}};
inline const std::vector<Real> class_weights{.5, 2, 1};
inline Tensor weights_of_classes(const Tensor& z) { return tensor({.5, 2, 1}, {.dtype = z.dtype()}); }

/// log softmax(z)_c of one row, or log_p itself.
inline Real log_p(const Values& z, const Index& at, std::int64_t c, bool normalise) {
  Index index = at;
  index.push_back(c);
  if (!normalise) return z[index];
  const Real own = z[index];
  Real total = 0;
  for (index.back() = 0; index.back() < z.shape[-1]; ++index.back()) total += std::exp(z[index] - own);
  return -std::log(total);
}

/// For classes, with the options' weights and smoothing.
inline Reference of_classes(bool normalise, bool weights, Real smoothing, std::int64_t ignored = -100) {
  return [=](const std::vector<Values>& x) {
    return build(rows_of(x[0]), [&](const Index& at) {
      const auto weight = [&](std::int64_t c) { return weights ? class_weights[static_cast<std::size_t>(c)] : 1; };
      const auto t = static_cast<std::int64_t>(x[1][at]);
      if (t == ignored) return Real(0);
      Real loss = -(1 - smoothing) * weight(t) * log_p(x[0], at, t, normalise);
      for (std::int64_t c = 0; c < 3; ++c) loss -= smoothing / 3 * weight(c) * log_p(x[0], at, c, normalise);
      return loss;
    });
  };
}

/// The sum of the targets' weights.
std::function<Real(const std::vector<Values>&)> total_weight(bool weights, std::int64_t ignored = -100) {
  return [=](const std::vector<Values>& x) {
    Real total = 0;
    for (const Real t : x[1].v)
      if (t != static_cast<Real>(ignored)) total += weights ? class_weights[static_cast<std::size_t>(t)] : 1;
    return total;
  };
}

/// (n, classes, d1, ...) as (n, d1, ..., classes).
inline Values classes_last(const Values& x) {
  Shape shape = x.shape;
  shape.erase(1);
  shape.push_back(x.shape[1]);
  return build(shape, [&](Index at) {
    at.insert(at.begin() + 1, at.back());
    at.pop_back();
    return x[at];
  });
}
inline Reference of_places(bool weights, Real smoothing) {
  return [=](const std::vector<Values>& x) { return of_classes(true, weights, smoothing)({classes_last(x[0]), x[1]}); };
}

inline LossRow cross_entropy_row() {
  using nn::cross_entropy;
  const Domain logits = interval(-2, 2);
  const Reference of_distributions = [](const std::vector<Values>& x) {
    return build(rows_of(x[0]), [&](const Index& at) {
      Real loss = 0;
      Index index = at;
      index.push_back(0);
      for (std::int64_t& c = index.back(); c < 3; ++c)
        loss -= class_weights[static_cast<std::size_t>(c)] * (Real(.9L) * x[1][index] + Real(.1L) / 3) *
                log_p(x[0], at, c, true);
      return loss;
    });
  };
  return {
      "cross_entropy",
      {{"classes",
        [](const Tensors& x, Reduction r) { return cross_entropy(x[0], x[1], r); },
        of_classes(true, false, 0),
        with_classes,
        {logits, classes}},
       {"weight and smoothing",
        [](const Tensors& x, Reduction r) {
          return cross_entropy(x[0], x[1], {r, weights_of_classes(x[0]), -100, .1});
        },
        of_classes(true, true, .1L),
        with_classes,
        {logits, classes},
        total_weight(true)},
       {"ignore_index",
        [](const Tensors& x, Reduction r) { return cross_entropy(x[0], x[1], {.reduction = r, .ignore_index = 1}); },
        of_classes(true, false, 0, 1),
        {{{4, 3}, {4}}, {{1, 3}, {1}}, {{0, 3}, {0}}},
        {logits, fixed({0, 1, 2, 2}, i64)},
        total_weight(false, 1)},
       {"classes of places",
        [](const Tensors& x, Reduction r) { return cross_entropy(x[0], x[1], r); },
        of_places(false, 0),
        {{{2, 3, 4}, {2, 4}}, {{1, 3, 2, 2}, {1, 2, 2}}, {{0, 3, 2}, {0, 2}}},
        {logits, classes}},
       {"weight and smoothing of places",
        [](const Tensors& x, Reduction r) {
          return cross_entropy(x[0], x[1], {r, weights_of_classes(x[0]), -100, .1});
        },
        of_places(true, .1L),
        {{{2, 3, 4}, {2, 4}}, {{1, 3, 2, 2}, {1, 2, 2}}, {{0, 3, 2}, {0, 2}}},
        {logits, classes},
        total_weight(true)},
       {"distributions of places",
        [](const Tensors& x, Reduction r) {
          return cross_entropy(x[0], x[1], {.reduction = r, .weight = weights_of_classes(x[0]), .label_smoothing = .1});
        },
        [of_distributions](const std::vector<Values>& x) {
          return of_distributions({classes_last(x[0]), classes_last(x[1])});
        },
        {{{2, 3, 4}, {2, 3, 4}}, {{1, 3, 2, 2}, {1, 3, 2, 2}}, {{0, 3, 2}, {0, 3, 2}}},
        {logits, unit}},
       {"distributions",
        [](const Tensors& x, Reduction r) {
          return cross_entropy(x[0], x[1], {.reduction = r, .weight = weights_of_classes(x[0]), .label_smoothing = .1});
        },
        of_distributions,
        with_distributions,
        {logits, unit}}},
      {BAD(ShapeError, cross_entropy(column, row), broadcasts("cross_entropy")),
       BAD(ValueError, cross_entropy(zeros({2, 3}), tensor({0, 3}, {.dtype = i64})),
           "cross_entropy: target 3 at position 1 is out of bounds for 3 classes"),
       BAD(ShapeError, cross_entropy(zeros({2, 3}), tensor({0, 1, 2}, {.dtype = i64})),
           "cross_entropy: the prediction is (2, 3), the classes are (3,); they must be (2,), one for each row"),
       BAD(DtypeError, cross_entropy(zeros({2}), 1),
           "cross_entropy: the classes are a plain number; make it a tensor with tensor(..., {.dtype = i64})"),
       BAD(DtypeError, cross_entropy(zeros({2, 3}), tensor({0, 1}, {.dtype = i64}), {.weight = ones({3}, f64)}),
           "cross_entropy: the weight is f64, the prediction is f32; convert the weight with .to(f32)"),
       BAD(ShapeError, cross_entropy(zeros({2, 3}), tensor({0, 1}, {.dtype = i64}), {.weight = ones({2})}),
           "cross_entropy: the weight is (2,), and there are 3 classes; it must hold one number for each"),
       BAD(ShapeError, cross_entropy(zeros({2, 3, 4}), tensor({0, 1}, {.dtype = i64})),
           "cross_entropy: the prediction is (2, 3, 4), the classes are (2,); they must be (2, 4), one for each row"),
       BAD(ShapeError, cross_entropy(zeros({}), tensor({0, 1}, {.dtype = i64})),
           "cross_entropy: the prediction is (); (n, classes) or (classes) is needed, bring it there with reshape"),
       BAD(ValueError, cross_entropy(zeros({2, 3}), zeros({2, 3}), {.ignore_index = 0}),
           "cross_entropy: ignore_index is 0, and a target that is a distribution has no class to compare with it; "
           "leave it out, as a row of zeros adds nothing"),
       BAD(ValueError, cross_entropy(zeros({2, 3}), tensor({0, 1}, {.dtype = i64}), {.label_smoothing = 2}),
           "cross_entropy: label_smoothing is 2; it must be between 0 and 1")}};
}

inline LossRow nll_row() {
  return {"nll_loss",
          {{"",
            [](const Tensors& x, Reduction r) { return nn::nll_loss(x[0], x[1], r); },
            of_classes(false, false, 0),
            with_classes,
            {interval(-3, -.1), classes}},
           {"weight",
            [](const Tensors& x, Reduction r) {
              return nn::nll_loss(x[0], x[1], {.reduction = r, .weight = weights_of_classes(x[0])});
            },
            of_classes(false, true, 0),
            with_classes,
            {interval(-3, -.1), classes},
            total_weight(true)}},
          {BAD(ValueError, nn::nll_loss(zeros({2, 3}), tensor({-1, 0}, {.dtype = i64})),
               "nll_loss: target -1 at position 0 is out of bounds for 3 classes"),
           BAD(DtypeError, nn::nll_loss(zeros({2, 3}), tensor({0., 1.})),
               "nll_loss: the classes are f32; convert them with .to(i64)")}};
}

}  // namespace xgrad::nn_table
