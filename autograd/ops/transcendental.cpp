#include <autograd/ops.hpp>
#include <autograd/ops/together.hpp>
#include <autograd/primitive.hpp>
#include <autograd/support/limits.hpp>
#include <numbers>

/// The ops of exponentials, logarithms and trigonometry.
namespace xgrad {

using kernels::Binary, kernels::Unary;

namespace {

using detail::infinity, detail::nan;

// Parts of derivatives, each with a rule of its own where that of its formula would lose digits or meet 0 * inf.

/// x where its logarithm is a number, NaN elsewhere, and so is its derivative: that of a constant NaN would be 0.
Tensor logarithm_domain(const Operand& x) {
  const auto forward = [&] { return where(x < 0, nan, x.tensor().detach()).array(); };
  return primitive("logarithm_domain", {x}, forward, [x = Saved(x)](const Tensor& g) { return where(x < 0, nan, g); });
}

/// 1 - x^2, from factors that keep the digits which it loses near 1. The sum of their derivatives would lose x near 0.
Tensor one_less_square(const Operand& x) {
  const auto forward = [&] {
    const Tensor v = x.tensor().detach();
    return ((1 - v) * (1 + v)).array();
  };
  return primitive("one_less_square", {x}, forward, [x = Saved(x)](const Tensor& g) { return g * (-2 * x); });
}

/// x, and 0 where it is infinite, for products with what has vanished there.
Tensor finite(const Operand& x) { return where(abs(x) == infinity, 0, x); }

/// atan'(x) = 1 / (1 + x^2).
Tensor atan_slope(const Operand& x) {
  const auto forward = [&] { return (1 / (1 + square(x.tensor().detach()))).array(); };
  return primitive("atan_slope", {x}, forward, [x = Saved(x)](const Tensor& g, const Tensor& y) {
    return g * (-2 * (finite(x) * y * y));  // x^2 y and x y^2 may leave the range
  });
}

/// erf'(x).
Tensor erf_slope(const Operand& x) {
  const auto forward = [&] { return (2 * std::numbers::inv_sqrtpi * exp(-square(x.tensor().detach()))).array(); };
  return primitive("erf_slope", {x}, forward,
                   [x = Saved(x)](const Tensor& g, const Tensor& y) { return g * (-2 * (finite(x) * y)); });
}

/// g tanh'(x).
Tensor tanh_grad(const Operand& g, const Operand& x) {
  return elementwise(
      "tanh_grad", {g, x}, Binary::tanh_grad, [x = Saved(x)](const Tensor& h) { return tanh_grad(h, x); },
      [g = Saved(g), x = Saved(x)](const Tensor& h) { return -2 * (tanh_grad(h * g, x) * tanh(x)); });
}

}  // namespace

Tensor exp(const Operand& x) {
  return elementwise("exp", {x}, Unary::exp, [](const Tensor& g, const Tensor& y) { return g * y; });
}

Tensor expm1(const Operand& x) {
  // Not g * (y + 1), which has lost every digit where y is near -1.
  return elementwise("expm1", {x}, Unary::expm1, [x = Saved(x)](const Tensor& g) { return g * exp(x); });
}

Tensor log(const Operand& x) {
  return elementwise("log", {x}, Unary::log, [x = Saved(x)](const Tensor& g) { return g / logarithm_domain(x); });
}

Tensor log1p(const Operand& x) {
  return elementwise("log1p", {x}, Unary::log1p,
                     [x = Saved(x)](const Tensor& g) { return g / logarithm_domain(1 + x); });
}

Tensor exp2(const Operand& x) {
  return elementwise("exp2", {x}, Unary::exp2,
                     [](const Tensor& g, const Tensor& y) { return g * (y * std::numbers::ln2); });
}

Tensor log2(const Operand& x) {
  return elementwise("log2", {x}, Unary::log2,
                     [x = Saved(x)](const Tensor& g) { return g / logarithm_domain(x) * std::numbers::log2e; });
}

Tensor log10(const Operand& x) {
  return elementwise("log10", {x}, Unary::log10,
                     [x = Saved(x)](const Tensor& g) { return g / logarithm_domain(x) * std::numbers::log10e; });
}

Tensor sin(const Operand& x) {
  return elementwise("sin", {x}, Unary::sin, [x = Saved(x)](const Tensor& g) { return g * cos(x); });
}

Tensor cos(const Operand& x) {
  return elementwise("cos", {x}, Unary::cos, [x = Saved(x)](const Tensor& g) { return -(g * sin(x)); });
}

Tensor tan(const Operand& x) {
  return elementwise("tan", {x}, Unary::tan, [](const Tensor& g, const Tensor& y) { return g * (1 + y * y); });
}

Tensor asin(const Operand& x) {
  return elementwise("asin", {x}, Unary::asin,
                     [x = Saved(x)](const Tensor& g) { return g * rsqrt(one_less_square(x)); });
}

Tensor acos(const Operand& x) {
  return elementwise("acos", {x}, Unary::acos,
                     [x = Saved(x)](const Tensor& g) { return -(g * rsqrt(one_less_square(x))); });
}

Tensor atan(const Operand& x) {
  return elementwise("atan", {x}, Unary::atan, [x = Saved(x)](const Tensor& g) { return g * atan_slope(x); });
}

namespace {

/// a / (a^2 + b^2), 0 at the origin and where one is infinite. The scale h keeps the squares in range; it cancels, so
/// it counts as a constant.
Tensor over_squared_radius(const Tensor& a, const Tensor& b) {
  Tensor h = maximum(abs(a), abs(b)).detach();
  const Tensor infinite = h == infinity;
  h = where(logical_or(h == 0, infinite), 1, h);
  const Tensor u = where(infinite, 0, a) / h, v = where(infinite, 0, b) / h, r2 = u * u + v * v;
  return u / where(r2 == 0, 1, r2) / h;
}

}  // namespace

Tensor atan2(const Operand& y, const Operand& x) {
  const OpScope scope("atan2", y.place());
  check_together({{"y", y}, {"x", x}});
  if (x.is_number()) return atan2(y, x.tensor(y.dtype()));
  if (y.is_number()) return atan2(y.tensor(x.dtype()), x);
  return elementwise(
      "atan2", {y, x}, Binary::atan2,                                                                   //
      [y = y.tensor(), x = x.tensor()](const Tensor& g) { return g * over_squared_radius(x, y); },      // d/dy
      [y = y.tensor(), x = x.tensor()](const Tensor& g) { return -(g * over_squared_radius(y, x)); });  // d/dx
}

Tensor sinh(const Operand& x) {
  return elementwise("sinh", {x}, Unary::sinh, [x = Saved(x)](const Tensor& g) { return g * cosh(x); });
}

Tensor cosh(const Operand& x) {
  return elementwise("cosh", {x}, Unary::cosh, [x = Saved(x)](const Tensor& g) { return g * sinh(x); });
}

Tensor tanh(const Operand& x) {
  // Of x and not of y: 1 - y^2 is 0 long before the slope is.
  return elementwise("tanh", {x}, Unary::tanh, [x = Saved(x)](const Tensor& g) { return tanh_grad(g, x); });
}

Tensor asinh(const Operand& x) {
  return elementwise("asinh", {x}, Unary::asinh, [x = Saved(x)](const Tensor& g) { return g / hypot(1, x); });
}

Tensor acosh(const Operand& x) {
  // Of the factors, as x^2 leaves the range long before its root does.
  return elementwise("acosh", {x}, Unary::acosh,
                     [x = Saved(x)](const Tensor& g) { return g * (rsqrt(x - 1) * rsqrt(x + 1)); });
}

Tensor atanh(const Operand& x) {
  return elementwise("atanh", {x}, Unary::atanh,
                     [x = Saved(x)](const Tensor& g) { return g / logarithm_domain(one_less_square(x)); });
}

Tensor erf(const Operand& x) {
  return elementwise("erf", {x}, Unary::erf, [x = Saved(x)](const Tensor& g) { return g * erf_slope(x); });
}

Tensor erfc(const Operand& x) {
  return elementwise("erfc", {x}, Unary::erfc, [x = Saved(x)](const Tensor& g) { return -(g * erf_slope(x)); });
}

}  // namespace xgrad
