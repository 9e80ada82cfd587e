#include <autograd/linalg/factors.hpp>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>
#include <numbers>

/// Determinants.
namespace xgrad::linalg {
namespace {

/// g a^-T for a cotangent g of one number for each matrix.
Tensor along_inverse(const Tensor& g, const Operand& a, const SharedFactors& factors) {
  const Tensor inverse = solved(a, eye(a.shape()[-1], {.dtype = a.dtype()}), factors, true);
  return reshape(g, with_matrices(g.shape(), 1, 1)) * inverse;
}

/// det(a), and det(a) a^-T, the derivative of it: of regular matrices.
Tensor regular_det(const Tensor& a, const SharedFactors& factors) {
  return primitive(
      "linalg::det", {a}, [&] { return factors->determinant(); },
      [a, factors](const Tensor& g, const Tensor& y) { return along_inverse(g * y, a, factors); });
}
Tensor regular_cofactors(const Tensor& a) {
  const SharedFactors factors = factors_of(a);
  return along_inverse(regular_det(a, factors), a, factors);
}

/// The derivative of det(a) without an inverse of a: that of det(a + t) is a polynomial of degree n - 1 in the number
/// t, so its values at n or more numbers other than 0 give the one at t = 0 by Lagrange's formula, with all derivatives
/// by a. At Chebyshev's nodes around 0 the weights stay small.
Tensor cofactors(const Tensor& a) {
  const std::int64_t n = a.shape()[-1], nodes = n + n % 2;
  std::vector<double> t(static_cast<std::size_t>(nodes)), weight(t.size());
  double total = 0;
  for (std::size_t k = 0; k < t.size(); ++k) {
    const double angle = (2 * double(k) + 1) * std::numbers::pi / (2 * double(nodes));
    t[k] = std::cos(angle);
    weight[k] = (k % 2 ? -1 : 1) * std::sin(angle) / t[k];
    total += weight[k];
  }
  const auto numbers = [&](const std::vector<double>& v) { return from_values(v, {nodes, 1, 1, 1}).to(a.dtype()); };
  const Tensor each = reshape(a, {1, -1, n, n}), size = max(abs(each.detach()), {-1, -2}, true) / 4;
  const Tensor shift = numbers(t) * where(size > 0, size, 1);
  const Tensor shifted = each + shift * eye(n, {.dtype = a.dtype()});
  return reshape(sum(numbers(weight) / total * regular_cofactors(shifted), 0), a.shape());
}

/// The derivative of det at matrices some of which may be singular. Each way gets the identity in place of the others'.
Tensor any_cofactors(const Tensor& a, const Tensor& is_singular) {
  const Tensor singular = reshape(is_singular, with_matrices(is_singular.shape(), 1, 1));
  const Tensor identity = eye(a.shape()[-1], {.dtype = a.dtype()});
  return where(singular, cofactors(where(singular, a, identity)), regular_cofactors(where(singular, identity, a)));
}

}  // namespace

Tensor det(const Operand& a) {
  const OpScope scope("linalg::det", a.place());
  check_square(scope, "a", a);
  const SharedFactors factors = factors_of(a);
  auto rule = [a = Saved(a), factors](const Tensor& g, const Tensor& y) {
    if (a.size() == 0) return zeros(a.shape(), {.dtype = g.dtype()});
    const Tensor singular(factors->singular());
    // A captured step goes both ways, for its replays may see other matrices.
    const bool all_regular = !capturing::active() && !any(singular).item<bool>();
    return reshape(g, with_matrices(g.shape(), 1, 1)) *
           (all_regular ? along_inverse(y, a, factors) : any_cofactors(a.tensor(), singular));
  };
  return primitive(
      "linalg::det", {a}, [&] { return factors->determinant(); }, std::move(rule));
}

SlogDet slogdet(const Operand& a) {
  const OpScope scope("linalg::slogdet", a.place());
  check_square(scope, "a", a);
  const SharedFactors factors = factors_of(a);
  const Array sign(a.dtype(), batch_of(a.shape()));
  const Tensor logabsdet = primitive(
      "linalg::slogdet", {a}, [&] { return factors->log_determinant(sign); },
      [a = Saved(a), factors](const Tensor& g) { return along_inverse(g, a, factors); });
  return {Tensor(sign), logabsdet};
}

}  // namespace xgrad::linalg
