#include <algorithm>
#include <autograd/error.hpp>
#include <autograd/shape.hpp>
#include <ostream>

// Shapes: printing, broadcasting, and checks of sizes and axes.
namespace xgrad {
namespace {

[[noreturn]] void fail_rank(Place place) {
  const OpScope scope("Shape", place);
  scope.fail("more than ", Shape::max_ndim, " axes; merge some with reshape");
}

}  // namespace

Shape::Shape(const std::int64_t* begin, const std::int64_t* end, Place place) : Shape() {
  if (end - begin > max_ndim) fail_rank(place);
  for (const std::int64_t* s = begin; s != end; ++s) sizes_[ndim_++] = *s;
}

void Shape::push_back(std::int64_t size, Place place) { insert(ndim_, size, place); }

void Shape::insert(int before, std::int64_t size, Place place) {
  if (ndim_ == max_ndim) fail_rank(place);
  for (int d = ndim_; d > before; --d) sizes_[d] = sizes_[d - 1];
  sizes_[before] = size;
  ++ndim_;
}

void Shape::erase(int axis) {
  for (int d = axis; d + 1 < ndim_; ++d) sizes_[d] = sizes_[d + 1];
  --ndim_;
}

std::string Shape::str() const {
  std::string s = "(";
  for (int d = 0; d < ndim_; ++d) s += text(d > 0 ? ", " : "", sizes_[d]);
  return s + (ndim_ == 1 ? ",)" : ")");
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.str(); }

bool broadcast(const Shape& a, const Shape& b, Shape& result) {
  if (a == b) {
    result = a;
    return true;
  }
  result = a.ndim() >= b.ndim() ? a : b;
  for (int d = 1; d <= result.ndim(); ++d) {
    const std::int64_t p = d <= a.ndim() ? a[-d] : 1, q = d <= b.ndim() ? b[-d] : 1;
    if (p != q && p != 1 && q != 1) return false;
    result[-d] = p == 1 ? q : p;
  }
  return true;
}

Shape broadcast_strides(const Shape& from, const Shape& to) {
  Shape strides = to;
  std::int64_t stride = 1;
  for (int d = 1; d <= to.ndim(); ++d) {
    const std::int64_t size = d <= from.ndim() ? from[-d] : 1;
    strides[-d] = size == 1 ? 0 : stride;
    stride *= size;
  }
  return strides;
}

int checked_axis(int axis, const Shape& shape, int added) {
  const int ndim = shape.ndim() + added;
  if (axis < -ndim || axis >= ndim) {
    if (ndim == 0)
      detail::fail<ShapeError>("axis ", axis, " of a 0-d tensor, which has no axes; reshape(x, {1}) gives it one");
    detail::fail<ShapeError>("axis ", axis, " is out of range for a tensor of shape ", shape, "; expected one in [",
                             -ndim, ", ", ndim - 1, "]");
  }
  return axis < 0 ? axis + ndim : axis;
}

std::vector<int> checked_axes(const std::vector<int>& axes, const Shape& shape) {
  std::vector<int> result;
  if (axes.empty()) {
    for (int d = 0; d < shape.ndim(); ++d) result.push_back(d);
    return result;
  }
  for (int axis : axes) result.push_back(checked_axis(axis, shape));
  std::sort(result.begin(), result.end());
  const auto twice = std::adjacent_find(result.begin(), result.end());
  if (twice != result.end())
    detail::fail<ShapeError>("axis ", *twice, " of a tensor of shape ", shape,
                             " appears more than once; give each axis once");
  return result;
}

std::int64_t detail::examined_size(const Shape& shape) {
  constexpr std::int64_t most = std::int64_t{1} << 59;
  std::int64_t n = 1;
  bool empty = false, countable = true;
  for (const std::int64_t size : shape) {
    if (size < 0) detail::fail<ShapeError>("negative size in shape ", shape);
    empty |= size == 0;
    if (size > 0 && countable) countable = !__builtin_mul_overflow(n, size, &n) && n <= most;
  }
  if (!countable) detail::fail<ShapeError>("shape ", shape, " has more elements than can be counted");
  return empty ? 0 : n;
}

}  // namespace xgrad
