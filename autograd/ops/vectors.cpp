#include <autograd/ops/reduce.hpp>

/// The ops of vectors along an axis, made of others.
namespace xgrad {

Tensor normalize(const Operand& x, double p, int axis, double eps) {
  const OpScope scope("normalize", x.place());
  return x / maximum(norm(x, {axis}, true, p), eps);
}

Tensor cosine_similarity(const Operand& a, const Operand& b, int axis, double eps) {
  const OpScope scope("cosine_similarity", a.place());
  Shape both;
  if (!broadcast(a.shape(), b.shape(), both))
    scope.fail("shapes do not broadcast: a is ", a.shape(), ", b is ", b.shape());
  axis = checked_axis(axis, both);
  const Tensor p = broadcast_to(a, both), q = broadcast_to(b, both);
  return sum(normalize(p, 2, axis, eps) * normalize(q, 2, axis, eps), {axis});
}

Tensor cdist(const Operand& a, const Operand& b, double p) {
  const OpScope scope("cdist", a.place());
  if (a.ndim() < 2 || b.ndim() < 2 || a.shape()[-1] != b.shape()[-1])
    scope.fail("needs (..., m, k) and (..., n, k), and a is ", a.shape(), ", b is ", b.shape());
  const auto batch_of = [](const Operand& x) { return Shape(x.shape().begin(), x.shape().end() - 2); };
  Shape batch;
  if (!broadcast(batch_of(a), batch_of(b), batch))
    scope.fail("batch axes do not broadcast: a is ", a.shape(), ", b is ", b.shape(),
               "; sizes before the last two must agree or be 1");
  return norm(unsqueeze(a, -2) - unsqueeze(b, -3), {-1}, false, p);
}

Tensor cross(const Operand& a, const Operand& b, int axis) {
  const OpScope scope("cross", a.place());
  Shape both;
  if (!broadcast(a.shape(), b.shape(), both))
    scope.fail("shapes do not broadcast: a is ", a.shape(), ", b is ", b.shape());
  axis = checked_axis(axis, both);
  if (both[axis] != 3) scope.fail("needs 3 elements along axis ", axis, ", and a is ", a.shape(), ", b is ", b.shape());
  const Tensor p = broadcast_to(a, both), q = broadcast_to(b, both);
  const Tensor next = tensor({1, 2, 0}, {.dtype = i64}), last = tensor({2, 0, 1}, {.dtype = i64});
  return take(p, next, axis) * take(q, last, axis) - take(p, last, axis) * take(q, next, axis);
}

}  // namespace xgrad
