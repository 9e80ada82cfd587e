#include <algorithm>
#include <autograd/core/kernel_calls.hpp>
#include <autograd/ops/reduce.hpp>

/// What the reductions share.
namespace xgrad {

Reduction::Reduction(const Operand& x, const std::vector<int>& axes, bool keepdims) : from(x.shape()), kept(from) {
  const int ndim = from.ndim();
  if (axes.empty()) std::fill_n(along, ndim, true);
  if (axes.size() == 1) along[checked_axis(axes[0], from)] = true;
  if (axes.size() > 1)
    for (const int axis : checked_axes(axes, from)) along[axis] = true;
  for (int d = 0; d < ndim; ++d) {
    if (along[d]) {
      count *= from[d];
      kept[d] = 1;
    }
    if (!along[d] || keepdims) result.push_back(kept[d]);
  }
}

std::vector<int> Reduction::axes() const {
  std::vector<int> axes;
  for (int d = 0; d < from.ndim(); ++d)
    if (along[d]) axes.push_back(d);
  return axes;
}

Array Reduction::run(kernels::Reduce kind, const Array& x) const {
  const auto kernel = detail::kernel_for(kernels::table().reduce[int(kind)], x.dtype());
  Array current;
  Shape shape = from;
  for (int last = from.ndim() - 1; last >= 0; --last) {
    if (!along[last]) continue;
    int first = last;
    while (first > 0 && along[first - 1]) --first;
    const AxisView view(shape, first, last);
    for (int d = first; d <= last; ++d) shape[d] = 1;
    Array next(x.dtype(), shape == kept ? result : shape);
    if (next.size() > 0)
      kernel(current.defined() ? current.data() : x.data(), next.data(), view.outer, view.count, view.inner);
    current = std::move(next);
    last = first;
  }
  if (!current.defined()) {  // of a 0-d tensor
    current = Array(x.dtype(), result);
    kernel(x.data(), current.data(), 1, 1, 1);
  }
  return current;
}

AxesLast::AxesLast(int ndim, const std::vector<int>& last) : back(static_cast<std::size_t>(ndim)) {
  for (int d = 0; d < ndim; ++d)
    if (!std::binary_search(last.begin(), last.end(), d)) order.push_back(d);
  order.insert(order.end(), last.begin(), last.end());
  for (int d = 0; d < ndim; ++d) back[static_cast<std::size_t>(order[static_cast<std::size_t>(d)])] = d;
}

void check_floating(const Operand& x) {
  if (!is_floating(x.dtype())) detail::fail_undefined_for(x.dtype());
}

}  // namespace xgrad
