#pragma once
#include <autograd/error.hpp>
#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#pragma GCC visibility push(default)

namespace xgrad {

/// The lengths of an array's axes, outermost first, at most eight: `Shape{2, 3}`, `Shape{}` for a single number.
class Shape {
 public:
  static constexpr int max_ndim = 8;

  Shape() { sizes_[0] = sizes_[1] = 0; }
  Shape(const Shape& other) { take(other); }
  Shape& operator=(const Shape& other) {
    take(other);
    return *this;
  }
  template <std::integral... I>
  requires(sizeof...(I) >= 1 && sizeof...(I) <= max_ndim) Shape(I... sizes) : Shape() {
    ((sizes_[ndim_++] = static_cast<std::int64_t>(sizes)), ...);
  }
  /// These, and what adds an axis, throw ShapeError if there are more than eight.
  Shape(const std::int64_t* begin, const std::int64_t* end, Place place = Place::here());
  Shape(const std::vector<std::int64_t>& sizes, Place place = Place::here())
      : Shape(sizes.data(), sizes.data() + sizes.size(), place) {}

  int ndim() const { return ndim_; }
  std::int64_t size() const {
    std::int64_t n = 1;
    for (int d = 0; d < ndim_; ++d) n *= sizes_[d];
    return n;
  }
  std::int64_t operator[](int axis) const { return sizes_[axis < 0 ? axis + ndim_ : axis]; }
  std::int64_t& operator[](int axis) { return sizes_[axis < 0 ? axis + ndim_ : axis]; }
  const std::int64_t* begin() const { return sizes_; }
  const std::int64_t* end() const { return sizes_ + ndim_; }

  void push_back(std::int64_t size, Place place = Place::here());
  void insert(int before, std::int64_t size, Place place = Place::here());
  void erase(int axis);
  /// The product of the sizes of axes [from, to).
  std::int64_t product(int from, int to) const {
    std::int64_t n = 1;
    for (int d = from; d < to; ++d) n *= sizes_[d];
    return n;
  }

  /// Writes the sizes to `to`, one by one: a processor waits when it loads at once what was just stored in parts, and
  /// a shape is mostly copied as soon as it is made.
  void copy_to(std::int64_t* to) const {
    if (ndim_ > 0) to[0] = sizes_[0];
    if (ndim_ > 1) to[1] = sizes_[1];
    for (int d = 2; d < ndim_; ++d) [[unlikely]] to[d] = sizes_[d];
  }

  std::string str() const;  // "(2, 3)", "(3,)", "()"

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.ndim_ != b.ndim_) return false;
    for (int d = 0; d < a.ndim_; ++d)
      if (a.sizes_[d] != b.sizes_[d]) return false;
    return true;
  }

 private:
  // As copy_to, but without asking whether the first two are there.
  void take(const Shape& other) {
    ndim_ = other.ndim_;
    sizes_[0] = other.sizes_[0];
    sizes_[1] = other.sizes_[1];
    for (int d = 2; d < ndim_; ++d) [[unlikely]] sizes_[d] = other.sizes_[d];
  }

  int ndim_ = 0;
  std::int64_t sizes_[max_ndim];  // ndim_ of them; two are always written
};

/// The shape that two shapes broadcast to by NumPy's rules, or false.
bool broadcast(const Shape& a, const Shape& b, Shape& result);
/// For each axis of `to` the stride, in elements, of a contiguous array of shape `from` that is broadcast to it: 0
/// along axes that it lacks or has as 1.
Shape broadcast_strides(const Shape& from, const Shape& to);

/// The axis counted from the front; throws in the name of the op in progress if it is not one of `ndim` axes.
int checked_axis(int axis, int ndim);
/// The same for several axes, sorted; a repeated one throws. An empty list means all axes.
std::vector<int> checked_axes(const std::vector<int>& axes, int ndim);
namespace detail {

/// Row-major strides in elements.
inline Shape strides_of(const Shape& shape) {
  Shape strides = shape;
  std::int64_t stride = 1;
  for (int d = shape.ndim() - 1; d >= 0; --d) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

/// checked_size of any shape, also an empty, a very large or an invalid one.
std::int64_t examined_size(const Shape& shape);

}  // namespace detail

/// The number of elements. Throws in the name of the op in progress on a negative size, or if the sizes but for zeros,
/// whose products are strides, multiply to more than 2^59.
inline std::int64_t checked_size(const Shape& shape) {
  constexpr std::int64_t few = std::int64_t{1} << 29;
  std::int64_t n = 1;
  for (const std::int64_t size : shape) {
    if (size <= 0 || size > few || n > few) [[unlikely]]
      return detail::examined_size(shape);
    n *= size;
  }
  return n;
}
inline void check_sizes(const Shape& shape) { checked_size(shape); }

}  // namespace xgrad
#pragma GCC visibility pop
