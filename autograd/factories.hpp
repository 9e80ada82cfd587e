#pragma once
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

/// More ways to make a tensor than autograd/tensor.hpp has, and to read one.
namespace xgrad {

/// Zeros, ones, a number or random numbers in the shape and dtype of x, without history.
[[nodiscard]] Tensor zeros_like(const Operand& x);
[[nodiscard]] Tensor ones_like(const Operand& x);
[[nodiscard]] Tensor full_like(const Operand& x, Number value);
[[nodiscard]] Tensor rand_like(const Operand& x);
[[nodiscard]] Tensor randn_like(const Operand& x);

/// Uniform on [low, high); rounding may give high itself. Throws ValueError unless low <= high, both finite.
[[nodiscard]] Tensor uniform(const Shape& shape, double low, double high, TensorOptions options = {},
                             Place place = Place::here());
/// Normal with this mean and standard deviation. Throws ValueError unless both are finite and stddev >= 0.
[[nodiscard]] Tensor normal(const Shape& shape, double mean, double stddev, TensorOptions options = {},
                            Place place = Place::here());
/// i64, each of low ... high - 1 equally likely. Throws ValueError unless 0 < high - low <= 2^53, the bits of a draw.
[[nodiscard]] Tensor randint(const Shape& shape, std::int64_t low, std::int64_t high, Place place = Place::here());
struct MultinomialOptions {
  bool replacement = true;  // independent draws; false: none twice, as is the default of PyTorch's multinomial
};
/// Positions along the last axis, each drawn with its share of that axis' sum: probabilities (..., n), which need not
/// sum to 1, -> (..., draws), i64. Throws ValueError for an element that is negative or not finite, a sum of 0, and
/// more draws without replacement than there are positive elements.
[[nodiscard]] Tensor multinomial(const Operand& probabilities, std::int64_t draws, MultinomialOptions options = {});

namespace detail {
Tensor eye_of(std::int64_t rows, std::int64_t columns, const TensorOptions& options, Place place);
}
/// The (rows, columns) matrix with ones on its diagonal and zeros elsewhere.
template <detail::Integer I>  // a template, so that the braces of eye(n, {...}) are options
[[nodiscard]] Tensor eye(std::int64_t rows, I columns, TensorOptions options = {}, Place place = Place::here()) {
  return detail::eye_of(rows, static_cast<std::int64_t>(columns), options, place);
}

struct GumbelOptions {
  bool hard = false;  // a one at the largest and zeros elsewhere; its gradient is that of the soft one
  int axis = -1;
};
/// A draw from the categorical distributions softmax(logits) that has a gradient: softmax((logits + noise) /
/// temperature) for noise of Gumbel's distribution (Jang, Gu and Poole 2017). Throws ValueError unless temperature > 0.
[[nodiscard]] Tensor gumbel_softmax(const Operand& logits, double temperature = 1, GumbelOptions options = {});

/// The same with a dtype in place of options: `zeros({3}, f64)`.
template <std::same_as<Dtype> D>
[[nodiscard]] Tensor tensor(const Nested& n, D d, Place p = Place::here()) {
  return tensor(n, TensorOptions{d}, p);
}
template <std::same_as<Dtype> D>
[[nodiscard]] Tensor zeros(const Shape& s, D d, Place p = Place::here()) {
  return zeros(s, TensorOptions{d}, p);
}
template <std::same_as<Dtype> D>
[[nodiscard]] Tensor ones(const Shape& s, D d, Place p = Place::here()) {
  return ones(s, TensorOptions{d}, p);
}
template <std::same_as<Dtype> D>
[[nodiscard]] Tensor full(const Shape& s, Number v, D d, Place p = Place::here()) {
  return full(s, v, TensorOptions{d}, p);
}
template <std::same_as<Dtype> D>
[[nodiscard]] Tensor arange(Number start, Number stop, Number step, D d, Place p = Place::here()) {
  return arange(start, stop, step, TensorOptions{d}, p);
}
template <std::same_as<Dtype> D>
[[nodiscard]] Tensor linspace(Number start, Number stop, std::int64_t count, D d, Place p = Place::here()) {
  return linspace(start, stop, count, TensorOptions{d}, p);
}
template <std::same_as<Dtype> D>
[[nodiscard]] Tensor eye(std::int64_t n, D d, Place p = Place::here()) {
  return eye(n, TensorOptions{d}, p);
}
template <std::same_as<Dtype> D>
[[nodiscard]] Tensor rand(const Shape& s, D d, Place p = Place::here()) {
  return rand(s, TensorOptions{d}, p);
}
template <std::same_as<Dtype> D>
[[nodiscard]] Tensor randn(const Shape& s, D d, Place p = Place::here()) {
  return randn(s, TensorOptions{d}, p);
}
template <std::same_as<Dtype> D>
[[nodiscard]] Tensor uniform(const Shape& s, double low, double high, D d, Place p = Place::here()) {
  return uniform(s, low, high, TensorOptions{d}, p);
}
template <std::same_as<Dtype> D>
[[nodiscard]] Tensor normal(const Shape& s, double mean, double stddev, D d, Place p = Place::here()) {
  return normal(s, mean, stddev, TensorOptions{d}, p);
}

namespace detail {
/// The type of a range's elements, also of std::vector<bool>, whose references are no bool in every library.
template <class R>
using NumberOf = std::iter_value_t<decltype(std::begin(std::declval<const R&>()))>;
template <class R>
concept NumberRange = requires(const R& range) {
  requires std::is_arithmetic_v<NumberOf<R>>;
  std::end(range);
};
template <NumberRange R>
auto vector_of(const R& range) {
  return std::vector<NumberOf<R>>(std::begin(range), std::end(range));
}
template <class T>
const std::vector<T>& vector_of(const std::vector<T>& values) {
  return values;
}
}  // namespace detail
/// The same of an array, a std::span or any other range of numbers; without a shape 1-d.
template <detail::NumberRange R>
[[nodiscard]] Tensor from_values(const R& values, const Shape& shape, bool requires_grad = false,
                                 Place place = Place::here()) {
  return from_values(detail::vector_of(values), shape, requires_grad, place);
}
template <detail::NumberRange R>
[[nodiscard]] Tensor from_values(const R& values, Place place = Place::here()) {
  const auto& listed = detail::vector_of(values);
  return from_values(listed, Shape{std::ssize(listed)}, false, place);
}

namespace detail {
/// t's numbers as a constant of `dtype`; of i64 each must lie in [lowest, highest].
Tensor numbers_of(const Tensor& t, Dtype dtype, std::int64_t lowest, std::uint64_t highest, Place place);
}  // namespace detail
/// All elements in row-major order, converted to T as by `item`: `to_vector<float>(t)`. A captured step, which would
/// not read them anew in its replays, throws GraphError.
template <class T = double>
[[nodiscard]] std::vector<T> to_vector(const Tensor& t, Place place = Place::here()) {
  using Limits = std::numeric_limits<std::conditional_t<std::is_integral_v<T>, T, std::int64_t>>;
  using Element = detail::element_t<T>;
  const Tensor numbers = detail::numbers_of(t, dtype_of<Element>, static_cast<std::int64_t>(Limits::min()),
                                            static_cast<std::uint64_t>(Limits::max()), place);
  const auto* const first = numbers.template data<Element>();
  return std::vector<T>(first, first + numbers.size());
}

}  // namespace xgrad
#pragma GCC visibility pop
