#pragma once
#include "nn/table/losses.hpp"

/// What the rows of the table of losses are made of.
namespace xgrad::nn_table {

using nn::Reduction;
using op_table::around_zero, op_table::each, op_table::fixed, op_table::integers;

using Shapes = std::vector<std::vector<Shape>>;
using Element = Real (*)(Real, Real);
using Loss = std::function<Tensor(const Tensors&, Reduction)>;

inline const Shapes pairs{{{3, 2}, {3, 2}}, {{1, 1}, {1, 1}}, {{0, 1}, {0, 1}}, {{4}, {4}}};
/// Predictions on both sides of the targets, and away from them: |y - t| has a kink.
inline const Domain apart = fixed({2.5, -1.5, 3, -2.25, 1.75}), between = interval(-1, 1), unit = interval(.05, .95);

/// A loss of each element.
inline LossCase elements(std::string label, Loss f, Element element, Domain prediction, Domain target) {
  return {std::move(label), std::move(f), each(element), pairs, {std::move(prediction), std::move(target)}};
}
/// The same with the weights 1, 2, 3, ...
inline LossCase weighted(Loss f, Element element, Domain prediction, Domain target) {
  LossCase c = elements("weight", std::move(f), element, std::move(prediction), std::move(target));
  c.reference = [losses = each(element)](const std::vector<Values>& x) {
    Values y = losses(x);
    for (std::size_t i = 0; i < y.v.size(); ++i) y.v[i] *= static_cast<Real>(i + 1);
    return y;
  };
  return c;
}
inline Tensor weights_for(const Tensor& t) {
  return reshape(arange(1, static_cast<double>(t.size()) + 1, 1, {.dtype = t.dtype()}), t.shape());
}

/// 2 for the first column and 0.5 for the second.
inline Tensor two_weights(const Tensor& like) { return tensor({2, .5}, {.dtype = like.dtype()}); }
inline Reference of_columns(Real (*element)(Real, Real, Real)) {
  return [element](const std::vector<Values>& x) {
    return build(x[0].shape, [&](const Index& at) { return element(x[0][at], x[1][at], at.back() ? .5L : 2); });
  };
}
inline const Shapes two_columns{{{3, 2}, {3, 2}}, {{1, 2}, {1, 2}}, {{0, 2}, {0, 2}}};

inline Real bce(Real p, Real t) { return -t * std::log(p) - (1 - t) * std::log1p(-p); }
inline Real bce_of_logits(Real z, Real t) { return std::log1p(std::exp(z)) - t * z; }

inline std::string broadcasts(const char* loss, const char* y = "the prediction", const char* t = "the target",
                              const char* argument = "target") {
  return text(loss, ": ", y, " is (3, 1), ", t,
              " is (3,), and a loss never broadcasts; bring one to the other's shape, as by reshape(", argument,
              ", {3, 1})");
}
inline const Tensor column = zeros({3, 1}), row = zeros({3}), half = full({2}, .5);

/// The shape of the rows whose last axis is reduced.
inline Shape rows_of(const Values& z) { return {z.shape.begin(), z.shape.end() - 1}; }

}  // namespace xgrad::nn_table
