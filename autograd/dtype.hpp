#pragma once
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <type_traits>

#pragma GCC visibility push(default)

namespace xgrad {

/// The type of an array's elements. f32 and f64 are differentiable; i64 holds indices and labels, boolean masks.
enum class Dtype : std::uint8_t { f32, f64, i64, boolean };
inline constexpr Dtype f32 = Dtype::f32, f64 = Dtype::f64, i64 = Dtype::i64, boolean = Dtype::boolean;
inline constexpr int dtype_count = 4;

namespace detail {
inline constexpr std::uint8_t dtype_sizes[dtype_count] = {4, 8, 8, 1};
}
constexpr std::size_t size_of(Dtype d) { return detail::dtype_sizes[int(d)]; }
constexpr bool is_floating(Dtype d) { return d == f32 || d == f64; }
constexpr const char* name_of(Dtype d) { return d == f32 ? "f32" : d == f64 ? "f64" : d == i64 ? "i64" : "boolean"; }
/// Its name.
std::ostream& operator<<(std::ostream& out, Dtype d);

/// The Dtype of a C++ element type: float, double, std::int64_t or bool.
template <class T>
struct DtypeOf;
template <>
struct DtypeOf<float> {
  static constexpr Dtype value = f32;
};
template <>
struct DtypeOf<double> {
  static constexpr Dtype value = f64;
};
template <>
struct DtypeOf<std::int64_t> {
  static constexpr Dtype value = i64;
};
template <>
struct DtypeOf<bool> {
  static constexpr Dtype value = boolean;
};
template <class T>
inline constexpr Dtype dtype_of = DtypeOf<T>::value;

namespace detail {
/// The element type that holds values of type V: bool, std::int64_t for every integer, float, or double.
template <class V>
struct Element {
  static_assert(std::is_arithmetic_v<V>, "xgrad holds real numbers, integers and booleans only");
  using type = std::conditional_t<
      std::is_same_v<V, bool>, bool,
      std::conditional_t<std::is_integral_v<V>, std::int64_t, std::conditional_t<std::is_same_v<V, float>, V, double>>>;
};
template <class V>
using element_t = typename Element<std::remove_cv_t<V>>::type;
}  // namespace detail

}  // namespace xgrad
#pragma GCC visibility pop
