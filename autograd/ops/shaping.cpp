#include <autograd/ops.hpp>
#include <autograd/ops/walk.hpp>
#include <autograd/primitive.hpp>

/// The ops that change shapes.
namespace xgrad {
namespace {

/// The same elements under another shape; the cotangent takes the old shape again.
Tensor viewed(const char* name, const Operand& x, const Shape& shape) {
  return primitive(
      name, {x}, [&] { return x.array().viewed(shape); },
      [from = x.shape()](const Tensor& g) { return reshape(g, from); });
}

}  // namespace

Tensor reshape(const Operand& x, const std::vector<std::int64_t>& shape) {
  const OpScope scope("reshape", x.place());
  Shape result(shape);
  int unknown = -1;
  std::int64_t known = 1;
  for (int d = 0; d < result.ndim(); ++d) {
    if (result[d] == -1) {
      if (unknown >= 0) scope.fail("only one size can be -1, and shape ", result, " has two");
      unknown = d;
    } else if (result[d] < 0) {
      scope.fail("negative size in shape ", result);
    } else if (__builtin_mul_overflow(known, result[d], &known)) {
      scope.fail("shape ", result, " has more elements than can be counted");
    }
  }
  if (unknown >= 0) {
    if (known == 0) scope.fail("the -1 in shape ", result, " can be any size for 0 elements; write the size");
    result[unknown] = x.size() / known;
    known *= result[unknown];
  }
  if (known != x.size())
    scope.fail("shape ", Shape(shape), " is invalid for an input of ", x.size(), " elements, ", x.shape());
  check_sizes(result);
  return viewed("reshape", x, result);
}

Tensor flatten(const Operand& x, int first_axis, int last_axis) {
  const OpScope scope("flatten", x.place());
  if (x.ndim() == 0) return viewed("flatten", x, {1});
  const int first = checked_axis(first_axis, x.shape()), last = checked_axis(last_axis, x.shape());
  if (first > last) scope.fail("axis ", first, " comes after axis ", last, "; give the first one first");
  Shape shape(x.shape().begin(), x.shape().begin() + first);
  shape.push_back(x.shape().product(first, last + 1));
  for (int d = last + 1; d < x.ndim(); ++d) shape.push_back(x.shape()[d]);
  return viewed("flatten", x, shape);
}

Tensor squeeze(const Operand& x, int axis) {
  const OpScope scope("squeeze", x.place());
  Shape shape = x.shape();
  axis = checked_axis(axis, shape);
  if (shape[axis] != 1) scope.fail("axis ", axis, " of shape ", shape, " has size ", shape[axis], ", not 1");
  shape.erase(axis);
  return viewed("squeeze", x, shape);
}

Tensor squeeze(const Operand& x, const Axes& axes) {
  const OpScope scope("squeeze", x.place());
  const std::vector<int>& given = axes;
  Shape shape = x.shape();
  const std::vector<int> all = given.empty() && shape.ndim() == 0 ? given : checked_axes(axes, shape);
  for (auto axis = all.rbegin(); axis != all.rend(); ++axis) {
    if (shape[*axis] == 1) {
      shape.erase(*axis);
    } else if (!given.empty()) {
      scope.fail("axis ", *axis, " of shape ", x.shape(), " has size ", shape[*axis], ", not 1");
    }
  }
  return viewed("squeeze", x, shape);
}

Tensor unsqueeze(const Operand& x, int axis) {
  const OpScope scope("unsqueeze", x.place());
  Shape shape = x.shape();
  shape.insert(checked_axis(axis, shape, 1), 1);
  return viewed("unsqueeze", x, shape);
}

Tensor permute(const Operand& x, const Axes& order) {
  const OpScope scope("permute", x.place());
  const std::vector<int>& axes = order;
  const int ndim = x.ndim();
  if (static_cast<int>(axes.size()) != ndim)
    scope.fail(axes.size(), " axes for a tensor of shape ", x.shape(), "; give each of its ", ndim, " axes once");
  if (ndim > 0) checked_axes(axes, x.shape());
  const Shape strides = detail::strides_of(x.shape());
  Shape shape, from;
  std::vector<int> back(axes.size());
  for (int d = 0; d < ndim; ++d) {
    const int axis = checked_axis(axes[static_cast<std::size_t>(d)], x.shape());
    shape.push_back(x.shape()[axis]);
    from.push_back(strides[axis]);
    back[static_cast<std::size_t>(axis)] = d;
  }
  return primitive(
      "permute", {x}, [&] { return strided_copy(x.array(), shape, from); },
      [back = std::move(back)](const Tensor& g) { return permute(g, back); });
}

Tensor transpose(const Operand& x) {
  const OpScope scope("transpose", x.place());
  if (x.ndim() < 2) scope.fail("needs at least 2 axes, and the input is ", x.shape());
  std::vector<int> axes;
  for (int d = 0; d < x.ndim(); ++d) axes.push_back(d);
  std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
  return permute(x, axes);
}

Tensor swap_axes(const Operand& x, int axis_a, int axis_b) {
  const OpScope scope("swap_axes", x.place());
  const int a = checked_axis(axis_a, x.shape()), b = checked_axis(axis_b, x.shape());
  std::vector<int> axes;
  for (int d = 0; d < x.ndim(); ++d) axes.push_back(d == a ? b : d == b ? a : d);
  return permute(x, axes);
}

Tensor broadcast_to(const Operand& x, const Shape& shape) {
  const OpScope scope("broadcast_to", x.place());
  check_sizes(shape);
  Shape result;
  if (!broadcast(x.shape(), shape, result) || result != shape)
    scope.fail("shape ", x.shape(), " does not broadcast to ", shape,
               "; sizes must agree or be 1, counted from the last axis");
  if (x.shape() == shape) return x.tensor();
  const Shape from = broadcast_strides(x.shape(), shape);
  return primitive(
      "broadcast_to", {x}, [&] { return strided_copy(x.array(), shape, from); },
      [to = x.shape()](const Tensor& g) { return sum_to(g, to); });
}

Tensor sum_to(const Operand& x, const Shape& shape) {
  const OpScope scope("sum_to", x.place());
  if (x.dtype() == boolean) return sum_to(x.tensor().to(i64), shape);
  Shape result;
  if (!broadcast(shape, x.shape(), result) || result != x.shape())
    scope.fail("shape ", shape, " was not broadcast to ", x.shape());
  if (x.shape() == shape) return x.tensor();
  std::vector<int> axes;
  const int added = x.ndim() - shape.ndim();
  for (int d = 0; d < x.ndim(); ++d)
    if (d < added || shape[d - added] != x.shape()[d]) axes.push_back(d);
  const Tensor summed = sum(x, axes);
  return summed.shape() == shape ? summed : viewed("sum_to", summed, shape);
}

}  // namespace xgrad
