#include <autograd/linalg/factors.hpp>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>

/// Systems, inverses and powers.
namespace xgrad::linalg {

Tensor solved(const Operand& a, const Operand& b, const SharedFactors& factors, bool transpose) {
  const OpScope scope("linalg::solve", a.place());
  const System system(scope, a, b);
  return primitive(
      "linalg::solve", {a, b}, [&] { return factors->solution(system, b.array(), transpose); },
      [a = Saved(a), factors, transpose, of = a.shape()](const Tensor& g, const Tensor& x) {
        const Tensor h = solved(a, g, factors, !transpose);
        return -sum_to(transpose ? matmul(x, h, {.transpose_b = true}) : matmul(h, x, {.transpose_b = true}), of);
      },
      [a = Saved(a), factors, transpose, of = b.shape()](const Tensor& g) {
        return sum_to(solved(a, g, factors, !transpose), of);
      });
}

Tensor solve(const Operand& a, const Operand& b) {
  const OpScope scope("linalg::solve", a.place());
  check_square(scope, "a", a);
  check_right_side(scope, a, b);
  return with_columns(b, [&](const Operand& columns) {
    const System fits(scope, a, columns);
    const SharedFactors factors = factors_of(a);
    factors->check_regular();
    return solved(a, columns, factors, false);
  });
}

Tensor inv(const Operand& a) {
  const OpScope scope("linalg::inv", a.place());
  check_square(scope, "a", a);
  const auto forward = [&] {
    const Factors factors(a);
    factors.check_regular();
    return factors.inverse();
  };
  return primitive("linalg::inv", {a}, forward, [](const Tensor& g, const Tensor& y) {
    return -matmul(matmul(y, g, {.transpose_a = true}), y, {.transpose_b = true});
  });
}

Tensor matrix_power(const Operand& a, std::int64_t n) {
  const OpScope scope("linalg::matrix_power", a.place());
  check_square(scope, "a", a);
  Tensor square = n < 0 ? inv(a) : a.tensor(), result;
  for (std::uint64_t left = n < 0 ? -static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n); left > 0;) {
    if (left % 2) result = result.defined() ? matmul(result, square) : square;
    if (left /= 2) square = matmul(square, square);
  }
  return result.defined() ? result : broadcast_to(eye(a.shape()[-1], {.dtype = a.dtype()}), a.shape());
}

}  // namespace xgrad::linalg
