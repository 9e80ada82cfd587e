#pragma once
#include <autograd/array.hpp>
#include <autograd/error.hpp>
#include <autograd/kernels/table.hpp>
#include <vector>

/// What several ops need to hand an array to a kernel.
namespace xgrad {

/// A loop over `shape` whose arrays have the given strides.
inline kernels::Loop<2> loop_over(const Shape& shape, const Shape& to, const Shape& from) {
  kernels::Loop<2> loop;
  loop.rank = shape.ndim();
  for (int d = 0; d < loop.rank; ++d) {
    loop.sizes[d] = shape[d];
    loop.strides[0][d] = to[d];
    loop.strides[1][d] = from[d];
  }
  loop.collapse();
  return loop;
}

/// A new array of `shape` whose element at an index is x's element `first` + index . strides.
inline Array strided_copy(const Array& x, const Shape& shape, const Shape& strides, std::int64_t first = 0) {
  Array result(x.dtype(), shape);
  if (result.size() > 0)
    kernels::table().copy[int(x.dtype())](x.data<std::byte>() + first * static_cast<std::int64_t>(size_of(x.dtype())),
                                          result.data(), loop_over(shape, detail::strides_of(shape), strides));
  return result;
}

/// The position on an axis counted from the front; throws in the name of the op in progress if there is none such.
inline std::int64_t checked_position(std::int64_t i, int axis, const Shape& shape) {
  const std::int64_t size = shape[axis];
  if (i < -size || i >= size)
    throw ValueError(OpScope::prefix() + text("index ", i, " is out of range for axis ", axis, " of shape ", shape));
  return i < 0 ? i + size : i;
}

/// An array seen around one axis, or around a run of neighbouring ones: (outer, count, inner).
struct AxisView {
  std::int64_t outer, count, inner;
  AxisView(const Shape& shape, int first, int last)
      : outer(shape.product(0, first)),
        count(shape.product(first, last + 1)),
        inner(shape.product(last + 1, shape.ndim())) {}
  AxisView(const Shape& shape, int axis) : AxisView(shape, axis, axis) {}
};

/// Runs of neighbouring axes, innermost run first: what a reduction does one after another.
inline std::vector<std::pair<int, int>> axis_runs(const std::vector<int>& sorted_axes) {
  std::vector<std::pair<int, int>> runs;
  for (auto it = sorted_axes.rbegin(); it != sorted_axes.rend(); ++it) {
    if (!runs.empty() && runs.back().first == *it + 1) {
      runs.back().first = *it;
    } else {
      runs.emplace_back(*it, *it);
    }
  }
  return runs;
}

}  // namespace xgrad
