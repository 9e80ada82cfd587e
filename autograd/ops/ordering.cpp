#include <autograd/ops.hpp>
#include <autograd/ops/walk.hpp>
#include <autograd/primitive.hpp>

/// The ops that look for an order.
namespace xgrad {
namespace {

Tensor arg_extremum(const char* name, const Operand& x, int axis, bool keepdims,
                    const kernels::Table::ArgFn (&kernels)[dtype_count]) {
  const OpScope scope(name, x.place());
  axis = checked_axis(axis, x.shape());
  if (x.shape()[axis] == 0)
    scope.fail<ValueError>("axis ", axis, " of shape ", x.shape(), " has no elements to choose from");
  const auto forward = [&] {
    Shape shape = x.shape();
    if (keepdims) {
      shape[axis] = 1;
    } else {
      shape.erase(axis);
    }
    Array index(i64, shape);
    const AxisView view(x.shape(), axis);
    kernels[int(x.dtype())](x.array().data(), index.data<std::int64_t>(), view.outer, view.count, view.inner);
    return index;
  };
  return primitive(name, {x}, forward, not_differentiable);
}

/// The place among all elements, in row-major order.
Tensor of_all(const char* name, const Operand& x, const kernels::Table::ArgFn (&kernels)[dtype_count]) {
  const OpScope scope(name, x.place());
  if (x.size() == 0)
    scope.fail<ValueError>("no elements to choose from: the input is ", x.shape(), "; check its size first");
  return arg_extremum(name, reshape(x, {x.size()}), 0, false, kernels);
}

/// The first `picks` elements of the axis' order, and where they stand.
Sorted first_sorted(const Operand& x, int axis, std::int64_t picks, bool descending) {
  const auto forward = [&] {
    Shape shape = x.shape();
    shape[axis] = picks;
    Array order(i64, shape);
    const AxisView view(x.shape(), axis);
    kernels::table().argsort[int(x.dtype())](x.array().data(), order.data<std::int64_t>(), view.outer, view.count,
                                             picks, view.inner, descending);
    return order;
  };
  const Tensor order = primitive("sort", {x}, forward, not_differentiable);
  return {gather(x, axis, order), order};
}

}  // namespace

Tensor argmax(const Operand& x, int axis, bool keepdims) {
  return arg_extremum("argmax", x, axis, keepdims, kernels::table().argmax);
}

Tensor argmin(const Operand& x, int axis, bool keepdims) {
  return arg_extremum("argmin", x, axis, keepdims, kernels::table().argmin);
}

Tensor argmax(const Operand& x) { return of_all("argmax", x, kernels::table().argmax); }

Tensor argmin(const Operand& x) { return of_all("argmin", x, kernels::table().argmin); }

Sorted sort(const Operand& x, int axis, bool descending) {
  const OpScope scope("sort", x.place());
  axis = checked_axis(axis, x.shape());
  return first_sorted(x, axis, x.shape()[axis], descending);
}

Sorted topk(const Operand& x, std::int64_t k, int axis) {
  const OpScope scope("topk", x.place());
  axis = checked_axis(axis, x.shape());
  if (k < 0 || k > x.shape()[axis])
    scope.fail<ValueError>("k is ", k, ", and axis ", axis, " of shape ", x.shape(), " has ", x.shape()[axis],
                           " elements; expected 0 <= k <= ", x.shape()[axis]);
  return first_sorted(x, axis, k, true);
}

}  // namespace xgrad
