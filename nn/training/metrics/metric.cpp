// Metrics as values: a name, a rule, and what the rule has counted.
#include <algorithm>
#include <cmath>
#include <nn/training/metrics/common.hpp>

namespace xgrad::nn {

Tensor MetricRule::counts(const std::vector<double>&) const { return {}; }

void Metric::update(const Tensor& prediction, const Tensor& target, Place place) {
  const OpScope scope(name_.c_str(), place);
  capturing::refuse();
  if (prediction.size() == 0 && target.size() == 0) return;
  rule_->update(state_, prediction, target);
}

double Metric::value() const {
  return state_.empty() ? std::numeric_limits<double>::quiet_NaN() : rule_->value(state_);
}

double Metric::operator()(const Tensor& prediction, const Tensor& target, Place place) const {
  Metric alone = named(name_);
  alone.update(prediction, target, place);
  return alone.value();
}

Tensor Metric::counts(Place place) const {
  const OpScope scope(name_.c_str(), place);
  if (state_.empty()) scope.fail<ValueError>("there are no samples to count; call update first");
  Tensor table = rule_->counts(state_);
  if (!table.defined()) scope.fail<ValueError>("it counts no classes; take nn::confusion_table");
  return table;
}

StateDict Metric::state_dict() const {
  return {{name_, from_values(state_, {static_cast<std::int64_t>(state_.size())})}};
}

void Metric::load_state_dict(const StateDict& state, Place place) {
  const OpScope scope(name_.c_str(), place);
  const Tensor* const found = state.find(name_);
  if (!found || !found->defined() || state.size() != 1 || found->dtype() != f64 || found->ndim() != 1 ||
      (found->size() > 0 && !rule_->fits(static_cast<std::size_t>(found->size()))))
    scope.fail<ValueError>("the state is not that of a metric ", name_, ", which stays as it was");
  state_ = detail::numbers_of(*found);
}

namespace detail {
namespace {

/// The mean of a function's values, weighted by samples.
class Averaged final : public MetricRule {
 public:
  explicit Averaged(std::function<Tensor(const Tensor&, const Tensor&)> f) : f_(std::move(f)) {}

  void update(std::vector<double>& state, const Tensor& prediction, const Tensor& target) const override {
    const double value = value_of(prediction, target);
    const double samples = prediction.ndim() == 0 ? 1 : static_cast<double>(prediction.shape()[0]);
    state.resize(3);
    add(std::span(state).first<2>(), value * samples);
    state[2] += samples;
  }
  double value(const std::vector<double>& state) const override {
    return total(std::span(state).first<2>()) / state[2];
  }
  bool fits(std::size_t numbers) const override { return numbers == 3; }

 private:
  double value_of(const Tensor& prediction, const Tensor& target) const {
    Tensor result;
    {
      const DetachedScope users;  // its errors are its own
      const NoGrad guard;
      result = f_(prediction, target);
    }
    if (!result.defined()) xgrad::detail::fail<ValueError>("its function returned an undefined tensor");
    if (result.size() != 1)
      xgrad::detail::fail<ShapeError>("its function returned ", result.shape(),
                                      "; expected one number, such as the mean");
    return result.item<double>();
  }

  std::function<Tensor(const Tensor&, const Tensor&)> f_;
};

}  // namespace

Metric averaged_metric(std::string name, std::function<Tensor(const Tensor&, const Tensor&)> f) {
  return {std::move(name), std::make_shared<Averaged>(std::move(f))};
}

std::vector<double> numbers_of(const Tensor& t) {
  const auto copied = [&](const auto* data) { return std::vector<double>(data, data + t.size()); };
  switch (t.dtype()) {
    case f32:
      return copied(t.data<float>());
    case f64:
      return copied(t.data<double>());
    case i64: {
      std::vector<double> numbers(static_cast<std::size_t>(t.size()));
      std::transform(t.data<std::int64_t>(), t.data<std::int64_t>() + t.size(), numbers.begin(),
                     [](std::int64_t i) { return static_cast<double>(i); });
      return numbers;
    }
    case boolean:
      return copied(t.data<bool>());
  }
  return {};
}

bool is_of_classes(const Tensor& prediction) { return prediction.ndim() >= 2 && prediction.shape()[-1] >= 2; }

void check_same_shape(const Tensor& prediction, const Tensor& target) {
  if (prediction.shape() != target.shape())
    xgrad::detail::fail<ShapeError>("the prediction is ", prediction.shape(), ", the target is ", target.shape(),
                                    ", and a metric never broadcasts; bring one to the other's shape, as by reshape",
                                    is_of_classes(prediction) ? ", or for classes take a metric of classes" : "");
}

void check_probabilities(const std::vector<double>& p, bool from_logits) {
  for (std::size_t i = 0; i < p.size() && !from_logits; ++i)
    if (p[i] < 0 || p[i] > 1)
      xgrad::detail::fail<ValueError>("the prediction holds ", p[i], " at position ", i,
                                      "; probabilities are between 0 and 1: for logits say {.from_logits = true}");
}

std::vector<double> binary_targets(const Tensor& prediction, const Tensor& target) {
  check_same_shape(prediction, target);
  std::vector<double> t = numbers_of(target);
  for (std::size_t i = 0; i < t.size(); ++i)
    if (t[i] != 0 && t[i] != 1)
      xgrad::detail::fail<ValueError>("the target holds ", t[i], " at position ", i,
                                      "; it must be 0 or 1, and the prediction of several classes (n, classes)");
  return t;
}

std::vector<std::int64_t> class_targets(const Tensor& prediction, const Tensor& target, std::int64_t ignored) {
  const Shape& shape = prediction.shape();
  if (shape.ndim() < 1 || shape[-1] < 2)
    xgrad::detail::fail<ShapeError>("the prediction is ", shape,
                                    "; expected (..., classes), with at least two classes");
  const std::int64_t classes = shape[-1];
  if (target.shape() == shape) {
    const std::vector<double> rows = numbers_of(target);
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (std::isnan(rows[i])) xgrad::detail::fail<ValueError>("the target holds nan at position ", i);
    std::vector<std::int64_t> t;
    for (auto row = rows.begin(); row != rows.end(); row += classes)
      t.push_back(std::max_element(row, row + classes) - row);
    return t;
  }
  const Shape expected(shape.begin(), shape.end() - 1);
  if (target.shape() != expected)
    xgrad::detail::fail<ShapeError>("the prediction is ", shape, ", the target is ", target.shape(), "; expected ",
                                    expected, " classes or ", shape);
  if (target.dtype() != i64)
    xgrad::detail::fail<DtypeError>("the classes are ", name_of(target.dtype()), "; convert them with .to(i64)");
  const std::int64_t* const data = target.data<std::int64_t>();
  for (std::int64_t i = 0; i < target.size(); ++i)
    if (data[i] != ignored && (data[i] < 0 || data[i] >= classes))
      xgrad::detail::fail<ValueError>("target ", data[i], " at position ", i, " is out of bounds for ", classes,
                                      " classes");
  return {data, data + target.size()};
}

}  // namespace detail
}  // namespace xgrad::nn
