#include <autograd/grad_mode.hpp>
#include <autograd/node.hpp>
#include <autograd/ops.hpp>
#include <nn/training/diagnosis.hpp>

#include <cmath>

namespace xgrad::nn::detail {

void check_output(const Loss& loss, const Tensor& prediction, Place place) {
  if (!loss.takes_logits() || !prediction.defined() || !prediction.node()) return;
  const std::string_view made_by = prediction.node()->name;
  if (made_by != "sigmoid" && made_by != "softmax") return;
  const OpScope scope("fit", place);
  scope.fail<ValueError>("the loss takes logits and applies a ", loss.is_binary() ? "sigmoid" : "softmax",
                         " itself, but the model ends with a ", made_by, "; leave that out of the model, or take ",
                         loss.is_binary() ? "nn::binary_cross_entropy" : "nn::nll_loss of log_softmax");
}

void check_options(const OpScope& scope, const FitOptions& o, const Loss& loss, std::int64_t rows) {
  if (rows == 0) scope.fail<ValueError>("there are no rows to train on");
  if (o.epochs < 0) scope.fail<ValueError>("epochs is ", o.epochs, "; expected at least 0");
  if (o.batch_size < 1) scope.fail<ValueError>("batch_size is ", o.batch_size, "; expected at least 1");
  if (o.accumulate < 1) scope.fail<ValueError>("accumulate is ", o.accumulate, "; expected at least 1");
  for (const auto& [name, limit] : {std::pair{"clip_norm", o.clip_norm}, std::pair{"clip_value", o.clip_value}})
    if (!(limit >= 0)) scope.fail<ValueError>(name, " is ", limit, "; expected at least 0");
  if (!(o.average >= 0 && o.average < 1))
    scope.fail<ValueError>("average is ", o.average, "; expected a decay in [0, 1)");
  const double share = o.validation.share();
  if (!(share >= 0 && share < 1))
    scope.fail<ValueError>("validation is ", share, "; expected a data set, or a share of the rows in [0, 1)");
  const bool weighs = o.sample_weight.defined() || !o.class_weight.empty();
  if (weighs && !loss.weighs_rows())
    scope.fail<ValueError>(
        "this loss cannot weigh rows; take one of nn/losses.hpp, or a function of prediction, target "
        "and weight");
  if (o.sample_weight.defined() && (o.sample_weight.ndim() != 1 || o.sample_weight.size() != rows))
    scope.fail<ShapeError>("sample_weight is ", o.sample_weight.shape(), "; expected (", rows, ",), one for each row");
  for (const double w : o.class_weight)
    if (!(w >= 0 && std::isfinite(w)))
      scope.fail<ValueError>("class_weight holds ", w, "; expected finite numbers of at least 0");
}

std::vector<std::string> doubts(const Loss& loss, const std::vector<Tensor>& inputs, const Tensor& labels) {
  const NoGrad guard;
  std::vector<std::string> found;
  for (const Tensor& x : inputs) {
    if (!x.defined() || !is_floating(x.dtype()) || x.size() == 0) continue;
    const double least = min(x).item<double>(), most = max(x).item<double>();
    if (least >= 0 && most > 100 && most <= 255 && all(x == floor(x)).item<bool>()) {
      found.push_back(text("the inputs are whole numbers from ", least, " to ", most,
                           ", as pixels are that were not scaled; networks learn better from x / 255"));
      break;
    }
  }
  if (loss.is_binary() && labels.defined() && is_floating(labels.dtype()) && labels.size() > 1) {
    const double least = min(labels).item<double>(), most = max(labels).item<double>();
    if (least == most) found.push_back(text("every target is ", least, ": there is nothing to tell apart"));
  }
  return found;
}

}  // namespace xgrad::nn::detail
