#include <autograd/ops.hpp>
#include <autograd/ops/walk.hpp>
#include <autograd/primitive.hpp>

namespace xgrad {
namespace {

/// The shape with the axes gone, or kept with size 1.
Shape reduced_shape(const Shape& shape, const std::vector<int>& axes, bool keepdims) {
  Shape result = shape;
  for (auto it = axes.rbegin(); it != axes.rend(); ++it) {
    if (keepdims) {
      result[*it] = 1;
    } else {
      result.erase(*it);
    }
  }
  return result;
}

/// Reduces the runs of axes one after another, innermost first.
Array reduce(kernels::Reduce kind, const Array& x, const std::vector<int>& axes, const Shape& result) {
  const auto kernel = kernels::table().reduce[int(kind)][int(x.dtype())];
  if (!kernel)
    throw DtypeError(OpScope::prefix() + text("not defined for ", name_of(x.dtype()), "; convert with .to(f32)"));
  Array current = x;
  for (const auto& [first, last] : axis_runs(axes)) {
    const AxisView view(current.shape(), first, last);
    Shape shape = current.shape();
    for (int d = first; d <= last; ++d) shape[d] = 1;
    Array next(x.dtype(), shape);
    if (next.size() > 0) kernel(current.data(), next.data(), view.outer, view.count, view.inner);
    current = std::move(next);
  }
  return axes.empty() ? x.clone() : current.viewed(result);
}

}  // namespace

Tensor sum(const Operand& x, const std::vector<int>& axes, bool keepdims) {
  const OpScope scope("sum", x.place());
  const std::vector<int> along = checked_axes(axes, x.ndim());
  const Shape shape = reduced_shape(x.shape(), along, keepdims), kept = reduced_shape(x.shape(), along, true);
  return primitive(
      "sum", {x}, [&] { return reduce(kernels::Reduce::sum, x.array(), along, shape); },
      [from = x.shape(), kept](const Tensor& g) {
        return broadcast_to(reshape(g, {kept.begin(), kept.end()}), from);
      });
}

}  // namespace xgrad
