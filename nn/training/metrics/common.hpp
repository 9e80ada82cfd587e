#pragma once
#include <nn/losses/common.hpp>
#include <nn/training/metrics.hpp>
#include <span>

/// What the rules of metrics share: reading tensors as numbers and classes, and sums that lose nothing.
namespace xgrad::nn::detail {

/// The elements, whatever the dtype.
std::vector<double> numbers_of(const Tensor& t);

/// A sum in two numbers, of which the second is what the first has lost to rounding (Neumaier 1974).
inline void add(std::span<double, 2> sum, double x) {
  const double total = sum[0] + x;
  if (std::isfinite(total)) sum[1] += std::abs(sum[0]) >= std::abs(x) ? (sum[0] - total) + x : (x - total) + sum[0];
  sum[0] = total;
}
inline double total(std::span<const double, 2> sum) { return std::isfinite(sum[0]) ? sum[0] + sum[1] : sum[0]; }

/// Whether a metric that takes both takes this prediction as scores of classes.
bool is_of_classes(const Tensor& prediction);
void check_same_shape(const Tensor& prediction, const Tensor& target);
/// Throws ValueError unless `from_logits` or each number is in [0, 1] or NaN.
void check_probabilities(const std::vector<double>& p, bool from_logits);

/// The targets of a binary metric: checks both shapes, and that the numbers are 0 or 1.
std::vector<double> binary_targets(const Tensor& prediction, const Tensor& target);
/// The targets of a metric of classes: checks both shapes, and that each is in [0, classes) or `ignored`.
std::vector<std::int64_t> class_targets(const Tensor& prediction, const Tensor& target, std::int64_t ignored = -1);

/// The samples of one score.
struct Tied {
  std::int64_t positive = 0, negative = 0;
};
/// Scores with whether each sample is of class 1, from the largest score down.
std::vector<Tied> ranked(std::vector<std::pair<double, bool>> samples);

template <class Rule, class... Arguments>
Metric metric_of(const char* name, Arguments&&... arguments) {
  return {name, std::make_shared<Rule>(std::forward<Arguments>(arguments)...)};
}

}  // namespace xgrad::nn::detail
