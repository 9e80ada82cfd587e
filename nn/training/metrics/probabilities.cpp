// Metrics of probabilities: perplexity and Brier's score.
#include <algorithm>
#include <cmath>
#include <nn/training/metrics/common.hpp>

namespace xgrad::nn::detail {
namespace {

/// Makes log-probabilities of a row of logits.
void log_softmax(std::span<double> row) {
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const double z : row) sum += std::exp(z - largest);
  for (double& z : row) z -= largest + std::log(sum);
}

/// State: the sum over the samples and their number.
class Mean : public MetricRule {
 public:
  double value(const std::vector<double>& state) const override {
    return total(std::span(state).first<2>()) / state[2];
  }
  bool fits(std::size_t numbers) const override { return numbers == 3; }

 protected:
  static void count(std::vector<double>& state, double x) {
    state.resize(3);
    add(std::span(state).first<2>(), x);
    ++state[2];
  }
};

class Perplexity final : public Mean {
 public:
  explicit Perplexity(const PerplexityOptions& options) : options_(options) {}

  void update(std::vector<double>& state, const Tensor& prediction, const Tensor& target) const override {
    const std::vector<std::int64_t> t = class_targets(prediction, target, options_.ignore_index);
    std::vector<double> p = numbers_of(prediction);
    check_probabilities(p, options_.from_logits);
    const auto classes = static_cast<std::size_t>(prediction.shape()[-1]);
    for (std::size_t i = 0; i < t.size(); ++i) {
      if (t[i] == options_.ignore_index) continue;
      const auto row = std::span(p).subspan(i * classes, classes);
      if (options_.from_logits) log_softmax(row);
      const double of_right = row[static_cast<std::size_t>(t[i])];
      count(state, -(options_.from_logits ? of_right : std::log(of_right)));
    }
  }
  double value(const std::vector<double>& state) const override { return std::exp(Mean::value(state)); }

 private:
  PerplexityOptions options_;
};

class Brier final : public Mean {
 public:
  explicit Brier(bool from_logits) : from_logits_(from_logits) {}

  void update(std::vector<double>& state, const Tensor& prediction, const Tensor& target) const override {
    std::vector<double> p = numbers_of(prediction);
    if (!is_of_classes(prediction)) {
      const std::vector<double> t = binary_targets(prediction, target);
      check_probabilities(p, from_logits_);
      for (std::size_t i = 0; i < p.size(); ++i) {
        const double error = (from_logits_ ? 1 / (1 + std::exp(-p[i])) : p[i]) - t[i];
        count(state, error * error);
      }
      return;
    }
    const std::vector<std::int64_t> t = class_targets(prediction, target);
    check_probabilities(p, from_logits_);
    const auto classes = static_cast<std::size_t>(prediction.shape()[-1]);
    for (std::size_t i = 0; i < t.size(); ++i) {
      const auto row = std::span(p).subspan(i * classes, classes);
      if (from_logits_) log_softmax(row);
      double sum = 0;
      for (std::size_t c = 0; c < classes; ++c) {
        const double error = (from_logits_ ? std::exp(row[c]) : row[c]) - (static_cast<std::int64_t>(c) == t[i]);
        sum += error * error;
      }
      count(state, sum);
    }
  }

 private:
  bool from_logits_;
};

}  // namespace

Metric make_perplexity(const PerplexityOptions& options, Place) { return metric_of<Perplexity>("perplexity", options); }
Metric make_brier(const BrierOptions& options, Place) { return metric_of<Brier>("brier", options.from_logits); }

}  // namespace xgrad::nn::detail
