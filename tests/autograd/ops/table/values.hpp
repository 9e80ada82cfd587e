#pragma once
#include <autograd/tensor.hpp>
#include <functional>
#include <vector>

/// Numbers for references: long double, row-major, as simple as can be.
namespace xgrad::op_table {

using Real = long double;
using Index = std::vector<std::int64_t>;

struct Values {
  Shape shape;
  std::vector<Real> v;

  Values() = default;
  explicit Values(const Shape& s, Real fill = 0) : shape(s), v(static_cast<std::size_t>(s.size()), fill) {}
  explicit Values(const Tensor& t);
  std::size_t offset(const Index& index) const;
  Real& operator[](const Index& index) { return v[offset(index)]; }
  Real operator[](const Index& index) const { return v[offset(index)]; }
};

/// Calls visit(index) for each index of `shape`, in row-major order.
void each_index(const Shape& shape, const std::function<void(const Index&)>& visit);
/// A new array whose element at an index is `element(index)`.
Values build(const Shape& shape, const std::function<Real(const Index&)>& element);
/// The shape that all broadcast to; asserts that they do.
Shape broadcast_of(const std::vector<Values>& inputs);
/// x's element under an index of the shape that it was broadcast to.
Real broadcast_element(const Values& x, const Index& index);
/// The axis counted from the front.
inline int axis_of(int axis, const Shape& shape) { return axis < 0 ? axis + shape.ndim() : axis; }
/// The index counted from the front.
inline std::int64_t counted(Real index, std::int64_t size) {
  const auto i = static_cast<std::int64_t>(index);
  return i < 0 ? i + size : i;
}
/// The shape without an axis.
inline Shape without(Shape shape, int axis) {
  shape.erase(axis_of(axis, shape));
  return shape;
}

/// An elementwise reference, with broadcasting.
using ElementReference = std::function<Values(const std::vector<Values>&)>;
ElementReference each(Real (*f)(Real));
ElementReference each(Real (*f)(Real, Real));
ElementReference each(Real (*f)(Real, Real, Real));

}  // namespace xgrad::op_table
