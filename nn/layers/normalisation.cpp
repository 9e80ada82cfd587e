#include <nn/normalisation.hpp>

#include <autograd/grad_mode.hpp>
#include <nn/layers/common.hpp>

/// Layers that normalise.
namespace xgrad::nn {
namespace {

void check_eps(const OpScope& scope, double eps) {
  if (!(eps >= 0)) scope.fail<ValueError>("eps is ", eps, "; it must be at least 0");
}

void check_features(const OpScope& scope, const Shape& features) {
  check_sizes(features);
  if (features.ndim() == 0)
    scope.fail("no axis to normalise over; give the sizes of the last axes, such as {features}");
}

}  // namespace

LayerNorm::LayerNorm(const Shape& features, LayerNormOptions options, Place place)
    : features_(features), eps_(options.eps) {
  const OpScope scope("LayerNorm", place);
  check_features(scope, features);
  check_eps(scope, eps_);
  if (options.affine) weight = Parameter(ones(features, {.dtype = options.dtype}));
  if (options.affine && options.bias) bias = Parameter(zeros(features, {.dtype = options.dtype}));
}

Tensor LayerNorm::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) { return layer_norm(input, features_, weight, bias, eps_); });
}

void LayerNorm::members(Visitor& visit) {
  visit("weight", weight);
  visit("bias", bias);
}

std::string LayerNorm::describe() const { return text("LayerNorm ", detail::sizes(features_)); }

RMSNorm::RMSNorm(const Shape& features, RMSNormOptions options, Place place) : features_(features), eps_(options.eps) {
  const OpScope scope("RMSNorm", place);
  check_features(scope, features);
  check_eps(scope, eps_);
  if (options.affine) weight = Parameter(ones(features, {.dtype = options.dtype}));
}

Tensor RMSNorm::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) { return rms_norm(input, features_, weight, eps_); });
}

void RMSNorm::members(Visitor& visit) { visit("weight", weight); }

std::string RMSNorm::describe() const { return text("RMSNorm ", detail::sizes(features_)); }

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, GroupNormOptions options, Place place)
    : groups_(groups), channels_(channels), eps_(options.eps) {
  const OpScope scope("GroupNorm", place);
  check_eps(scope, eps_);
  if (groups < 1 || channels < 0 || channels % groups != 0)
    scope.fail<ValueError>("there are ", groups, " groups and ", channels,
                           " channels; the groups must divide the channels");
  if (!options.affine) return;
  weight = Parameter(ones({channels}, {.dtype = options.dtype}));
  bias = Parameter(zeros({channels}, {.dtype = options.dtype}));
}

Tensor GroupNorm::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) {
    const OpScope scope("group_norm", input.place());
    if (input.ndim() < 2 || input.shape()[1] != channels_)
      scope.fail("x is ", input.shape(), "; it needs axes (n, ", channels_, ") and perhaps more");
    return group_norm(input, groups_, weight, bias, eps_);
  });
}

void GroupNorm::members(Visitor& visit) {
  visit("weight", weight);
  visit("bias", bias);
}

std::string GroupNorm::describe() const { return text("GroupNorm ", groups_, " groups of ", channels_, " channels"); }

detail::BatchNorm::BatchNorm(int axes, std::int64_t channels, const BatchNormOptions& options, Place place)
    : axes_(axes), eps_(options.eps), momentum_(options.momentum) {
  const OpScope scope("BatchNorm", place);
  check_eps(scope, eps_);
  if (channels < 0) scope.fail<ValueError>("there are ", channels, " channels; there must be at least 0");
  check_share(scope, "momentum", momentum_);
  running_mean = Buffer(zeros({channels}, {.dtype = options.dtype}));
  running_variance = Buffer(ones({channels}, {.dtype = options.dtype}));
  if (!options.affine) return;
  weight = Parameter(ones({channels}, {.dtype = options.dtype}));
  bias = Parameter(zeros({channels}, {.dtype = options.dtype}));
}

Tensor detail::BatchNorm::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) {
    const OpScope scope("batch_norm", input.place());
    Tensor mean = running_mean, variance = running_variance;
    const bool fits = input.ndim() == axes_ + 2 || (axes_ == 1 && input.ndim() == 2);
    if (!fits || input.shape()[1] != mean.shape()[0])
      scope.fail("x is ", input.shape(), "; it needs axes (n, ", mean.shape()[0],
                 axes_ == 1 ? ") or one more" : ", height, width)");
    if (!is_training()) return batch_norm(input, BatchMoments{mean, variance}, weight, bias, eps_);
    BatchMoments batch;
    const Tensor y = batch_norm(input, weight, bias, eps_, &batch);
    if (const std::int64_t n = input.size() / std::max<std::int64_t>(mean.size(), 1); n > 1) {
      const NoGrad guard;
      const double unbiased = static_cast<double>(n) / static_cast<double>(n - 1);
      mean.assign(mean * (1 - momentum_) + batch.mean * momentum_);
      variance.assign(variance * (1 - momentum_) + batch.variance * (momentum_ * unbiased));
    }
    return y;
  });
}

void detail::BatchNorm::members(Visitor& visit) {
  visit("weight", weight);
  visit("bias", bias);
  visit("running_mean", running_mean);
  visit("running_variance", running_variance);
}

std::string detail::BatchNorm::describe() const {
  return running_mean.defined() ? text("BatchNorm", axes_, "d ", running_mean.shape()[0]) : "BatchNorm (moved from)";
}

}  // namespace xgrad::nn
