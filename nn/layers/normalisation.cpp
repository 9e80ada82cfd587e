#include <nn/layers.hpp>

#include <autograd/ops.hpp>

/// Layers that normalise.
namespace xgrad::nn {

LayerNorm::LayerNorm(const Shape& features, LayerNormOptions options, Place place)
    : features_(features), eps_(options.eps) {
  const OpScope scope("LayerNorm", place);
  check_sizes(features);
  if (features.ndim() == 0)
    scope.fail("no axis to normalise over; give the sizes of the last axes, such as {features}");
  if (!(eps_ >= 0)) scope.fail<ValueError>("eps is ", eps_, "; it must be at least 0");
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

std::string LayerNorm::describe() const {
  std::string sizes;
  for (const std::int64_t size : features_) sizes += text(sizes.empty() ? "" : " x ", size);
  return text("LayerNorm ", sizes);
}

}  // namespace xgrad::nn
