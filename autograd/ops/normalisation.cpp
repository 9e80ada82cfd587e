#include <autograd/ops/reduce.hpp>
#include <autograd/primitive.hpp>

/// Normalisations: elements less their mean, by their deviation, scaled and shifted by what a model trains.
namespace xgrad {
namespace {

/// (x - mean) / sqrt(variance + eps) over the axes, as one node that keeps x and the result.
Tensor standardised(const Tensor& x, const std::vector<int>& axes, double eps) {
  const auto per_deviation = [axes, eps](const Tensor& t) { return rsqrt(variance(t, axes, true) + eps); };
  const auto forward = [&] {
    const Tensor constant = x.detach();
    return (centre(constant, axes) * per_deviation(constant)).array();
  };
  return primitive("layer_norm", {x}, forward, [x, axes, per_deviation](const Tensor& g, const Tensor& y) {
    // y is centred, so that centring g - y mean(g y) takes the mean off g only.
    return centre(g - y * mean(g * y, axes, true), axes) * per_deviation(x);
  });
}

/// Throws unless the parameter, if there is one, has this shape and dtype.
void check_parameter(const OpScope& scope, const char* what, const Tensor& p, const Shape& shape, Dtype dtype) {
  if (!p.defined()) return;
  if (p.shape() != shape)
    scope.fail("the ", what, " is ", p.shape(), ", the axes to normalise are ", shape, "; they must be equal");
  if (p.dtype() != dtype)
    scope.fail<DtypeError>("x is ", name_of(dtype), ", the ", what, " is ", name_of(p.dtype()),
                           "; convert one with .to(...)");
}

}  // namespace

Tensor layer_norm(const Operand& x, const Shape& normalized, const Tensor& weight, const Tensor& bias, double eps) {
  const OpScope scope("layer_norm", x.place());
  check_floating(x);
  const int count = normalized.ndim(), first = x.ndim() - count;
  if (count == 0) scope.fail("no axis to normalise over; give the sizes of the last axes, such as {features}");
  if (first < 0 || Shape(x.shape().begin() + first, x.shape().end()) != normalized)
    scope.fail("x is ", x.shape(), ", the axes to normalise are ", normalized, "; they must be its last ones");
  if (!(eps >= 0)) scope.fail<ValueError>("eps is ", eps, "; it must be at least 0");
  check_parameter(scope, "weight", weight, normalized, x.dtype());
  check_parameter(scope, "bias", bias, normalized, x.dtype());
  std::vector<int> axes;
  for (int d = first; d < x.ndim(); ++d) axes.push_back(d);
  Tensor y = standardised(x.tensor(), axes, eps);
  if (weight.defined()) y = y * weight;
  return bias.defined() ? y + bias : y;
}

}  // namespace xgrad
