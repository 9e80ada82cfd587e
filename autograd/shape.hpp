#pragma once
#include <autograd/error.hpp>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <string>
#include <vector>

#pragma GCC visibility push(default)

namespace xgrad {

namespace detail {
/// False for all types, but known only when a template is instantiated: for a static_assert that tells of a mistake.
template <class...>
inline constexpr bool never = false;
template <class I>
concept Integer = std::integral<I> && !std::same_as<I, bool>;
/// Such as std::vector<int>; no string.
template <class R>
concept IntegerRange = requires(const R& range) {
  requires Integer<std::remove_cvref_t<decltype(*std::begin(range))>>;
  requires !std::same_as<std::remove_cvref_t<decltype(*std::begin(range))>, char>;
  std::end(range);
};
}  // namespace detail

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
  template <class... S>
  requires((std::is_arithmetic_v<S> && ...) && (std::is_floating_point_v<S> || ...)) Shape(S...) {
    static_assert(detail::never<S...>, "the sizes of a shape are integers");
  }
  /// These, and what adds an axis, throw ShapeError if there are more than eight.
  Shape(const std::int64_t* begin, const std::int64_t* end, Place place = Place::here());
  /// The sizes in a std::vector<int>, a std::array or any other range of integers.
  template <class R>
  requires(!std::same_as<R, Shape> && detail::IntegerRange<R>) Shape(const R& sizes, Place place = Place::here())
      : Shape() {
    for (const auto size : sizes) push_back(static_cast<std::int64_t>(size), place);
  }

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

  friend std::ostream& operator<<(std::ostream& out, const Shape& shape);
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

/// Axes as an argument: one, `sum(x, 1)`, several in braces or any range of integers, `sum(x, {0, -1})`, or none.
class Axes {
 public:
  Axes() = default;
  template <detail::Integer I>
  Axes(I axis) : axes_{static_cast<int>(axis)} {}
  Axes(std::initializer_list<int> axes) : axes_(axes) {}
  template <detail::IntegerRange R>
  Axes(const R& axes) : axes_(std::begin(axes), std::end(axes)) {}
  template <class T>
  requires(!detail::Integer<T> && !detail::IntegerRange<T> && !std::same_as<T, Axes>) Axes(const T&) {
    static_assert(detail::never<T>,
                  "axes are one integer or braces of them, before keepdims: sum(x, 1), sum(x, {0, -1}, true); of two "
                  "tensors take maximum or minimum");
  }
  operator const std::vector<int>&() const { return axes_; }

 private:
  std::vector<int> axes_;
};

/// The shape that two shapes broadcast to by NumPy's rules, or false.
bool broadcast(const Shape& a, const Shape& b, Shape& result);
/// For each axis of `to` the stride, in elements, of a contiguous array of shape `from` that is broadcast to it: 0
/// along axes that it lacks or has as 1.
Shape broadcast_strides(const Shape& from, const Shape& to);

/// The axis counted from the front; throws in the name of the op in progress if it is none of the shape's, nor one of
/// the `added` axes that the op adds to them.
int checked_axis(int axis, const Shape& shape, int added = 0);
/// The same for several axes, sorted; a repeated one throws. An empty list means all axes.
std::vector<int> checked_axes(const std::vector<int>& axes, const Shape& shape);
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
