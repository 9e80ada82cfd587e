#include <autograd/support/limits.hpp>
#include <nn/losses/common.hpp>

/// Losses of many classes and of distributions.
namespace xgrad::nn {
namespace {

using detail::check_pair, detail::reduced;

using xgrad::detail::infinity;

/// (classes), (n, classes), or (n, classes, d1, ...).
int class_axis(const Operand& z) { return z.ndim() == 1 ? 0 : 1; }

/// A number for each class so that they broadcast against z.
Tensor along_classes(const Tensor& weight, const Tensor& z) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(z.ndim() - class_axis(z)), 1);
  shape[0] = weight.size();
  return reshape(weight, shape);
}

void check_logits(const OpScope& scope, const Operand& z, const CrossEntropyOptions& options) {
  if (z.is_number()) scope.fail<ValueError>("the prediction is a plain number; make it a tensor with tensor(...)");
  if (!is_floating(z.dtype()))
    scope.fail<DtypeError>("the prediction is ", name_of(z.dtype()), "; f32 or f64 is needed");
  if (z.ndim() == 0)
    scope.fail("the prediction is ", z.shape(), "; (n, classes) or (classes) is needed, bring it there with reshape");
  const Shape classes{z.shape()[class_axis(z)]};
  if (options.weight.defined() && options.weight.shape() != classes)
    scope.fail("the weight is ", options.weight.shape(), ", and there are ", classes[0],
               " classes; it must hold one number for each");
  if (options.weight.defined() && options.weight.dtype() != z.dtype())
    scope.fail<DtypeError>("the weight is ", name_of(options.weight.dtype()), ", the prediction is ",
                           name_of(z.dtype()), "; convert the weight with .to(", name_of(z.dtype()), ")");
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    scope.fail<ValueError>("label_smoothing is ", options.label_smoothing, "; it must be between 0 and 1");
}

/// Throws ValueError for a class that does not exist. Returns whether some target is ignored.
bool some_ignored_class(const std::int64_t* at, std::int64_t n, std::int64_t classes, std::int64_t ignored) {
  bool some = false;
  for (std::int64_t i = 0; i < n; ++i) {
    if (at[i] == ignored) {
      some = true;
    } else if (at[i] < 0 || at[i] >= classes) {
      xgrad::detail::fail<ValueError>("target ", at[i], " at position ", i, " is out of bounds for ", classes,
                                      " classes");
    }
  }
  return some;
}

void check_numbers_of_classes(const std::int64_t* at, std::int64_t n, std::int64_t classes, std::int64_t ignored) {
  some_ignored_class(at, n, classes, ignored);
}

/// The same for the targets t of z. While a step is captured the answer is yes: a replay's targets may hold some.
bool check_classes(const OpScope& scope, const Operand& z, const Operand& t, std::int64_t ignored) {
  if (t.is_number() || t.dtype() != i64)
    scope.fail<DtypeError>(
        "the classes are ", t.is_number() ? "a plain number" : name_of(t.dtype()),
        t.is_number() ? "; make it a tensor with tensor(..., {.dtype = i64})" : "; convert them with .to(i64)");
  const int axis = class_axis(z);
  Shape expected = z.shape();
  expected.erase(axis);
  if (t.shape() != expected)
    scope.fail("the prediction is ", z.shape(), ", the classes are ", t.shape(), "; they must be ", expected,
               ", one for each row");
  const auto* const at = t.array().data<std::int64_t>();
  if (!capturing::active()) return some_ignored_class(at, t.size(), z.shape()[axis], ignored);
  capturing::keep(t.tensor());
  capturing::repeat(check_numbers_of_classes, at, t.size(), z.shape()[axis], ignored);
  return true;
}

/// -(1 - s) w_t log_p[t] - s / classes sum_c w_c log_p[c], s being the smoothing.
Tensor class_loss(const OpScope& scope, const Tensor& log_p, const Operand& t, const CrossEntropyOptions& options) {
  const int axis = class_axis(log_p);
  const std::int64_t classes = log_p.shape()[axis];
  const bool some_ignored = check_classes(scope, log_p, t, options.ignore_index);
  const Tensor ignored = some_ignored ? t == options.ignore_index : Tensor();
  const Tensor index = some_ignored ? where(ignored, 0, t) : t.tensor();

  Tensor loss = -squeeze(gather(log_p, axis, unsqueeze(index, axis)), axis);
  Tensor weight;
  if (options.weight.defined()) {
    weight = take(options.weight, index);
    loss = loss * weight;
  }
  if (const double s = options.label_smoothing; s > 0) {
    const Tensor all = options.weight.defined() ? log_p * along_classes(options.weight, log_p) : log_p;
    loss = (1 - s) * loss - s / static_cast<double>(classes) * sum(all, {axis});
  }
  if (some_ignored) {
    loss = where(ignored, 0, loss);
    weight = where(ignored, 0, weight.defined() ? weight : ones(loss.shape(), {.dtype = loss.dtype()}));
  }
  if (options.reduction == Reduction::mean && weight.defined()) return sum(loss) / sum(weight);
  return reduced(scope, std::move(loss), options.reduction, {});
}

Tensor distribution_loss(const OpScope& scope, const Tensor& log_p, const Operand& t,
                         const CrossEntropyOptions& options) {
  check_pair(scope, log_p, t);
  const int axis = class_axis(log_p);
  Tensor target = t.tensor();
  if (const double s = options.label_smoothing; s > 0)
    target = (1 - s) * target + s / static_cast<double>(log_p.shape()[axis]);
  if (options.weight.defined()) target = target * along_classes(options.weight, log_p);
  // A target of 0 contributes 0, also where log_p is -inf.
  const Tensor asked = logical_or(target != 0, isfinite(log_p));
  return reduced(scope, -sum(target * where(asked, log_p, 0), {axis}), options.reduction, {});
}

}  // namespace

Tensor cross_entropy(const Operand& z, const Operand& t, const CrossEntropyOptions& options) {
  const OpScope scope("cross_entropy", z.place());
  check_logits(scope, z, options);
  const bool distributions = !t.is_number() && is_floating(t.dtype());
  if (distributions && t.ndim() == z.ndim() - 1 && t.size() != z.size())
    scope.fail<DtypeError>("the classes are ", name_of(t.dtype()), "; convert them with .to(i64)");
  if (distributions) check_pair(scope, z, t);
  if (distributions && options.ignore_index >= 0)
    scope.fail<ValueError>("ignore_index is ", options.ignore_index,
                           ", and a target that is a distribution has no class to compare with it; leave it out, as "
                           "a row of zeros adds nothing");
  const Tensor log_p = log_softmax(z, class_axis(z));
  return distributions ? distribution_loss(scope, log_p, t, options) : class_loss(scope, log_p, t, options);
}

Tensor nll_loss(const Operand& log_p, const Operand& t, const CrossEntropyOptions& options) {
  const OpScope scope("nll_loss", log_p.place());
  check_logits(scope, log_p, options);
  return class_loss(scope, log_p.tensor(), t, options);
}

namespace {

/// exp(log_t) (log_t - log_p), 0 where log_t is -inf.
Tensor divergence_of_logarithms(const Tensor& log_p, const Tensor& log_t) {
  const Tensor none = log_t == -infinity;
  return exp(log_t) * (where(none, 0, log_t) - where(logical_and(none, log_p == -infinity), 0, log_p));
}

}  // namespace

Tensor kl_div(const Operand& log_p, const Operand& t, const KlDivOptions& options) {
  const OpScope scope("kl_div", log_p.place());
  check_pair(scope, log_p, t);
  if (options.log_target)
    return reduced(scope, divergence_of_logarithms(log_p.tensor(), t.tensor()), options.reduction, options.weight);
  detail::check_elements(
      t.tensor(), [](auto x) { return x >= 0; },
      [](const detail::Invalid& found) {
        xgrad::detail::fail<ValueError>("the target holds ", found.value, " at position ", found.position,
                                        "; probabilities must be at least 0");
      });
  const Tensor none = t == 0;
  // Where t is 0 the product must be 0, so neither factor may be infinite.
  const Tensor difference = log(where(none, 1, t)) - where(logical_and(none, log_p == -infinity), 0, log_p);
  return reduced(scope, t * difference, options.reduction, options.weight);
}

}  // namespace xgrad::nn
