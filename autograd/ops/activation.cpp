#include <autograd/core/kernel_calls.hpp>
#include <autograd/ops.hpp>
#include <autograd/ops/together.hpp>
#include <autograd/ops/walk.hpp>
#include <autograd/primitive.hpp>
#include <cmath>

/// The ops of activations and their parts.
namespace xgrad {

using kernels::Binary, kernels::Unary;

namespace {

/// g sigmoid'(x).
Tensor sigmoid_grad(const Operand& g, const Operand& x) {
  return elementwise(
      "sigmoid_grad", {g, x}, Binary::sigmoid_grad, [x = Saved(x)](const Tensor& h) { return sigmoid_grad(h, x); },
      [g = Saved(g), x = Saved(x)](const Tensor& h) { return -(sigmoid_grad(h * g, x) * tanh(0.5 * x)); });
}

}  // namespace

// The rules are of x and not of y, in which the digits of the tails are lost: 1 - y is 0 long before the slope is.
Tensor sigmoid(const Operand& x) {
  Tensor result =
      elementwise("sigmoid", {x}, Unary::sigmoid, [x = Saved(x)](const Tensor& g) { return sigmoid_grad(g, x); });
  // Binary cross-entropy then computes the two as one stable op.
  if (result.requires_grad()) result.node()->source() = x.tensor();
  return result;
}

Tensor relu(const Operand& x) {
  return elementwise("relu", {x}, Unary::relu, [](const Tensor& g, const Tensor& y) { return relu_grad(g, y); });
}

Tensor relu_grad(const Operand& g, const Operand& y) {
  return elementwise(
      "relu_grad", {g, y}, Binary::relu_grad,  //
      [y = Saved(y)](const Tensor& h) { return relu_grad(h, y); }, zero_rule);
}

Tensor leaky_relu(const Operand& x, double slope) {
  const OpScope scope("leaky_relu", x.place());
  return where(x > 0, x, x * slope);
}

Tensor prelu(const Operand& x, const Operand& a) {
  const OpScope scope("prelu", x.place());
  const Tensor positive = x > 0;
  // The inner choice keeps the product of a slope of 0 and an infinite x out of the slope's gradient.
  const Tensor negative = where(positive, 0, x);
  if (a.is_number() || a.ndim() != 1 || a.size() == 1 || x.ndim() < 2) {
    check_together({{"x", x}, {"a", a}});
    return where(positive, x, negative * a);
  }
  check_dtypes({{"x", x}, {"a", a}});
  if (a.size() != x.shape()[1])
    scope.fail("x is ", x.shape(), ", the slopes are ", a.shape(), "; give one, or one for each index of axis 1");
  Shape along(std::vector<std::int64_t>(static_cast<std::size_t>(x.ndim() - 1), 1));
  along[0] = a.size();
  return where(positive, x, negative * (x.ndim() == 2 ? a.tensor() : reshape(a, along)));
}

Tensor elu(const Operand& x, double alpha) {
  const OpScope scope("elu", x.place());
  const Tensor positive = x > 0;
  // The inner choice keeps the exponential of a large x, infinite, out of the derivative: 0 * inf would be NaN.
  return where(positive, x, alpha * expm1(where(positive, 0, x)));
}

Tensor celu(const Operand& x, double alpha) {
  const OpScope scope("celu", x.place());
  if (alpha == 0 || std::isnan(alpha)) scope.fail<ValueError>("alpha is ", alpha, "; it must be a number other than 0");
  const Tensor positive = x > 0;
  return where(positive, x, alpha * expm1(where(positive, 0, x) / alpha));
}

Tensor selu(const Operand& x) {
  const OpScope scope("selu", x.place());
  return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717);
}

// Below the factor x meets one that vanishes faster. The limits, past which that one is 0 in f64 too, keep inf * 0 out.
// clamp's derivative at a NaN is 0; another term, of x itself, keeps the second derivative NaN.

namespace {

/// g gelu'(x) = g (Phi(x) + x phi(x)).
Tensor gelu_grad(const Operand& g, const Operand& x) {
  constexpr double inv_sqrt2pi = 0.39894228040143267794;
  return elementwise(
      "gelu_grad", {g, x}, Binary::gelu_grad, [x = Saved(x)](const Tensor& h) { return gelu_grad(h, x); },
      [g = Saved(g), x = Saved(x)](const Tensor& h) {
        const Tensor c = clamp(x, -100, 100), z = square(c);  // phi(x) (2 - x^2)
        return h * g * (inv_sqrt2pi * exp(-0.5 * z) * (2 - z));
      });
}

}  // namespace

Tensor gelu(const Operand& x) {
  return elementwise("gelu", {x}, Unary::gelu, [x = Saved(x)](const Tensor& g) { return gelu_grad(g, x); });
}

Tensor gelu(const Operand& x, GeluOptions options) {
  const OpScope scope("gelu", x.place());
  if (!options.tanh) return gelu(x);
  const Tensor c = clamp(x, -100, 100);  // 1 + tanh(u) is 2 sigmoid(2 u)
  return where(x < -100, 0, x) * sigmoid(1.5957691216057308 * (c + 0.044715 * (c * c * c)));
}

Tensor hardtanh(const Operand& x, double low, double high) {
  const OpScope scope("hardtanh", x.place());
  if (!(low < high)) scope.fail<ValueError>("low is ", low, ", high is ", high, "; expected low < high");
  return where(x <= low, low, where(x >= high, high, x));
}

Tensor relu6(const Operand& x) {
  const OpScope scope("relu6", x.place());
  return hardtanh(x, 0, 6);
}

Tensor hardsigmoid(const Operand& x) {
  const OpScope scope("hardsigmoid", x.place());
  return relu6(x + 3) / 6;
}

Tensor hardswish(const Operand& x) {
  const OpScope scope("hardswish", x.place());
  const Tensor c = clamp(x, -3, 3);
  return where(x > 3, x, c * (c + 3) / 6);
}

Tensor mish(const Operand& x) {
  const OpScope scope("mish", x.place());
  // It is x above the limits and 0 below, also in its derivatives: inf * 0 would be NaN.
  const Tensor large = x > 50, c = where(x < -1000, -1000, where(large, 50, x));
  return where(large, x, c * tanh(softplus(c)));
}

Tensor silu(const Operand& x) {
  return elementwise("silu", {x}, Unary::silu, [x = Saved(x)](const Tensor& g) {
    return g * (sigmoid(x) + sigmoid_grad(clamp(x, -1000, 1000), x));
  });
}

Tensor softplus(const Operand& x) {
  return elementwise("softplus", {x}, Unary::softplus, [x = Saved(x)](const Tensor& g) { return g * sigmoid(x); });
}

Tensor softplus(const Operand& x, double beta) {
  const OpScope scope("softplus", x.place());
  if (!(beta > 0)) scope.fail<ValueError>("beta is ", beta, "; it must be above 0");
  if (beta == 1) return softplus(x);
  return softplus(x * beta) / beta;
}

Tensor log_sigmoid(const Operand& x) {
  return elementwise("log_sigmoid", {x}, Unary::log_sigmoid,
                     [x = Saved(x)](const Tensor& g) { return g * sigmoid(-x); });
}

Tensor softsign(const Operand& x) {
  return elementwise("softsign", {x}, Unary::softsign,
                     [x = Saved(x)](const Tensor& g) { return g * square(1 / (1 + abs(x))); });
}

namespace {

Array normalised(const Array& x, int axis, kernels::Softmax kind) {
  const auto kernel = detail::kernel_for(kernels::table().softmax[int(kind)], x.dtype());
  Array result(x.dtype(), x.shape());
  const AxisView view(x.shape(), axis);
  if (result.size() > 0) kernel(x.data(), result.data(), view.outer, view.count, view.inner);
  return result;
}

}  // namespace

Tensor softmax(const Operand& x, int axis) {
  const OpScope scope("softmax", x.place());
  axis = checked_axis(axis, x.shape());
  return primitive(
      "softmax", {x}, [&] { return normalised(x.array(), axis, kernels::Softmax::softmax); },
      [axis](const Tensor& g, const Tensor& y) { return y * (g - sum(g * y, {axis}, true)); });
}

Tensor log_softmax(const Operand& x, int axis) {
  const OpScope scope("log_softmax", x.place());
  axis = checked_axis(axis, x.shape());
  return primitive(
      "log_softmax", {x}, [&] { return normalised(x.array(), axis, kernels::Softmax::log_softmax); },
      [axis](const Tensor& g, const Tensor& y) { return g - exp(y) * sum(g, {axis}, true); });
}

Tensor softmin(const Operand& x, int axis) {
  const OpScope scope("softmin", x.place());
  return softmax(-x, axis);
}

Tensor glu(const Operand& x, int axis) {
  const OpScope scope("glu", x.place());
  axis = checked_axis(axis, x.shape());
  if (x.shape()[axis] % 2)
    scope.fail("axis ", axis, " of shape ", x.shape(), " has an odd size; it is cut into two halves");
  const std::vector<Tensor> halves = split(x, 2, axis);
  return halves[0] * sigmoid(halves[1]);
}

Tensor bce_with_logits(const Operand& z, const Operand& t) {
  const OpScope scope("bce_with_logits", z.place());
  check_together({{"z", z}, {"t", t}});
  return elementwise(
      "bce_with_logits", {z, t}, Binary::bce_with_logits,
      [z = Saved(z), t = Saved(t)](const Tensor& g) { return g * (sigmoid(z) - t); },  // d/dz
      [z = Saved(z)](const Tensor& g) { return -(g * z); });                           // d/dt
}

Tensor masked_scale(const Operand& x, const Tensor& keep, double scale) {
  const OpScope scope("masked_scale", x.place());
  if (keep.dtype() != boolean) scope.fail<DtypeError>("the mask is ", name_of(keep.dtype()), ", not boolean");
  if (keep.shape() != x.shape())
    scope.fail("the mask is ", keep.shape(), ", the input is ", x.shape(), "; they must be equal");
  const auto kernel = detail::kernel_for(kernels::table().dropout, x.dtype());
  const auto forward = [&] {
    Array result(x.dtype(), x.shape());
    if (result.size() > 0) kernel(x.array().data(), keep.data<bool>(), scale, result.data(), result.size());
    return result;
  };
  return primitive(
      "masked_scale", {x, keep}, forward,
      [keep = Saved(keep), scale](const Tensor& g) { return masked_scale(g, keep.tensor(), scale); },
      not_differentiable);
}

}  // namespace xgrad
