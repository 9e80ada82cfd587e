#include <algorithm>
#include <autograd/ops/reduce.hpp>

namespace xgrad {

Reduction::Reduction(const Operand& x, const std::vector<int>& along, bool keepdims)
    : axes(checked_axes(along, x.ndim())), from(x.shape()), kept(from), result(from) {
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    count *= from[*axis];
    kept[*axis] = 1;
    if (!keepdims) result.erase(*axis);
  }
  if (keepdims) result = kept;
}

Array Reduction::run(kernels::Reduce kind, const Array& x) const {
  const auto kernel = kernels::table().reduce[int(kind)][int(x.dtype())];
  if (!kernel)
    throw DtypeError(OpScope::prefix() + text("not defined for ", name_of(x.dtype()), "; convert with .to(f32)"));
  if (axes.empty()) {  // of a 0-d tensor
    Array single(x.dtype(), result);
    kernel(x.data(), single.data(), 1, 1, 1);
    return single;
  }
  Array current = x;
  for (const auto& [first, last] : axis_runs(axes)) {
    const AxisView view(current.shape(), first, last);
    Shape shape = current.shape();
    for (int d = first; d <= last; ++d) shape[d] = 1;
    Array next(x.dtype(), shape);
    if (next.size() > 0) kernel(current.data(), next.data(), view.outer, view.count, view.inner);
    current = std::move(next);
  }
  return current.viewed(result);
}

AxesLast::AxesLast(int ndim, const std::vector<int>& last) : back(static_cast<std::size_t>(ndim)) {
  for (int d = 0; d < ndim; ++d)
    if (!std::binary_search(last.begin(), last.end(), d)) order.push_back(d);
  order.insert(order.end(), last.begin(), last.end());
  for (int d = 0; d < ndim; ++d) back[static_cast<std::size_t>(order[static_cast<std::size_t>(d)])] = d;
}

void check_floating(const Operand& x) {
  if (!is_floating(x.dtype()))
    throw DtypeError(OpScope::prefix() + text("not defined for ", name_of(x.dtype()), "; convert with .to(f32)"));
}

}  // namespace xgrad
