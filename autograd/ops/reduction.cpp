#include <autograd/core/kernel_calls.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/primitive.hpp>

/// The reductions by a kernel.
namespace xgrad {

using kernels::Reduce;

Tensor sum(const Operand& x, const Axes& axes, bool keepdims) {
  const OpScope scope("sum", x.place());
  if (x.dtype() == boolean) return sum(x.tensor().to(i64), axes, keepdims);
  const Reduction r(x, axes, keepdims);
  return primitive(
      "sum", {x}, [&] { return r.run(Reduce::sum, x.array()); },
      [from = r.from, kept = r.kept](const Tensor& g) { return broadcast_to(with_axes(g, kept), from); });
}

Tensor mean(const Operand& x, const Axes& axes, bool keepdims) {
  const OpScope scope("mean", x.place());
  if (x.dtype() != boolean) check_floating(x);
  const Reduction r(x, axes, keepdims);
  const auto count = static_cast<double>(r.count);
  if (x.dtype() == boolean) return (sum(x, axes, keepdims).to(f64) / count).to(f32);
  return primitive(
      "mean", {x}, [&] { return detail::divided(r.run(Reduce::sum, x.array()), count); },
      [from = r.from, kept = r.kept, count](const Tensor& g) {
        return broadcast_to(with_axes(g / count, kept), from);
      });
}

namespace {

/// The product along one axis. d/dx is what lies before times what lies behind: exact with any number of zeros, and
/// finite where the product itself underflows.
Tensor product(const Operand& x, int axis, const Shape& result) {
  return primitive(
      "prod", {x}, [&] { return Reduction(x, {axis}, false).run(Reduce::prod, x.array()).viewed(result); },
      [x, axis](const Tensor& g) {
        Shape kept = x.shape();
        kept[axis] = 1;
        return with_axes(g, kept) * (exclusive_cumprod(x, axis, false) * exclusive_cumprod(x, axis, true));
      });
}

}  // namespace

Tensor prod(const Operand& x, const Axes& axes, bool keepdims) {
  const OpScope scope("prod", x.place());
  if (x.dtype() == boolean) return prod(x.tensor().to(i64), axes, keepdims);
  const Reduction r(x, axes, keepdims);
  const std::vector<int> along = r.axes();
  const auto runs = axis_runs(along);
  if (runs.size() == 1 && runs[0].first == runs[0].second) return product(x, along[0], r.result);
  // The axes as one, the last: neighbours stand so already.
  const Tensor together = runs.size() <= 1 ? x.tensor() : permute(x, AxesLast(x.ndim(), along).order);
  const int first = runs.size() == 1 ? runs[0].first : x.ndim() - static_cast<int>(along.size());
  const int last = first + static_cast<int>(along.size());
  const Shape& s = together.shape();
  return product(reshape(together, {s.product(0, first), r.count, s.product(last, s.ndim())}), 1, r.result);
}

namespace {

Tensor extremum(const char* name, Reduce kind, const Operand& x, const Axes& axes, bool keepdims) {
  const OpScope scope(name, x.place());
  const Reduction r(x, axes, keepdims);
  if (r.count == 0)
    scope.fail<ValueError>("no elements to choose from: the input is ", r.from, "; check its size first");
  if (x.dtype() == boolean) return (kind == Reduce::max ? any : all)(x, axes, keepdims);
  return primitive(
      name, {x}, [&] { return r.run(kind, x.array()); },
      // A NaN is what made y NaN, so it takes the gradient.
      [x, axes = r.axes(), kept = r.kept](const Tensor& g, const Tensor& y) {
        const Tensor chosen = logical_or(x == with_axes(y, kept), isnan(x));
        const Tensor ties = sum(chosen.to(x.dtype()), axes, true);
        return where(chosen, with_axes(g, kept) / with_axes(ties, kept), 0);
      });
}

}  // namespace

Tensor max(const Operand& x, const Axes& axes, bool keepdims) {
  return extremum("max", Reduce::max, x, axes, keepdims);
}

Tensor min(const Operand& x, const Axes& axes, bool keepdims) {
  return extremum("min", Reduce::min, x, axes, keepdims);
}

Tensor all(const Operand& x, const Axes& axes, bool keepdims) {
  const OpScope scope("all", x.place());
  return prod(x.tensor().to(boolean), axes, keepdims).to(boolean);
}

Tensor any(const Operand& x, const Axes& axes, bool keepdims) {
  const OpScope scope("any", x.place());
  return sum(x.tensor().to(boolean), axes, keepdims).to(boolean);
}

}  // namespace xgrad
