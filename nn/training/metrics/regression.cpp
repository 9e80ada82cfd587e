// Metrics of numbers: MAE, MSE, RMSE and R2.
#include <cmath>
#include <nn/training/metrics/common.hpp>

namespace xgrad::nn::detail {
namespace {

/// State: the sum of the errors and their number.
class MeanError final : public MetricRule {
 public:
  MeanError(bool squared, bool root) : squared_(squared), root_(root) {}

  void update(std::vector<double>& state, const Tensor& prediction, const Tensor& target) const override {
    check_same_shape(prediction, target);
    const std::vector<double> p = numbers_of(prediction), t = numbers_of(target);
    state.resize(3);
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double error = p[i] - t[i];
      add(std::span(state).first<2>(), squared_ ? error * error : std::abs(error));
    }
    state[2] += static_cast<double>(p.size());
  }
  double value(const std::vector<double>& state) const override {
    const double mean = total(std::span(state).first<2>()) / state[2];
    return root_ ? std::sqrt(mean) : mean;
  }
  bool fits(std::size_t numbers) const override { return numbers == 3; }

 private:
  bool squared_, root_;
};

/// State: the number of samples, then for each element of a sample three sums: the mean of the targets so far, their
/// squared distances from the mean of all (Welford 1962), and the squared errors.
class Determination final : public MetricRule {
 public:
  void update(std::vector<double>& state, const Tensor& prediction, const Tensor& target) const override {
    check_same_shape(prediction, target);
    const std::size_t samples = prediction.ndim() == 0 ? 1 : static_cast<std::size_t>(prediction.shape()[0]);
    const std::vector<double> p = numbers_of(prediction), t = numbers_of(target);
    const std::size_t elements = p.size() / samples;
    if (state.empty()) state.resize(1 + 6 * elements);
    if (state.size() != 1 + 6 * elements)
      xgrad::detail::fail<ShapeError>("a sample has ", elements, " elements, those before had ", state.size() / 6);
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (i % elements == 0) ++state[0];
      const auto sums = std::span(state).subspan(1 + 6 * (i % elements)).first<6>();
      const double distance = (t[i] - sums[0]) - sums[1], error = p[i] - t[i];
      add(sums.first<2>(), distance / state[0]);
      add(sums.subspan<2, 2>(), distance * distance * (1 - 1 / state[0]));
      add(sums.last<2>(), error * error);
    }
  }
  double value(const std::vector<double>& state) const override {
    if (state[0] < 2) return std::numeric_limits<double>::quiet_NaN();
    double sum = 0;
    for (std::size_t i = 1; i < state.size(); i += 6) {
      const auto sums = std::span(state).subspan(i).first<6>();
      const double spread = total(sums.subspan<2, 2>()), errors = total(sums.last<2>());
      sum += spread == 0 ? (errors == 0 ? 1 : 0 * errors) : 1 - errors / spread;  // NaN stays NaN
    }
    return sum / static_cast<double>(state.size() / 6);
  }
  bool fits(std::size_t numbers) const override { return numbers > 1 && numbers % 6 == 1; }
};

}  // namespace

Metric make_mae(const NoOptions&, Place) { return metric_of<MeanError>("mae", false, false); }
Metric make_mse(const NoOptions&, Place) { return metric_of<MeanError>("mse", true, false); }
Metric make_rmse(const NoOptions&, Place) { return metric_of<MeanError>("rmse", true, true); }
Metric make_r2(const NoOptions&, Place) { return metric_of<Determination>("r2"); }

}  // namespace xgrad::nn::detail
