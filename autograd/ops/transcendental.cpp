#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>
#include <limits>
#include <numbers>

namespace xgrad {

using kernels::Binary, kernels::Unary;

namespace {
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
}

Tensor exp(const Operand& x) {
  return elementwise("exp", {x}, Unary::exp, [](const Tensor& g, const Tensor& y) { return g * y; });
}

Tensor expm1(const Operand& x) {
  // Not g * (y + 1), which has lost every digit where y is near -1.
  return elementwise("expm1", {x}, Unary::expm1, [x = Kept(x)](const Tensor& g) { return g * exp(x); });
}

Tensor log(const Operand& x) {
  return elementwise("log", {x}, Unary::log, [x = Kept(x)](const Tensor& g) { return g / where(x < 0, nan, x); });
}

Tensor log1p(const Operand& x) {
  return elementwise("log1p", {x}, Unary::log1p,
                     [x = Kept(x)](const Tensor& g) { return g / where(x < -1, nan, 1 + x); });
}

Tensor sin(const Operand& x) {
  return elementwise("sin", {x}, Unary::sin, [x = Kept(x)](const Tensor& g) { return g * cos(x); });
}

Tensor cos(const Operand& x) {
  return elementwise("cos", {x}, Unary::cos, [x = Kept(x)](const Tensor& g) { return -(g * sin(x)); });
}

Tensor tan(const Operand& x) {
  return elementwise("tan", {x}, Unary::tan, [](const Tensor& g, const Tensor& y) { return g * (1 + y * y); });
}

// (1 - x)(1 + x) keeps the digits that 1 - x^2 loses near 1.
Tensor asin(const Operand& x) {
  return elementwise("asin", {x}, Unary::asin, [x = Kept(x)](const Tensor& g) { return g * rsqrt((1 - x) * (1 + x)); });
}

Tensor acos(const Operand& x) {
  return elementwise("acos", {x}, Unary::acos,
                     [x = Kept(x)](const Tensor& g) { return -(g * rsqrt((1 - x) * (1 + x))); });
}

Tensor atan(const Operand& x) {
  return elementwise("atan", {x}, Unary::atan, [x = Kept(x)](const Tensor& g) { return g / (1 + x * x); });
}

namespace {

/// a / (x^2 + y^2), 0 at the origin. The scale h keeps the squares in range; it cancels, so it counts as a constant.
Tensor over_squared_radius(const Tensor& a, const Tensor& x, const Tensor& y) {
  Tensor h = maximum(abs(x), abs(y)).detach();
  h = where(h == 0, 1, h);
  const Tensor u = x / h, v = y / h, r2 = u * u + v * v;
  return a / h / where(r2 == 0, 1, r2) / h;
}

}  // namespace

Tensor atan2(const Operand& y, const Operand& x) {
  const OpScope scope("atan2", y.place());
  if (x.is_number()) return atan2(y, x.tensor(y.dtype()));
  if (y.is_number()) return atan2(y.tensor(x.dtype()), x);
  return elementwise(
      "atan2", {y, x}, Binary::atan2,                                                                      //
      [y = y.tensor(), x = x.tensor()](const Tensor& g) { return g * over_squared_radius(x, x, y); },      // d/dy
      [y = y.tensor(), x = x.tensor()](const Tensor& g) { return -(g * over_squared_radius(y, x, y)); });  // d/dx
}

Tensor sinh(const Operand& x) {
  return elementwise("sinh", {x}, Unary::sinh, [x = Kept(x)](const Tensor& g) { return g * cosh(x); });
}

Tensor cosh(const Operand& x) {
  return elementwise("cosh", {x}, Unary::cosh, [x = Kept(x)](const Tensor& g) { return g * sinh(x); });
}

Tensor tanh(const Operand& x) {
  return elementwise("tanh", {x}, Unary::tanh, [](const Tensor& g, const Tensor& y) { return g * (1 - y * y); });
}

Tensor erf(const Operand& x) {
  constexpr double slope = 2 * std::numbers::inv_sqrtpi;
  return elementwise("erf", {x}, Unary::erf, [x = Kept(x)](const Tensor& g) { return g * (slope * exp(-(x * x))); });
}

}  // namespace xgrad
