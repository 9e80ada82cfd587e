#pragma once
#include <autograd/grad_mode.hpp>
#include <autograd/state_dict.hpp>
#include <functional>
#include <memory>

#pragma GCC visibility push(default)

/// Metrics say how good predictions are, over any number of batches:
///
///   nn::Metric f1 = nn::f1({.average = nn::macro});
///   for (const auto& [x, t] : loader) f1.update(model(x), t);
///   f1.value();                                          // of all samples so far
///   nn::f1()(prediction, target);                        // of these alone
///   nn::Metric mae{"mae", [](const Tensor& p, const Tensor& t) { return mean(abs(p - t)); }};
///
/// Where a Metric is wanted, `nn::f1` is the one with default options. Values are scikit-learn's, computed in f64, and
/// have the same bits however the samples are cut into batches. They are NaN before the first sample, and after a
/// prediction that holds NaN. Like losses, metrics never broadcast, and throw ShapeError. What they compare is
///
/// - binary: prediction and target of one shape, each element a sample. The target is 0 or 1, of any dtype; a
///   prediction above the threshold says 1. For logits the threshold is 0.
/// - classes: prediction (..., classes), with at least two classes of which the largest score wins, the first of equal
///   ones. The target is (...) of i64 classes, or of the prediction's shape, and the largest of each row is the class.
///
/// Metrics that take both take a prediction with one axis, or with a last axis of size 1, as binary. A target that is
/// none of the classes throws ValueError.
namespace xgrad::nn {

/// What a metric counts and what it makes of that, for a metric of one's own that is no average over samples. All that
/// it remembers is a list of numbers, which is empty before the first sample.
class MetricRule {
 public:
  virtual ~MetricRule() = default;
  /// Adds samples. Throws before it has changed `state`.
  virtual void update(std::vector<double>& state, const Tensor& prediction, const Tensor& target) const = 0;
  /// The value of a state that is not empty.
  virtual double value(const std::vector<double>& state) const = 0;
  /// Whether a state may have this many numbers, at least one.
  virtual bool fits(std::size_t numbers) const = 0;
  /// The confusion table of a state, undefined for a rule that has none.
  virtual Tensor counts(const std::vector<double>& state) const;
};

/// A named number that updates and resets. Copies count for themselves.
class Metric {
 public:
  Metric(std::string name, std::shared_ptr<const MetricRule> rule) : name_(std::move(name)), rule_(std::move(rule)) {}
  /// The average of f(prediction, target), a number or a tensor of size 1, each call weighted by the size of the
  /// prediction's first axis. Gradients are off while f runs.
  template <class F>
  requires std::is_invocable_v<F&, const Tensor&, const Tensor&> Metric(std::string name, F f);

  const std::string& name() const { return name_; }
  /// The same metric under another name, without samples.
  Metric named(std::string name) const { return {std::move(name), rule_}; }

  /// Adds samples; none if there are none. What it throws leaves the metric as it was. Throws GraphError in a step that
  /// is being captured.
  void update(const Tensor& prediction, const Tensor& target, Place place = Place::here());
  /// The value of all samples since the last reset.
  double value() const;
  void reset() { state_.clear(); }
  /// The value of these samples alone; the metric stays as it is.
  double operator()(const Tensor& prediction, const Tensor& target, Place place = Place::here()) const;
  /// How many samples of each class (row) were taken for each class (column): i64 of shape (classes, classes), without
  /// those whose prediction holds NaN. Throws ValueError for a metric that compares no classes, or before the first
  /// sample.
  Tensor counts(Place place = Place::here()) const;

  /// What has been counted, to continue from in a later run.
  StateDict state_dict() const;
  /// Takes over what `state_dict` of such a metric gave. Throws ValueError for anything else, and changes nothing.
  void load_state_dict(const StateDict& state, Place place = Place::here());

 private:
  std::string name_;
  std::shared_ptr<const MetricRule> rule_;
  std::vector<double> state_;
};

/// Over which classes precision, recall and F1 are taken.
enum class ClassAverage {
  binary,  // class 1 of two
  micro,   // all classes' counts added up, which is the accuracy
  macro    // the mean of each class's value, over those that occur in target or prediction
};
inline constexpr ClassAverage micro = ClassAverage::micro, macro = ClassAverage::macro;

struct ThresholdOptions {
  double threshold = 0.5;
};
struct ClassAverageOptions {
  ClassAverage average = ClassAverage::binary;
  double threshold = 0.5;
};
struct PerplexityOptions {
  bool from_logits = true;           // as cross_entropy takes them; otherwise probabilities
  std::int64_t ignore_index = -100;  // targets of this class count for nothing
};
struct BrierOptions {
  bool from_logits = false;  // otherwise probabilities
};

namespace detail {

struct NoOptions {};

/// What stands for a metric until its options are known.
template <class Options>
struct MetricMaker {
  Metric (*make)(const Options& options, Place place);
  Metric operator()(const Options& options = {}, Place place = Place::here()) const { return make(options, place); }
  operator Metric() const { return make({}, Place::here()); }
};
struct TopKMaker {
  Metric operator()(std::int64_t k = 5, Place place = Place::here()) const;
  operator Metric() const { return (*this)(); }
};

Metric make_binary_accuracy(const ThresholdOptions& options, Place place);
Metric make_categorical_accuracy(const NoOptions& options, Place place);
Metric make_precision(const ClassAverageOptions& options, Place place);
Metric make_recall(const ClassAverageOptions& options, Place place);
Metric make_f1(const ClassAverageOptions& options, Place place);
Metric make_matthews(const ThresholdOptions& options, Place place);
Metric make_confusion_table(const ThresholdOptions& options, Place place);
Metric make_roc_auc(const NoOptions& options, Place place);
Metric make_average_precision(const NoOptions& options, Place place);
Metric make_mae(const NoOptions& options, Place place);
Metric make_mse(const NoOptions& options, Place place);
Metric make_rmse(const NoOptions& options, Place place);
Metric make_r2(const NoOptions& options, Place place);
Metric make_perplexity(const PerplexityOptions& options, Place place);
Metric make_brier(const BrierOptions& options, Place place);

Metric averaged_metric(std::string name, std::function<Tensor(const Tensor&, const Tensor&)> f);

}  // namespace detail

/// The share of samples that are told right: binary, of classes, and of classes where the right one is among the k
/// largest scores (of equal scores the last class ranks first there, as in scikit-learn), `nn::top_k_accuracy(3)`; a k
/// below 1 or above the number of classes throws ValueError.
inline constexpr detail::MetricMaker<ThresholdOptions> binary_accuracy{&detail::make_binary_accuracy};
inline constexpr detail::MetricMaker<detail::NoOptions> categorical_accuracy{&detail::make_categorical_accuracy};
inline constexpr detail::TopKMaker top_k_accuracy{};

/// Of the samples taken for a class the share that is of it, of those of a class the share that is taken for it, and
/// 2 / (1 / precision + 1 / recall); 0 where that divides by 0. Binary, with micro and macro also of classes.
inline constexpr detail::MetricMaker<ClassAverageOptions> precision{&detail::make_precision};
inline constexpr detail::MetricMaker<ClassAverageOptions> recall{&detail::make_recall};
inline constexpr detail::MetricMaker<ClassAverageOptions> f1{&detail::make_f1};

/// The correlation of target and prediction (Matthews 1975; for several classes Gorodkin 2004), binary or of classes;
/// 0 where one of them is constant.
inline constexpr detail::MetricMaker<ThresholdOptions> matthews{&detail::make_matthews};

/// counts() of binary samples or classes; the value is the share on its diagonal, the accuracy.
inline constexpr detail::MetricMaker<ThresholdOptions> confusion_table{&detail::make_confusion_table};

/// The area under the ROC curve: the probability that a sample of class 1 has a larger score than one of class 0, equal
/// scores counting half; NaN if there are none of a class. Binary, scores of any range; keeps all of them.
inline constexpr detail::MetricMaker<detail::NoOptions> roc_auc{&detail::make_roc_auc};
/// The mean of the precisions at the thresholds where the recall rises, each weighted by that rise; 0 if there is no
/// sample of class 1. Binary, scores of any range; keeps all of them.
inline constexpr detail::MetricMaker<detail::NoOptions> average_precision{&detail::make_average_precision};

/// The means of |p - t| and (p - t)^2 over all elements, and the root of the latter; both tensors of one shape.
inline constexpr detail::MetricMaker<detail::NoOptions> mae{&detail::make_mae};
inline constexpr detail::MetricMaker<detail::NoOptions> mse{&detail::make_mse};
inline constexpr detail::MetricMaker<detail::NoOptions> rmse{&detail::make_rmse};
/// 1 - sum (p - t)^2 / sum (t - mean t)^2 over the samples along the first axis, averaged over all other elements. For
/// a constant target 1 if it is met, else 0; NaN for less than two samples.
inline constexpr detail::MetricMaker<detail::NoOptions> r2{&detail::make_r2};

/// exp of the mean of -log p_t for the probability p_t of the right class; of classes. Throws ValueError for
/// probabilities outside [0, 1].
inline constexpr detail::MetricMaker<PerplexityOptions> perplexity{&detail::make_perplexity};
/// The mean of (p - t)^2 for binary probabilities p, of sum_c (p_c - t_c)^2 for those of classes (Brier 1950). Throws
/// ValueError for probabilities outside [0, 1].
inline constexpr detail::MetricMaker<BrierOptions> brier{&detail::make_brier};

template <class F>
requires std::is_invocable_v<F&, const Tensor&, const Tensor&> Metric::Metric(std::string name, F f)
    : Metric(detail::averaged_metric(std::move(name), [f = std::move(f)](const Tensor& p, const Tensor& t) mutable {
        using Result = std::decay_t<std::invoke_result_t<F&, const Tensor&, const Tensor&>>;
        if constexpr (std::is_arithmetic_v<Result>) {
          return full({}, static_cast<double>(f(p, t)), {.dtype = f64});
        } else {
          static_assert(std::is_same_v<Result, Tensor>, "a metric's function returns a number or a Tensor of size 1");
          return Tensor(f(p, t));
        }
      })) {}

}  // namespace xgrad::nn
#pragma GCC visibility pop
