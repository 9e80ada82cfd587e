#include "nn/table/losses.hpp"

#include <filesystem>

using namespace xgrad;
using namespace xgrad::nn_table;

/// The rows of the table of losses.
namespace {

using nn::Reduction;
using op_table::around_zero, op_table::each, op_table::fixed, op_table::integers;

using Shapes = std::vector<std::vector<Shape>>;
using Element = Real (*)(Real, Real);
using Loss = std::function<Tensor(const Tensors&, Reduction)>;

const Shapes pairs{{{3, 2}, {3, 2}}, {{1, 1}, {1, 1}}, {{0, 1}, {0, 1}}, {{4}, {4}}};
/// Predictions on both sides of the targets, and away from them: |y - t| has a kink.
const Domain apart = fixed({2.5, -1.5, 3, -2.25, 1.75}), between = interval(-1, 1), unit = interval(.05, .95);

/// A loss of each element.
LossCase elements(std::string label, Loss f, Element element, Domain prediction, Domain target) {
  return {std::move(label), std::move(f), each(element), pairs, {std::move(prediction), std::move(target)}};
}
/// The same with the weights 1, 2, 3, ...
LossCase weighted(Loss f, Element element, Domain prediction, Domain target) {
  LossCase c = elements("weight", std::move(f), element, std::move(prediction), std::move(target));
  c.reference = [losses = each(element)](const std::vector<Values>& x) {
    Values y = losses(x);
    for (std::size_t i = 0; i < y.v.size(); ++i) y.v[i] *= static_cast<Real>(i + 1);
    return y;
  };
  return c;
}
Tensor weights_for(const Tensor& t) {
  return reshape(arange(1, static_cast<double>(t.size()) + 1, 1, {.dtype = t.dtype()}), t.shape());
}

Real bce(Real p, Real t) { return -t * std::log(p) - (1 - t) * std::log1p(-p); }
Real bce_of_logits(Real z, Real t) { return std::log1p(std::exp(z)) - t * z; }

std::string broadcasts(const char* loss) {
  return text(loss,
              ": the prediction is (3, 1), the target is (3,), and a loss never broadcasts; bring one to the other's "
              "shape, as by reshape(target, {3, 1})");
}
const Tensor column = zeros({3, 1}), row = zeros({3}), half = full({2}, .5);

LossRow bce_row() {
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

LossRow bce_with_logits_row() {
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
           interval(-2, 2), unit)},
      {BAD(ShapeError, binary_cross_entropy_with_logits(column, row), broadcasts("binary_cross_entropy_with_logits")),
       BAD(ValueError, binary_cross_entropy_with_logits(half, tensor({0., -1.})),
           "binary_cross_entropy_with_logits: the target holds -1 at position 1 of shape (2,); all must be between "
           "0 and 1"),
       BAD(ValueError, binary_cross_entropy_with_logits(half, half, {.pos_weight = op_table::nan}),
           "binary_cross_entropy_with_logits: pos_weight is nan; it must be finite and at least 0")}};
}

std::vector<LossRow> regression_rows() {
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
            [](Real y, Real t) { return (y - t) * (y - t); }, interval(-2, 2), between)},
       {BAD(ShapeError, mse_loss(column, row), broadcasts("mse_loss")),
        BAD(ShapeError, mse_loss(column, zeros({2, 1})),
            "mse_loss: the prediction is (3, 1), the target is (2, 1), and a loss never broadcasts; both must have one "
            "shape"),
        BAD(ShapeError, mse_loss(column, column, {.weight = row}),
            "mse_loss: the weight is (3,), the loss is (3, 1); they must be equal"),
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
           [](Real log_p, Real t) { return t * (std::log(t) - log_p); }, interval(-3, -.1), interval(.1, 1))},
       {BAD(ShapeError, nn::kl_div(column, row), broadcasts("kl_div")),
        BAD(ValueError, nn::kl_div(half, tensor({.5, -.5})),
            "kl_div: the target holds -0.5 at position 1; probabilities must be at least 0")}}};
}

const Domain classes = integers(0, 2);
const Shapes with_classes{{{4, 3}, {4}}, {{1, 3}, {1}}, {{0, 3}, {0}}, {{3}, {}}};
const Shapes with_distributions{{{4, 3}, {4, 3}}, {{1, 3}, {1, 3}}, {{0, 3}, {0, 3}}, {{3}, {3}}};
const std::vector<Real> class_weights{.5, 2, 1};
Tensor weights_of_classes(const Tensor& z) { return tensor({.5, 2, 1}, {.dtype = z.dtype()}); }

/// log softmax(z)_c of one row, or log_p itself.
Real log_p(const Values& z, const Index& at, std::int64_t c, bool normalise) {
  Index index = at;
  index.push_back(c);
  if (!normalise) return z[index];
  const Real own = z[index];
  Real total = 0;
  for (index.back() = 0; index.back() < z.shape[-1]; ++index.back()) total += std::exp(z[index] - own);
  return -std::log(total);
}

Shape rows_of(const Values& z) { return {z.shape.begin(), z.shape.end() - 1}; }

/// For classes, with the options' weights and smoothing.
Reference of_classes(bool normalise, bool weights, Real smoothing, std::int64_t ignored = -100) {
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

LossRow cross_entropy_row() {
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
       BAD(ShapeError, cross_entropy(zeros({2, 3}), tensor({0, 1}, {.dtype = i64}), {.weight = ones({2})}),
           "cross_entropy: the weight is (2,), and there are 3 classes; it must hold one number for each"),
       BAD(ShapeError, cross_entropy(zeros({2, 3, 4}), tensor({0, 1}, {.dtype = i64})),
           "cross_entropy: the prediction is (2, 3, 4); (n, classes) or (classes) is needed, bring it there with "
           "reshape"),
       BAD(ValueError, cross_entropy(zeros({2, 3}), zeros({2, 3}), {.ignore_index = 0}),
           "cross_entropy: ignore_index is 0, and a target that is a distribution has no class to compare with it; "
           "leave it out, as a row of zeros adds nothing"),
       BAD(ValueError, cross_entropy(zeros({2, 3}), tensor({0, 1}, {.dtype = i64}), {.label_smoothing = 2}),
           "cross_entropy: label_smoothing is 2; it must be between 0 and 1")}};
}

LossRow nll_row() {
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

std::vector<LossRow> all_rows() {
  std::vector<LossRow> rows{bce_row(), bce_with_logits_row(), cross_entropy_row(), nll_row()};
  for (LossRow& r : regression_rows()) rows.push_back(std::move(r));
  return rows;
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const LossRow& r : all_rows()) result.push_back(r.name);
  return result;
}

}  // namespace

TEST_CASE("every loss that nn/losses.hpp declares has one row, and deleting any row is noticed, by name") {
  check_complete(op_table::declared_ops(text_of(XGRAD_SOURCE_FOLDER "/nn/losses.hpp")), names());
}

TEST_CASE("every loss does what holds for all losses") {
  std::int64_t checks = 0;
  for (const LossRow& r : all_rows()) {
    const Findings findings = check(r);
    CHECK_MESSAGE(findings.failures.empty(), joined(findings.failures));
    checks += findings.checks;
  }
  MESSAGE(names().size(), " losses, ", checks, " checks");
}

TEST_CASE("the table catches a loss whose value, gradient or mean is wrong") {
  const auto failures = [](Loss f) {
    return check({"faulty",
                  {elements(
                      "", std::move(f), [](Real y, Real t) { return (y - t) * (y - t); }, between, between)},
                  {BAD(ShapeError, nn::mse_loss(column, row), broadcasts("mse_loss"))}})
        .failures;
  };
  CHECK(failures([](const Tensors& x, Reduction r) { return nn::mse_loss(x[0], x[1], r); }).empty());
  CHECK_FALSE(failures([](const Tensors& x, Reduction r) { return 1.001 * nn::mse_loss(x[0], x[1], r); }).empty());
  CHECK_FALSE(failures([](const Tensors& x, Reduction r) {
                const Tensor d = x[0] - x[1];
                return nn::mse_loss(d * d.detach(), 0 * d, r);
              }).empty());
  CHECK_FALSE(failures([](const Tensors& x, Reduction r) {
                const Tensor loss = nn::mse_loss(x[0], x[1], r == Reduction::mean ? Reduction::sum : r);
                return r == Reduction::mean ? loss / static_cast<double>(x[0].shape()[0]) : loss;
              }).empty());
}
