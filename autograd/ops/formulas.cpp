#include <algorithm>
#include <autograd/ops.hpp>
#include <autograd/ops/together.hpp>
#include <autograd/primitive.hpp>
#include <autograd/support/limits.hpp>
#include <limits>
#include <numbers>

/// The ops of formulas that are less common.
namespace xgrad {

using kernels::Binary, kernels::Unary;

namespace {

using detail::infinity;

/// a / y where y = hypot(a, b): 0 at the origin, and where y is infinite the direction of the operands that are.
Tensor share_of(const Tensor& a, const Tensor& y) {
  const Tensor infinite = y == infinity, size = where(logical_or(y == 0, infinite), 1, y);
  return where(infinite, where(abs(a) == infinity, sign(a), 0), where(infinite, 0, a) / size);
}

}  // namespace

Tensor hypot(const Operand& a, const Operand& b) {
  const OpScope scope("hypot", a.place());
  if (b.is_number()) return hypot(a, b.tensor(a.dtype()));
  if (a.is_number()) return hypot(a.tensor(b.dtype()), b);
  return elementwise(
      "hypot", {a, b}, Binary::hypot,
      [a = a.tensor()](const Tensor& g, const Tensor& y) { return where(y == 0, 0, g) * share_of(a, y); },
      [b = b.tensor()](const Tensor& g, const Tensor& y) { return where(y == 0, 0, g) * share_of(b, y); });
}

Tensor lerp(const Operand& a, const Operand& b, const Operand& w) {
  const OpScope scope("lerp", a.place());
  check_together({{"a", a}, {"b", b}, {"w", w}});
  const bool ends_are_numbers = a.is_number() && b.is_number() && !w.is_number();
  const Tensor way = ends_are_numbers ? b.tensor(w.dtype()) - a : b - a;
  // From the end that is nearer, so that both are met exactly.
  if (w.is_number()) {
    const double share = w.number().real();
    return share < 0.5 ? a + share * way : b - (1 - share) * way;
  }
  return where(w < 0.5, a + w * way, b - (1 - w) * way);
}

namespace {

/// a - b for a sigmoid: 0 where both are infinite alike, and -inf where both are -inf, which has no derivative.
Tensor apart(const Operand& a, const Operand& b) {
  const Tensor alike = logical_and(a == b, abs(a.tensor(b.is_number() ? f64 : b.dtype())) == infinity);
  return where(alike, where(a < 0, -infinity, where(alike, 0, a - b)), a - b);
}

}  // namespace

Tensor logaddexp(const Operand& a, const Operand& b) {
  const OpScope scope("logaddexp", a.place());
  if (b.is_number()) return logaddexp(a, b.tensor(a.dtype()));
  if (a.is_number()) return logaddexp(a.tensor(b.dtype()), b);
  return elementwise(
      "logaddexp", {a, b}, Binary::logaddexp,
      [a = a.tensor(), b = b.tensor()](const Tensor& g) { return g * sigmoid(apart(a, b)); },
      [a = a.tensor(), b = b.tensor()](const Tensor& g) { return g * sigmoid(apart(b, a)); });
}

Tensor xlogy(const Operand& a, const Operand& b) {
  const OpScope scope("xlogy", a.place());
  if (b.is_number()) return xlogy(a, b.tensor(a.dtype()));
  if (a.is_number()) return xlogy(a.tensor(b.dtype()), b);
  return elementwise(
      "xlogy", {a, b}, Binary::xlogy,
      [a = a.tensor(), b = b.tensor()](const Tensor& g) {
        const Tensor none = logical_and(a == 0, b <= 0);
        return where(none, 0, g * log(where(none, 1, b)));
      },
      [a = a.tensor(), b = b.tensor()](const Tensor& g) { return g * (a / b); });
}

Tensor sinc(const Operand& x) {
  const OpScope scope("sinc", x.place());
  // Beside 0 its series in (pi x)^2, as derivatives of the quotient are differences of large numbers there.
  const Tensor small = abs(x) < 0.25, u = std::numbers::pi * where(small, 1, x);
  const Tensor z = square(std::numbers::pi * where(small, x, 0));
  constexpr int terms = 10;
  Tensor series = 1 - z / (2 * terms * (2 * terms + 1));
  for (int k = terms - 1; k > 0; --k) series = 1 - z / (2 * k * (2 * k + 1)) * series;
  return where(small, series, sin(u) / u);
}

Tensor erfinv(const Operand& x) {
  return elementwise("erfinv", {x}, Unary::erfinv, [](const Tensor& g, const Tensor& y) {
    return g * (0.5 / std::numbers::inv_sqrtpi * exp(square(y)));
  });
}

Tensor lgamma(const Operand& x) {
  return elementwise("lgamma", {x}, Unary::lgamma, [x = Saved(x)](const Tensor& g) { return g * digamma(x); });
}

Tensor digamma(const Operand& x) {
  const OpScope scope("digamma", x.place());
  return polygamma(0, x);
}

Tensor polygamma(int n, const Operand& x) {
  const OpScope scope("polygamma", x.place());
  if (n < 0) scope.fail<ValueError>("n is ", n, "; it must be at least 0");
  const Operand order(n, x.place().file, x.place().line);
  return elementwise("polygamma", {order, x}, Binary::polygamma, not_differentiable,
                     [n, x = Saved(x)](const Tensor& g) { return g * polygamma(n + 1, x); });
}

Tensor nan_to_num(const Operand& x, const NanToNumOptions& options) {
  const OpScope scope("nan_to_num", x.place());
  const Tensor& t = x.tensor();
  if (!is_floating(t.dtype())) return t;
  const double most =
      t.dtype() == f32 ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
  const Tensor above = where(t == infinity, options.infinity.value_or(most), t);
  return where(isnan(t), options.nan, where(t == -infinity, options.negative_infinity.value_or(-most), above));
}

Tensor nansum(const Operand& x, const Axes& axes, bool keepdims) {
  const OpScope scope("nansum", x.place());
  return sum(where(isnan(x), 0, x), axes, keepdims);
}

Tensor nanmean(const Operand& x, const Axes& axes, bool keepdims) {
  const OpScope scope("nanmean", x.place());
  if (!is_floating(x.dtype())) return mean(x, axes, keepdims);  // none of them is NaN
  const Tensor missing = isnan(x);
  return nansum(x, axes, keepdims) / sum((!missing).to(x.dtype()), axes, keepdims);
}

}  // namespace xgrad
