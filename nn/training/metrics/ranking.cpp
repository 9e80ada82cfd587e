// Metrics of the order in which scores put the samples: ROC-AUC and average precision.
#include <algorithm>
#include <cmath>
#include <nn/training/metrics/common.hpp>

namespace xgrad::nn::detail {
namespace {

/// State: score and target of each sample.
class Ranking final : public MetricRule {
 public:
  /// `measure` is given the samples from the largest score down.
  explicit Ranking(double (*measure)(const std::vector<Tied>&)) : measure_(measure) {}

  void update(std::vector<double>& state, const Tensor& prediction, const Tensor& target) const override {
    const std::vector<double> t = binary_targets(prediction, target), p = numbers_of(prediction);
    for (std::size_t i = 0; i < p.size(); ++i) state.insert(state.end(), {p[i], t[i]});
  }
  double value(const std::vector<double>& state) const override {
    std::vector<std::pair<double, bool>> samples;
    for (std::size_t i = 0; i < state.size(); i += 2) {
      if (std::isnan(state[i])) return state[i];
      samples.emplace_back(state[i], state[i + 1] == 1);
    }
    return measure_(ranked(std::move(samples)));
  }
  bool fits(std::size_t numbers) const override { return numbers % 2 == 0; }

 private:
  double (*measure_)(const std::vector<Tied>&);
};

double area_under_roc(const std::vector<Tied>& ranks) {
  std::int64_t positive = 0, negative = 0, halves = 0;  // of pairs in the right order
  for (const Tied& tied : ranks) {
    halves += tied.negative * (2 * positive + tied.positive);
    positive += tied.positive, negative += tied.negative;
  }
  return static_cast<double>(halves) / 2 / static_cast<double>(positive) / static_cast<double>(negative);
}

double mean_precision(const std::vector<Tied>& ranks) {
  double positive = 0, all = 0, sum = 0;
  for (const Tied& tied : ranks) {
    positive += static_cast<double>(tied.positive), all += static_cast<double>(tied.positive + tied.negative);
    sum += static_cast<double>(tied.positive) * positive / all;
  }
  return positive == 0 ? 0 : sum / positive;
}

}  // namespace

std::vector<Tied> ranked(std::vector<std::pair<double, bool>> samples) {
  std::sort(samples.begin(), samples.end(), std::greater<>());
  std::vector<Tied> ranks;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (i == 0 || samples[i].first != samples[i - 1].first) ranks.emplace_back();
    ++(samples[i].second ? ranks.back().positive : ranks.back().negative);
  }
  return ranks;
}

Metric make_roc_auc(const NoOptions&, Place) { return metric_of<Ranking>("roc_auc", area_under_roc); }
Metric make_average_precision(const NoOptions&, Place) {
  return metric_of<Ranking>("average_precision", mean_precision);
}

}  // namespace xgrad::nn::detail
