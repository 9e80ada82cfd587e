#include <autograd/core/kernel_calls.hpp>
#include <autograd/ops.hpp>
#include <autograd/ops/walk.hpp>
#include <autograd/primitive.hpp>

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

Tensor elu(const Operand& x, double alpha) {
  const OpScope scope("elu", x.place());
  const Tensor positive = x > 0;
  // The inner choice keeps the exponential of a large x, infinite, out of the derivative: 0 * inf would be NaN.
  return where(positive, x, alpha * expm1(where(positive, 0, x)));
}

Tensor selu(const Operand& x) {
  const OpScope scope("selu", x.place());
  return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717);
}

// In the two rules below the factor x meets one that vanishes faster. The limits, past which that one is 0 in f64 too,
// keep inf * 0 out. clamp's derivative at a NaN is 0; the other term, of x itself, keeps the second derivative NaN.

Tensor gelu(const Operand& x) {
  constexpr double inv_sqrt2 = 0.70710678118654752440, inv_sqrt2pi = 0.39894228040143267794;
  return elementwise("gelu", {x}, Unary::gelu, [x = Saved(x)](const Tensor& g) {
    const Tensor c = clamp(x, -100, 100);
    return g * (0.5 * erfc(x * -inv_sqrt2) + inv_sqrt2pi * c * exp(-0.5 * square(c)));  // Phi(x) + x phi(x)
  });
}

Tensor silu(const Operand& x) {
  return elementwise("silu", {x}, Unary::silu, [x = Saved(x)](const Tensor& g) {
    return g * (sigmoid(x) + sigmoid_grad(clamp(x, -1000, 1000), x));
  });
}

Tensor softplus(const Operand& x) {
  return elementwise("softplus", {x}, Unary::softplus, [x = Saved(x)](const Tensor& g) { return g * sigmoid(x); });
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
  axis = checked_axis(axis, x.ndim());
  return primitive(
      "softmax", {x}, [&] { return normalised(x.array(), axis, kernels::Softmax::softmax); },
      [axis](const Tensor& g, const Tensor& y) { return y * (g - sum(g * y, {axis}, true)); });
}

Tensor log_softmax(const Operand& x, int axis) {
  const OpScope scope("log_softmax", x.place());
  axis = checked_axis(axis, x.ndim());
  return primitive(
      "log_softmax", {x}, [&] { return normalised(x.array(), axis, kernels::Softmax::log_softmax); },
      [axis](const Tensor& g, const Tensor& y) { return g - exp(y) * sum(g, {axis}, true); });
}

Tensor bce_with_logits(const Operand& z, const Operand& t) {
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
