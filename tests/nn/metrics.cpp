#include <algorithm>
#include <fstream>
#include <limits>
#include <regex>

#include <nn/nn.hpp>

#include "support.hpp"

using namespace xgrad;

namespace {

const double inf = std::numeric_limits<double>::infinity();

/// A metric, samples, and the value of all of them.
struct Row {
  nn::Metric metric;
  Tensor prediction, target;
  double value;
};

/// Ten binary samples with ties, of which those above 0.5 make the table {{4, 1}, {3, 2}}.
Tensor scores() { return tensor({.1, .4, .35, .8, .5, .4, .9, .2, .6, .5}, {.dtype = f64}); }
Tensor truths() { return tensor({0, 0, 1, 1, 1, 0, 1, 0, 0, 1}, {.dtype = f64}); }
/// Eight samples of three classes with the table {{2, 1, 1}, {0, 1, 1}, {0, 0, 2}}.
Tensor logits() {
  return tensor({{2., 1., 0.},
                 {.5, .5, 1.},
                 {0., 3., 1.},
                 {1., 2., 2.5},
                 {.25, 0., .5},
                 {3., 1., 1.},
                 {1., 2., 4.},
                 {0., 1., .5}},
                {.dtype = f64});
}
Tensor classes() { return tensor({0, 2, 1, 1, 0, 0, 2, 0}, {.dtype = i64}); }
/// Six numbers that are guessed.
Tensor guesses() { return tensor({1.5, 2., -1., 0., 4., 2.5}, {.dtype = f64}); }
Tensor measured() { return tensor({1., 2.5, -1., .5, 3., 2.}, {.dtype = f64}); }

/// The perplexity and Brier's score of the logits() by their formulas.
double perplexity_by_hand() { return std::exp(nn::cross_entropy(logits(), classes()).item<double>()); }
double brier_by_hand() { return (sum(square(softmax(logits()) - one_hot(classes(), 3).to(f64))) / 8).item<double>(); }

/// One row for each metric that nn/training/metrics.hpp declares.
std::vector<Row> rows() {
  return {{nn::binary_accuracy, scores(), truths(), 6. / 10},
          {nn::categorical_accuracy, logits(), classes(), 5. / 8},
          {nn::top_k_accuracy(2), logits(), classes(), 7. / 8},
          {nn::precision, scores(), truths(), 2. / 3},
          {nn::recall, scores(), truths(), 2. / 5},
          {nn::f1({.average = nn::macro}), logits(), classes(), 11. / 18},
          {nn::matthews, logits(), classes(), .5},
          {nn::confusion_table, logits(), classes(), 5. / 8},
          {nn::roc_auc, scores(), truths(), 20. / 25},
          {nn::average_precision, scores(), truths(), (1 + 1 + .8 + .8 + 5. / 8) / 5},
          {nn::mae, guesses(), measured(), 3. / 6},
          {nn::mse, guesses(), measured(), 2. / 6},
          {nn::rmse, guesses(), measured(), std::sqrt(2. / 6)},
          {nn::r2, guesses(), measured(), 1 - 2 / (65. / 6)},
          {nn::perplexity, logits(), classes(), perplexity_by_hand()},
          {nn::brier({.from_logits = true}), logits(), classes(), brier_by_hand()}};
}

std::vector<std::string> declared_metrics() {
  std::ifstream file(XGRAD_METRICS_HEADER);
  const std::string header{std::istreambuf_iterator<char>(file), {}};
  const std::regex declaration(R"(inline constexpr detail::\w+Maker(<[\w:]+>)? (\w+)\{)");
  std::vector<std::string> names;
  for (std::sregex_iterator it(header.begin(), header.end(), declaration); it != std::sregex_iterator(); ++it)
    names.push_back((*it)[2]);
  return names;
}

Tensor rows_of(const Tensor& t, std::int64_t start, std::int64_t stop) { return slice(t, 0, start, stop); }

bool close(double a, double b) { return std::abs(a - b) <= 1e-14 * std::max(1., std::abs(b)); }

}  // namespace

TEST_CASE("each metric that metrics.hpp declares has its row, and each row a metric") {
  std::vector<std::string> names;
  for (const Row& row : rows()) names.push_back(row.metric.name());
  const std::vector<std::string> declared = declared_metrics();
  for (const std::string& name : declared)
    CHECK_MESSAGE(std::count(names.begin(), names.end(), name) == 1, name, " needs one row");
  CHECK(names.size() == declared.size());
}

TEST_CASE("each metric has the value that its formula gives, in f32 and f64") {
  for (Row& row : rows()) {
    CAPTURE(row.metric.name());
    CHECK(close(row.metric(row.prediction, row.target), row.value));
    CHECK(std::abs(row.metric(row.prediction.to(f32), row.target) - row.value) < 1e-6);
  }
}

TEST_CASE("the bits of a metric do not depend on how the samples are cut into batches") {
  for (Row& row : rows()) {
    CAPTURE(row.metric.name());
    const std::int64_t n = row.prediction.shape()[0];
    const double whole = row.metric(row.prediction, row.target);
    for (const std::int64_t size : {1, 2, 3, 5}) {
      nn::Metric streamed = row.metric;
      for (std::int64_t at = 0; at < n; at += size) {
        const std::int64_t stop = std::min(n, at + size);
        streamed.update(rows_of(row.prediction, at, stop), rows_of(row.target, at, stop));
      }
      CHECK(streamed.value() == whole);
    }
  }
}

TEST_CASE("a metric has no value before the first sample, after a reset, and of empty batches") {
  for (Row& row : rows()) {
    CAPTURE(row.metric.name());
    CHECK(std::isnan(row.metric.value()));
    row.metric.update(rows_of(row.prediction, 0, 0), rows_of(row.target, 0, 0));
    CHECK(std::isnan(row.metric.value()));
    row.metric.update(row.prediction, row.target);
    row.metric.update(rows_of(row.prediction, 0, 0), rows_of(row.target, 0, 0));
    CHECK(close(row.metric.value(), row.value));
    row.metric.reset();
    CHECK(std::isnan(row.metric.value()));
  }
}

TEST_CASE("a prediction that holds NaN makes a metric NaN until it is reset") {
  for (Row& row : rows()) {
    CAPTURE(row.metric.name());
    Tensor broken = row.prediction.clone();
    broken.data<double>()[1] = NAN;
    row.metric.update(broken, row.target);
    row.metric.update(row.prediction, row.target);
    CHECK(std::isnan(row.metric.value()));
    row.metric.reset();
    row.metric.update(row.prediction, row.target);
    CHECK(close(row.metric.value(), row.value));
  }
}

TEST_CASE("copies of a metric count for themselves, and continue from a saved state to the same bits") {
  for (const Row& row : rows()) {
    CAPTURE(row.metric.name());
    nn::Metric first = row.metric;
    first.update(rows_of(row.prediction, 0, 3), rows_of(row.target, 0, 3));
    nn::Metric copy = first, loaded = row.metric;
    const double before = first.value();
    loaded.load_state_dict(first.state_dict());
    for (nn::Metric* metric : {&copy, &loaded}) {
      metric->update(rows_of(row.prediction, 3, row.prediction.shape()[0]),
                     rows_of(row.target, 3, row.target.shape()[0]));
      CHECK(metric->value() == row.metric(row.prediction, row.target));
    }
    CHECK(same_bits(copy.state_dict(), loaded.state_dict()));
    CHECK((first.value() == before || std::isnan(before)));
    loaded.load_state_dict(row.metric.state_dict());
    CHECK(std::isnan(loaded.value()));
  }
}

TEST_CASE("what a metric throws leaves it as it was") {
  for (Row& row : rows()) {
    CAPTURE(row.metric.name());
    row.metric.update(row.prediction, row.target);
    const StateDict before = row.metric.state_dict();
    CHECK_THROWS_AS(row.metric.update(zeros({3, 4}), zeros({2})), ShapeError);
    CHECK_THROWS_AS(row.metric.update(zeros({4, 1}), zeros({4})), ShapeError);
    CHECK_THROWS_AS(row.metric.load_state_dict({{"another", zeros({3}, {.dtype = f64})}}), ValueError);
    CHECK_THROWS_AS(row.metric.load_state_dict({{row.metric.name(), zeros({12}, {.dtype = f32})}}), ValueError);
    CHECK(same_bits(row.metric.state_dict(), before));
  }
}

TEST_CASE("a threshold and an average are options") {
  CHECK(close(nn::binary_accuracy({.threshold = .45})(scores(), truths()), .8));
  CHECK(close(nn::precision({.threshold = 0})(scores() - .5, truths()), 2. / 3));
  for (const Dtype dtype : {f32, i64, boolean}) CHECK(close(nn::binary_accuracy()(scores(), truths().to(dtype)), .6));
}

TEST_CASE("micro averages are the accuracy, macro averages those over the classes that occur") {
  for (const auto& maker : {nn::precision, nn::recall, nn::f1}) {
    CHECK(close(maker({.average = nn::micro})(logits(), classes()), 5. / 8));
    CHECK(close(maker({.average = nn::micro})(scores(), truths()), 6. / 10));
  }
  CHECK(close(nn::precision({.average = nn::macro})(logits(), classes()), 2. / 3));
  CHECK(close(nn::recall({.average = nn::macro})(logits(), classes()), 2. / 3));
  CHECK(close(nn::f1({.average = nn::macro})(scores(), truths()), (8. / 12 + 4. / 8) / 2));
  const Tensor wide = concatenate({logits(), full({8, 1}, -1, {.dtype = f64})}, 1);  // a class that does not occur
  CHECK(close(nn::f1({.average = nn::macro})(wide, classes()), 11. / 18));
}

TEST_CASE("targets of classes may be rows of which the largest counts, and predictions sequences") {
  const Tensor rows = one_hot(classes(), 3).to(f64) * .9 + .05;
  CHECK(close(nn::categorical_accuracy()(logits(), rows), 5. / 8));
  CHECK(close(nn::categorical_accuracy()(reshape(logits(), {2, 4, 3}), reshape(classes(), {2, 4})), 5. / 8));
  CHECK(close(nn::perplexity()(reshape(logits(), {2, 4, 3}), reshape(classes(), {2, 4})), perplexity_by_hand()));
}

TEST_CASE("the confusion table counts truths by row and guesses by column") {
  nn::Metric table = nn::confusion_table;
  table.update(logits(), classes());
  CHECK(table.counts().dtype() == i64);
  CHECK(equal(table.counts(), tensor({{2, 1, 1}, {0, 1, 1}, {0, 0, 2}})));
  table.update(logits(), classes());
  CHECK(equal(table.counts(), tensor({{4, 2, 2}, {0, 2, 2}, {0, 0, 4}})));
  nn::Metric binary = nn::f1;
  binary.update(unsqueeze(scores(), 1), unsqueeze(truths(), 1));
  CHECK(equal(binary.counts(), tensor({{4, 1}, {3, 2}})));
  binary.update(tensor({NAN, 1.}), tensor({1., 1.}));
  CHECK(equal(binary.counts(), tensor({{4, 1}, {3, 3}})));
}

TEST_CASE("where only one class occurs, ratios of nothing are 0 and the ROC curve has no area") {
  const Tensor none = zeros({10}), all = ones({10});
  CHECK(nn::precision()(none, truths()) == 0);
  CHECK(nn::recall()(scores(), none) == 0);
  CHECK(nn::f1()(none, none) == 0);
  CHECK(nn::f1({.average = nn::macro})(none, none) == 1);
  CHECK(nn::matthews()(scores(), all) == 0);
  CHECK(nn::matthews()(all, truths()) == 0);
  CHECK(std::isnan(nn::roc_auc()(scores(), all)));
  CHECK(std::isnan(nn::roc_auc()(scores(), none)));
  CHECK(nn::average_precision()(scores(), all) == 1);
  CHECK(nn::average_precision()(scores(), none) == 0);
}

TEST_CASE("equal scores count half in the ROC curve, are one threshold, and put the last class first among k") {
  const Tensor equal_scores = full({4}, .5), half = tensor({1., 0., 1., 0.});
  CHECK(nn::roc_auc()(equal_scores, half) == .5);
  CHECK(nn::average_precision()(equal_scores, half) == .5);
  CHECK(nn::roc_auc()(tensor({-inf, inf, 3., 3.}), tensor({0., 1., 1., 0.})) == .875);
  const Tensor tied = ones({1, 3});
  for (const std::int64_t c : {0, 1, 2}) {
    const Tensor target = full({1}, c, {.dtype = i64});
    CHECK(nn::top_k_accuracy(1)(tied, target) == (c == 2));
    CHECK(nn::top_k_accuracy(3)(tied, target) == 1);
    CHECK(nn::categorical_accuracy()(tied, target) == (c == 0));
  }
}

TEST_CASE("R2 is taken for each element of a sample, and a constant target is met or not") {
  const Tensor two = stack({guesses(), measured()}, 1), truth = stack({measured(), measured()}, 1);
  CHECK(close(nn::r2()(two, truth), (1 - 2 / (65. / 6) + 1) / 2));
  CHECK(nn::r2()(ones({3}), ones({3})) == 1);
  CHECK(nn::r2()(zeros({3}), ones({3})) == 0);
  CHECK(std::isnan(nn::r2()(zeros({1}), zeros({1}))));
  const Tensor far = measured() + 1e8;  // where the sum of squares would lose the spread
  CHECK(std::abs(nn::r2()(guesses() + 1e8, far) - (1 - 2 / (65. / 6))) < 1e-7);
}

TEST_CASE("perplexity and Brier's score take probabilities and logits, and perplexity leaves out a class") {
  CHECK(close(nn::perplexity({.from_logits = false})(softmax(logits()), classes()), perplexity_by_hand()));
  CHECK(close(nn::brier()(softmax(logits()), classes()), brier_by_hand()));
  CHECK(close(nn::brier()(scores(), truths()), .17025));
  CHECK(close(nn::brier({.from_logits = true})(log(scores() / (1 - scores())), truths()), .17025));
  CHECK(close(nn::perplexity()(zeros({3, 4}), tensor({-100, 1, -100}, {.dtype = i64})), 4));
  CHECK(std::isnan(nn::perplexity()(zeros({1, 4}), full({1}, -100, {.dtype = i64}))));
  CHECK(close(nn::perplexity({.ignore_index = 0})(zeros({3, 4}), tensor({0, 1, 2}, {.dtype = i64})), 4));
}

TEST_CASE("a function is a metric: its values are averaged by samples, and record nothing") {
  bool recorded = true;
  nn::Metric metric{"closeness", [&](const Tensor& p, const Tensor& t) {
                      const Tensor far = mean(abs(p - t));
                      recorded = far.requires_grad();
                      return far;
                    }};
  Tensor p = ones({3, 2}).set_requires_grad(true);
  metric.update(p, zeros({3, 2}));
  metric.update(full({1, 2}, 5.), zeros({1, 2}));
  CHECK(metric.name() == "closeness");
  CHECK(metric.value() == (3 * 1 + 5) / 4.);
  CHECK_FALSE(recorded);
  CHECK(metric.named("distance").name() == "distance");
  const nn::Metric rows{"rows", [](const Tensor& x, const Tensor&) { return x.shape()[0]; }};
  CHECK(rows(zeros({7}), zeros({7})) == 7);
}

namespace {

/// A metric of one's own: the largest error.
struct Largest : nn::MetricRule {
  void update(std::vector<double>& state, const Tensor& prediction, const Tensor& target) const override {
    const double error = max(abs(prediction - target)).item<double>();
    state.resize(1);
    state[0] = std::max(state[0], error);
  }
  double value(const std::vector<double>& state) const override { return state[0]; }
  bool fits(std::size_t numbers) const override { return numbers == 1; }
};

}  // namespace

TEST_CASE("a rule of one's own is a metric that is no average") {
  nn::Metric largest{"largest", std::make_shared<Largest>()};
  largest.update(tensor({1., -3.}), zeros({2}));
  largest.update(tensor({2., 0.}), zeros({2}));
  CHECK(largest.value() == 3);
}

TEST_CASE("metrics of what they cannot compare") {
  const Tensor p = full({4, 1}, 0.5), t = ones({4, 1}), z = zeros({2, 3}), c = zeros({2}, {.dtype = i64});
  nn::Metric binary = nn::binary_accuracy, categorical = nn::categorical_accuracy, f1 = nn::f1;
  nn::Metric macro = nn::f1({.average = nn::macro}), perplexity = nn::perplexity, brier = nn::brier, mae = nn::mae;
  SAYS("a column against a row", ShapeError, binary.update(p, ones({4})),
       "binary_accuracy: the prediction is (4, 1), the target is (4,), and a metric never broadcasts; bring one to the "
       "other's shape, as by reshape");
  SAYS("classes for a binary metric", ShapeError, f1.update(z, c),
       "f1: the prediction is (2, 3), the target is (2,), and a metric never broadcasts; bring one to the other's "
       "shape, as by reshape, or for classes take a metric of classes");
  SAYS("targets that are neither 0 nor 1", ValueError, binary.update(p, t * 2),
       "binary_accuracy: the target holds 2 at position 0; it must be 0 or 1, and the prediction of several classes "
       "(n, classes)");
  SAYS("targets that are no numbers", ValueError, nn::roc_auc()(p, t * NAN),
       "roc_auc: the target holds nan at position 0; it must be 0 or 1, and the prediction of several classes (n, "
       "classes)");
  SAYS("one class only", ShapeError, categorical.update(p, c),
       "categorical_accuracy: the prediction is (4, 1); expected (..., classes), with at least two classes");
  SAYS("three targets for two rows", ShapeError, categorical.update(z, zeros({3}, {.dtype = i64})),
       "categorical_accuracy: the prediction is (2, 3), the target is (3,); expected (2,) classes or (2, 3)");
  SAYS("classes as floating numbers", DtypeError, categorical.update(z, zeros({2})),
       "categorical_accuracy: the classes are f32; convert them with .to(i64)");
  SAYS("a fourth class of three", ValueError, macro.update(z, c + 3),
       "f1: target 3 at position 0 is out of bounds for 3 classes");
  SAYS("rows that are no numbers", ValueError, categorical.update(z, z * NAN),
       "categorical_accuracy: the target holds nan at position 0");
  macro.update(z, c);
  SAYS("other classes than before", ShapeError, macro.update(zeros({2, 4}), c),
       "f1: the prediction has 4 classes, those before had 3");
  SAYS("more of the best than there are", ValueError, nn::top_k_accuracy()(z, c),
       "top_k_accuracy: k is 5, but there are 3 classes");
  SAYS("none of the best", ValueError, nn::top_k_accuracy(0), "top_k_accuracy: k is 0; expected at least 1");
  SAYS("a threshold that is no number", ValueError, nn::f1({.threshold = NAN}),
       "f1: threshold is nan; expected a finite number");
  SAYS("logits for probabilities", ValueError, brier.update(p * 3, t),
       "brier: the prediction holds 1.5 at position 0; probabilities are between 0 and 1: for logits say {.from_logits "
       "= true}");
  SAYS("logits for probabilities of classes", ValueError, nn::perplexity({.from_logits = false})(z - 1, c),
       "perplexity: the prediction holds -1 at position 0; probabilities are between 0 and 1: for logits say "
       "{.from_logits = true}");
  SAYS("a table before the first sample", ValueError, nn::confusion_table().counts(),
       "confusion_table: there are no samples to count; call update first");
  mae.update(p, t);
  SAYS("a table of numbers", ValueError, mae.counts(), "mae: it counts no classes; take nn::confusion_table");
  SAYS("a state of another metric", ValueError, mae.load_state_dict(f1.state_dict()),
       "mae: the state is not that of a metric mae, which stays as it was");
  nn::Metric function{"gap", [](const Tensor& x, const Tensor& y) { return x - y; }};
  SAYS("a function of many numbers", ShapeError, function.update(p, t),
       "gap: its function returned (4, 1); expected one number, such as the mean");
  nn::Metric nothing{"nothing", [](const Tensor&, const Tensor&) { return Tensor(); }};
  SAYS("a function of nothing", ValueError, nothing.update(p, t), "nothing: its function returned an undefined tensor");
  SAYS("nothing to compare", ValueError, mae.update(Tensor(), t),
       "mae: the tensor is undefined (default-built); give it a value first");
}
