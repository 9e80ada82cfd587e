#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>

/// The ops of arithmetic, roots and rounding.
namespace xgrad {

using kernels::Binary, kernels::Unary;

Tensor operator+(const Operand& a, const Operand& b) {
  return elementwise(
      "add", {a, b}, Binary::add,  //
      [](const Tensor& g) { return g; }, [](const Tensor& g) { return g; });
}

Tensor operator-(const Operand& a, const Operand& b) {
  return elementwise(
      "subtract", {a, b}, Binary::subtract,  //
      [](const Tensor& g) { return g; }, [](const Tensor& g) { return -g; });
}

Tensor operator*(const Operand& a, const Operand& b) {
  return elementwise(
      "multiply", {a, b}, Binary::multiply,                //
      [b = Saved(b)](const Tensor& g) { return g * b; },   // d/da
      [a = Saved(a)](const Tensor& g) { return g * a; });  // d/db
}

Tensor operator/(const Operand& a, const Operand& b) {
  return elementwise(
      "divide", {a, b}, Binary::divide,  //
      [b = Saved(b)](const Tensor& g) { return g / b; },
      // Through the quotient, since b^2 overflows long before it does.
      [b = Saved(b)](const Tensor& g, const Tensor& y) { return -(g * (y / b)); });
}

Tensor operator-(const Operand& x) {
  return elementwise("negate", {x}, Unary::negate, [](const Tensor& g) { return -g; });
}

namespace {

void check_not_negative(const std::int64_t* exponents, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    if (exponents[i] < 0)
      detail::fail<ValueError>("the exponent is ", exponents[i],
                               ", and integers have no fractions; convert with "
                               ".to(f64)");
}

Tensor pow_to_number(const Operand& a, const Operand& b) {
  const double n = b.number().real();
  if (n < 0 && !a.is_number() && a.dtype() == i64 && b.number().fits(i64)) {
    const std::int64_t exponent = b.number().integer();
    check_not_negative(&exponent, 1);
  }
  if (n == 2 && is_floating(a.dtype())) return square(a);  // many times faster than std::pow, and as exact
  return elementwise(
      "pow", {a, b}, Binary::pow, [a, n](const Tensor& g) { return n == 0 ? Tensor() : g * (n * pow(a, n - 1)); },
      not_differentiable);
}

}  // namespace

Tensor pow(const Operand& a, const Operand& b) {
  const OpScope scope("pow", a.place());
  if (b.is_number()) return pow_to_number(a, b);
  if (a.is_number()) return pow(a.tensor(b.dtype()), b);
  if (b.dtype() == i64) {
    capturing::keep(b.tensor());
    capturing::repeat(check_not_negative, b.array().data<std::int64_t>(), b.size());
  }
  // The masked arguments keep 0 * inf out of derivatives of any order: b a^(b-1) at b = 0, log a at a = 0.
  return elementwise(
      "pow", {a, b}, Binary::pow,
      [a, b](const Tensor& g) {
        const Tensor flat = b == 0;
        return where(flat, 0, g * (b * pow(a, where(flat, 1, b - 1))));
      },
      [a, b](const Tensor& g, const Tensor& y) {
        const Tensor flat = logical_and(a == 0, b >= 0);
        return where(flat, 0, g * (y * log(where(flat, 1, a))));
      });
}

Tensor square(const Operand& x) {
  return elementwise("square", {x}, Unary::square, [x = Saved(x)](const Tensor& g) { return g * (2 * x); });
}

Tensor abs(const Operand& x) {
  return elementwise("abs", {x}, Unary::abs, [x = Saved(x)](const Tensor& g) { return g * sign(x); });
}

Tensor sign(const Operand& x) { return elementwise("sign", {x}, Unary::sign, zero_rule); }

Tensor sqrt(const Operand& x) {
  return elementwise("sqrt", {x}, Unary::sqrt, [](const Tensor& g, const Tensor& y) { return g / (2 * y); });
}

Tensor rsqrt(const Operand& x) {
  return elementwise("rsqrt", {x}, Unary::rsqrt,
                     [](const Tensor& g, const Tensor& y) { return g * (-0.5 * (y * y * y)); });
}

Tensor reciprocal(const Operand& x) {
  return elementwise("reciprocal", {x}, Unary::reciprocal,
                     [](const Tensor& g, const Tensor& y) { return -(g * (y * y)); });
}

Tensor floor(const Operand& x) { return elementwise("floor", {x}, Unary::floor, zero_rule); }
Tensor ceil(const Operand& x) { return elementwise("ceil", {x}, Unary::ceil, zero_rule); }
Tensor round(const Operand& x) { return elementwise("round", {x}, Unary::round, zero_rule); }

}  // namespace xgrad
