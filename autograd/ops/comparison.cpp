#include <algorithm>
#include <autograd/ops.hpp>
#include <autograd/ops/together.hpp>
#include <autograd/primitive.hpp>

/// The ops of comparison and choice.
namespace xgrad {

using kernels::Binary, kernels::Compare, kernels::Predicate;

Tensor operator==(const Operand& a, const Operand& b) { return compare("equal", a, b, Compare::equal); }
Tensor operator!=(const Operand& a, const Operand& b) { return compare("not_equal", a, b, Compare::not_equal); }
Tensor operator<(const Operand& a, const Operand& b) { return compare("less", a, b, Compare::less); }
Tensor operator<=(const Operand& a, const Operand& b) { return compare("less_equal", a, b, Compare::less_equal); }
Tensor operator>(const Operand& a, const Operand& b) { return compare("greater", a, b, Compare::greater); }
Tensor operator>=(const Operand& a, const Operand& b) { return compare("greater_equal", a, b, Compare::greater_equal); }
Tensor logical_and(const Operand& a, const Operand& b) { return compare("logical_and", a, b, Compare::logical_and); }
Tensor logical_or(const Operand& a, const Operand& b) { return compare("logical_or", a, b, Compare::logical_or); }
Tensor logical_xor(const Operand& a, const Operand& b) { return compare("logical_xor", a, b, Compare::logical_xor); }
Tensor logical_not(const Operand& x) { return predicate("logical_not", x, Predicate::logical_not); }
Tensor isnan(const Operand& x) { return predicate("isnan", x, Predicate::isnan); }
Tensor isfinite(const Operand& x) { return predicate("isfinite", x, Predicate::isfinite); }

namespace {

kernels::Loop<3> loop_over(const Shape& shape, const Shape* const (&inputs)[3]) {
  kernels::Loop<3> loop;
  loop.rank = shape.ndim();
  std::copy(shape.begin(), shape.end(), loop.sizes);
  for (int i = 0; i < 3; ++i) {
    const Shape strides = broadcast_strides(*inputs[i], shape);
    std::copy(strides.begin(), strides.end(), loop.strides[i]);
  }
  loop.collapse();
  return loop;
}

Array select(const OpScope& scope, const Tensor& mask, const Tensor& a, const Tensor& b) {
  if (mask.dtype() != boolean)
    scope.fail<DtypeError>("the mask is ", name_of(mask.dtype()), ", not boolean; compare it, as in mask != 0");
  if (a.dtype() != b.dtype())
    scope.fail<DtypeError>("a is ", name_of(a.dtype()), ", b is ", name_of(b.dtype()), "; convert one with .to(...)");
  Shape both, shape;
  if (!broadcast(a.shape(), b.shape(), both) || !broadcast(mask.shape(), both, shape))
    scope.fail("shapes do not broadcast: mask is ", mask.shape(), ", a is ", a.shape(), ", b is ", b.shape(),
               "; sizes must agree or be 1, counted from the last axis");
  Array result(a.dtype(), shape);
  if (result.size() > 0)
    kernels::table().select[int(a.dtype())](mask.data<bool>(), a.array().data(), b.array().data(), result.data(),
                                            loop_over(shape, {&mask.shape(), &a.shape(), &b.shape()}));
  return result;
}

}  // namespace

Tensor where(const Operand& mask, const Operand& a, const Operand& b) {
  const OpScope scope("where", mask.place());
  const Dtype dtype = !a.is_number() ? a.dtype() : !b.is_number() ? b.dtype() : f32;
  const Tensor m = mask.tensor(), p = a.tensor(dtype), q = b.tensor(dtype);
  return primitive(
      "where", {m, p, q}, [&] { return select(scope, m, p, q); }, not_differentiable,
      [m, shape = p.shape()](const Tensor& g) { return sum_to(where(m, g, 0), shape); },
      [m, shape = q.shape()](const Tensor& g) { return sum_to(where(m, 0, g), shape); });
}

namespace {

/// What `a` gets of g where it may have lost to `b`: nothing, half of it on a tie, else all; a NaN loses to nothing.
Tensor share(const Tensor& g, const Tensor& lost, const Tensor& tie) { return where(lost, 0, where(tie, g * 0.5, g)); }

}  // namespace

Tensor minimum(const Operand& a, const Operand& b) {
  return elementwise(
      "minimum", {a, b}, Binary::minimum, [a, b](const Tensor& g) { return share(g, a > b, a == b); },
      [a, b](const Tensor& g) { return share(g, b > a, a == b); });
}

Tensor maximum(const Operand& a, const Operand& b) {
  return elementwise(
      "maximum", {a, b}, Binary::maximum, [a, b](const Tensor& g) { return share(g, a < b, a == b); },
      [a, b](const Tensor& g) { return share(g, b < a, a == b); });
}

namespace {

/// Tensors as bounds; where low > high the result is high, which gets the gradient.
Tensor clamp_between(const Tensor& x, const Tensor& low, const Tensor& high) {
  const auto forward = [&] { return minimum(maximum(x.detach(), low.detach()), high.detach()).array(); };
  return primitive(
      "clamp", {x, low, high}, forward,
      [x, low, high](const Tensor& g) { return sum_to(where(logical_and(x >= low, x <= high), g, 0), x.shape()); },
      [x, low, high](const Tensor& g) { return sum_to(where(logical_and(x < low, low <= high), g, 0), low.shape()); },
      [x, low, high](const Tensor& g) { return sum_to(where(logical_or(x > high, low > high), g, 0), high.shape()); });
}

}  // namespace

Tensor clamp(const Operand& x, const Operand& lower, const Operand& upper) {
  const OpScope scope("clamp", x.place());
  if (!lower.is_number() || !upper.is_number()) {
    check_together({{"x", x}, {"low", lower}, {"high", upper}});
    const Dtype dtype = lower.is_number() ? upper.dtype() : lower.dtype();
    return clamp_between(x.tensor(dtype), lower.tensor(dtype), upper.tensor(dtype));
  }
  const Number low = lower.number(), high = upper.number();
  const bool integers = low.fits(i64) && high.fits(i64);
  if (!(integers ? low.integer() <= high.integer() : low.real() <= high.real()))
    scope.fail<ValueError>("low is ", low, ", high is ", high, "; expected low <= high");
  const auto forward = [&] { return minimum(maximum(x.tensor().detach(), low), high).array(); };
  return primitive("clamp", {x}, forward,
                   [x, low, high](const Tensor& g) { return where(logical_and(x >= low, x <= high), g, 0); });
}

}  // namespace xgrad
