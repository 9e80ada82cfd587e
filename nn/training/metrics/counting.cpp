// Metrics of a confusion table: accuracies, precision, recall, F1, Matthews.
#include <algorithm>
#include <cmath>
#include <nn/training/metrics/common.hpp>

namespace xgrad::nn::detail {
namespace {

/// How many samples of each class were taken for which.
class Table {
 public:
  explicit Table(std::span<const double> counts)
      : counts_(counts), classes_(static_cast<std::size_t>(std::sqrt(static_cast<double>(counts.size())) + 0.5)) {}

  std::size_t classes() const { return classes_; }
  double right(std::size_t c) const { return counts_[c * classes_ + c]; }
  /// How many samples are of class c, and are taken for it.
  double truths(std::size_t c) const {
    double sum = 0;
    for (std::size_t k = 0; k < classes_; ++k) sum += counts_[c * classes_ + k];
    return sum;
  }
  double guesses(std::size_t c) const {
    double sum = 0;
    for (std::size_t k = 0; k < classes_; ++k) sum += counts_[k * classes_ + c];
    return sum;
  }

 private:
  std::span<const double> counts_;
  std::size_t classes_;
};

enum class Takes { binary, classes, both };

/// State: whether a prediction held NaN, then the table row by row.
class Counting final : public MetricRule {
 public:
  Counting(Takes takes, double threshold, std::function<double(const Table&)> value)
      : takes_(takes), threshold_(threshold), value_(std::move(value)) {}

  void update(std::vector<double>& state, const Tensor& prediction, const Tensor& target) const override {
    const std::vector<double> p = numbers_of(prediction);
    if (takes_ == Takes::binary || (takes_ == Takes::both && !is_of_classes(prediction))) {
      const std::vector<double> t = binary_targets(prediction, target);
      start(state, 2);
      for (std::size_t i = 0; i < p.size(); ++i) {
        if (std::isnan(p[i])) {
          state[0] = 1;
          continue;
        }
        ++state[1 + (t[i] == 1 ? 2 : 0) + (p[i] > threshold_ ? 1 : 0)];
      }
    } else {
      const std::vector<std::int64_t> t = class_targets(prediction, target);
      const auto classes = static_cast<std::size_t>(prediction.shape()[-1]);
      start(state, classes);
      for (std::size_t i = 0; i < t.size(); ++i) {
        const auto row = p.begin() + static_cast<std::ptrdiff_t>(i * classes);
        const auto end = row + static_cast<std::ptrdiff_t>(classes);
        if (std::any_of(row, end, [](double score) { return std::isnan(score); })) {
          state[0] = 1;
          continue;
        }
        const auto guess = static_cast<std::size_t>(std::max_element(row, end) - row);
        ++state[1 + static_cast<std::size_t>(t[i]) * classes + guess];
      }
    }
  }
  double value(const std::vector<double>& state) const override {
    return state[0] != 0 ? std::numeric_limits<double>::quiet_NaN() : value_(Table(std::span(state).subspan(1)));
  }
  bool fits(std::size_t numbers) const override {
    const std::size_t classes = Table(std::vector<double>(numbers - 1)).classes();
    return classes >= 2 && classes * classes == numbers - 1;
  }
  Tensor counts(const std::vector<double>& state) const override {
    const auto classes = static_cast<std::int64_t>(Table(std::span(state).subspan(1)).classes());
    return from_values(std::vector<double>(state.begin() + 1, state.end()), {classes, classes}).to(i64);
  }

 private:
  static void start(std::vector<double>& state, std::size_t classes) {
    if (state.empty()) state.resize(1 + classes * classes);
    if (state.size() != 1 + classes * classes)
      xgrad::detail::fail<ShapeError>("the prediction has ", classes, " classes, those before had ",
                                      Table(std::span(state).subspan(1)).classes());
  }

  Takes takes_;
  double threshold_;
  std::function<double(const Table&)> value_;
};

Metric counting(const char* name, Takes takes, double threshold, std::function<double(const Table&)> value,
                Place place) {
  const OpScope scope(name, place);
  if (!std::isfinite(threshold)) scope.fail<ValueError>("threshold is ", threshold, "; expected a finite number");
  return metric_of<Counting>(name, takes, threshold, std::move(value));
}

double accuracy(const Table& table) {
  double right = 0, all = 0;
  for (std::size_t c = 0; c < table.classes(); ++c) right += table.right(c), all += table.truths(c);
  return right / all;
}

double matthews_of(const Table& table) {
  double right = 0, all = 0, both = 0, truths = 0, guesses = 0;
  for (std::size_t c = 0; c < table.classes(); ++c) {
    const double t = table.truths(c), g = table.guesses(c);
    right += table.right(c), all += t;
    both += t * g, truths += t * t, guesses += g * g;
  }
  const double spread = (all * all - truths) * (all * all - guesses);
  return spread == 0 ? 0 : (right * all - both) / std::sqrt(spread);
}

/// F measure of a class as a ratio: precision divides by the guesses, recall by the truths, F1 by the mean of both.
Metric ratio(const char* name, double truth_share, const ClassAverageOptions& options, Place place) {
  const auto value = [truth_share, average = options.average](const Table& table) {
    const auto ratio = [](double right, double of) { return of == 0 ? 0 : right / of; };
    double right = 0, of = 0, sum = 0, occurring = 0;
    for (std::size_t c = 0; c < table.classes(); ++c) {
      const double truths = table.truths(c), guesses = table.guesses(c);
      const double divisor = truth_share * truths + (1 - truth_share) * guesses;
      if (average == ClassAverage::binary && c == 1) return ratio(table.right(c), divisor);
      right += table.right(c), of += divisor;
      sum += ratio(table.right(c), divisor), occurring += truths + guesses > 0;
    }
    return average == ClassAverage::micro ? ratio(right, of) : ratio(sum, occurring);
  };
  return counting(name, options.average == ClassAverage::binary ? Takes::binary : Takes::both, options.threshold, value,
                  place);
}

/// State: how many were right, how many there are, and whether a prediction held NaN.
class TopK final : public MetricRule {
 public:
  explicit TopK(std::int64_t k) : k_(k) {}

  void update(std::vector<double>& state, const Tensor& prediction, const Tensor& target) const override {
    const std::vector<std::int64_t> t = class_targets(prediction, target);
    const std::int64_t classes = prediction.shape()[-1];
    if (k_ > classes) xgrad::detail::fail<ValueError>("k is ", k_, ", but there are ", classes, " classes");
    state.resize(3);
    const std::vector<double> p = numbers_of(prediction);
    auto row = p.begin();
    for (const std::int64_t c : t) {
      const auto right = row + c, end = row + classes;
      const auto before = std::count_if(row, right, [&](double score) { return score > *right; });
      const auto behind = std::count_if(right + 1, end, [&](double score) { return score >= *right; });
      if (std::any_of(row, end, [](double score) { return std::isnan(score); })) state[2] = 1;
      state[0] += before + behind < k_;
      ++state[1];
      row = end;
    }
  }
  double value(const std::vector<double>& state) const override {
    return state[2] != 0 ? std::numeric_limits<double>::quiet_NaN() : state[0] / state[1];
  }
  bool fits(std::size_t numbers) const override { return numbers == 3; }

 private:
  std::int64_t k_;
};

}  // namespace

Metric make_binary_accuracy(const ThresholdOptions& options, Place place) {
  return counting("binary_accuracy", Takes::binary, options.threshold, accuracy, place);
}
Metric make_categorical_accuracy(const NoOptions&, Place place) {
  return counting("categorical_accuracy", Takes::classes, 0, accuracy, place);
}
Metric make_precision(const ClassAverageOptions& options, Place place) { return ratio("precision", 0, options, place); }
Metric make_recall(const ClassAverageOptions& options, Place place) { return ratio("recall", 1, options, place); }
Metric make_f1(const ClassAverageOptions& options, Place place) { return ratio("f1", 0.5, options, place); }
Metric make_matthews(const ThresholdOptions& options, Place place) {
  return counting("matthews", Takes::both, options.threshold, matthews_of, place);
}
Metric make_confusion_table(const ThresholdOptions& options, Place place) {
  return counting("confusion_table", Takes::both, options.threshold, accuracy, place);
}

Metric TopKMaker::operator()(std::int64_t k, Place place) const {
  const OpScope scope("top_k_accuracy", place);
  if (k < 1) scope.fail<ValueError>("k is ", k, "; expected at least 1");
  return metric_of<TopK>("top_k_accuracy", k);
}

}  // namespace xgrad::nn::detail
