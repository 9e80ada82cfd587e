#pragma once
#include <autograd/kernels/subnormals.hpp>
#include <autograd/outputs.hpp>
#include <autograd/support/xtensor_headers.hpp>
#include <memory>
#include <optional>

#pragma GCC visibility push(default)

/// xgrad with xtensor: tensors from any expression, tensors seen as xtensor arrays, and ops whose forward is an
/// expression. Only programs that include this header need xtensor. Nothing here uses xtensor's default allocator,
/// whose type depends on XTENSOR_USE_XSIMD and on the processor's flags, so programs built either way agree on every
/// type.
namespace xgrad {

/// A read-only row-major view of a tensor's numbers. It shares their storage, so it and every expression made of it
/// stay valid when the tensor is moved, reassigned or gone.
template <class T>
using View = xt::xarray_adaptor<xt::xbuffer_adaptor<const T*, xt::smart_ownership, std::shared_ptr<const T>>,
                                xt::layout_type::row_major, xt::dynamic_shape<std::size_t>>;

}  // namespace xgrad

// Expressions hold a View by value where they would hold a reference to another array: an expression returned from a
// function must not refer to a View that ended with it.
template <class T>
struct xt::xclosure<xgrad::View<T>&, std::enable_if_t<true>> {
  using type = xgrad::View<T>;
};
template <class T>
struct xt::xclosure<const xgrad::View<T>&, std::enable_if_t<true>> {
  using type = xgrad::View<T>;
};
template <class T>
struct xt::const_xclosure<xgrad::View<T>&, std::enable_if_t<true>> {
  using type = xgrad::View<T>;
};
template <class T>
struct xt::const_xclosure<const xgrad::View<T>&, std::enable_if_t<true>> {
  using type = xgrad::View<T>;
};

namespace xgrad {

template <class T>
auto Tensor::array(Place place) const {
  const T* const from = data<T>(place);
  std::shared_ptr<const T> keep(from, [storage = array().storage()](const T*) {});
  const xt::dynamic_shape<std::size_t> shape(array().shape().begin(), array().shape().end());
  return View<T>(typename View<T>::storage_type(from, static_cast<std::size_t>(size()), std::move(keep)), shape);
}

/// What becomes of an xtensor expression: no dtype means that of its value type.
struct ExpressionOptions {
  std::optional<Dtype> dtype = {};
  bool requires_grad = false;
};

namespace detail {

template <class E>
concept Expression = xt::is_xexpression<std::remove_cvref_t<E>>::value;

/// The expression's values in row-major order, as elements of type T.
template <class T, class E>
Array evaluated(const E& expression) {
  Shape shape;
  for (const auto size : expression.shape()) shape.push_back(static_cast<std::int64_t>(size));
  Array result(dtype_of<T>, shape);
  const auto count = static_cast<std::size_t>(result.size());
  using Buffer = xt::xbuffer_adaptor<T*, xt::no_ownership, std::allocator<T>>;
  using Target = xt::xarray_adaptor<Buffer, xt::layout_type::row_major, xt::dynamic_shape<std::size_t>>;
  Target to(Buffer(result.template data<T>(), count), xt::dynamic_shape<std::size_t>(shape.begin(), shape.end()));
  if (count > 0) xt::noalias(to) = expression;
  if constexpr (wraps<typename E::value_type>) check_wrapped(result.template data<T>(), result.size());
  return result;
}

/// Whether an expression refers to one that computes when read: in an expression that a function returns, such a
/// reference is to a local variable, which is gone.
template <class E>
inline constexpr bool refers_to_expression = false;
template <template <class...> class X, class... Parts>
inline constexpr bool refers_to_expression<X<Parts...>> =
    ((Expression<Parts> && std::is_lvalue_reference_v<Parts> &&
      !std::is_base_of_v<xt::xcontainer<std::remove_cvref_t<Parts>>, std::remove_cvref_t<Parts>>) ||
     ...) ||
    (refers_to_expression<Parts> || ...);

/// What a forward gave: an expression, or a plain number. Floating values become T.
template <class T, class R>
Array forward_result(const R& result) {
  if constexpr (Expression<R>) {
    static_assert(!refers_to_expression<R>,
                  "the forward returns an expression that refers to a local one; return xt::eval(...) of it");
    using Found = element_t<typename R::value_type>;
    return evaluated<std::conditional_t<std::is_floating_point_v<Found>, T, Found>>(result);
  } else {
    using Found = element_t<R>;
    using To = std::conditional_t<std::is_floating_point_v<Found>, T, Found>;
    Array scalar(dtype_of<To>, Shape());
    *scalar.template data<To>() = static_cast<To>(result);
    return scalar;
  }
}

/// Whether an expression refers to an array or another expression.
template <class E>
inline constexpr bool refers = false;
template <template <class...> class X, class... Parts>
inline constexpr bool refers<X<Parts...>> = ((Expression<Parts> && std::is_lvalue_reference_v<Parts>) || ...) ||
                                            (refers<Parts> || ...);

/// What a forward with several outputs gave: a std::tuple, std::pair or std::array.
template <class T, class R>
requires(!Expression<R> && requires { std::tuple_size<R>::value; }) auto forward_result(const R& results) {
  return std::apply(
      [](const auto&... result) {
        static_assert(!(refers<std::remove_cvref_t<decltype(result)>> || ...),
                      "an output is an expression that refers to an array, perhaps a local one; return xt::eval(...) "
                      "of it");
        return std::array<Array, sizeof...(result)>{forward_result<T>(result)...};
      },
      results);
}

template <class T, class Forward, std::size_t... I>
constexpr bool takes_views(std::index_sequence<I...>) {
  return std::is_invocable_v<Forward&, decltype((I, std::declval<const View<T>&>()))...>;
}

template <class T, class Forward, std::size_t N>
auto expression_forward(Forward& forward, const OperandRef (&inputs)[N], const OpScope& scope) {
  try {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return forward_result<T>(forward(std::as_const(inputs[I]).tensor().template array<T>()...));
    }
    (std::make_index_sequence<N>());
  } catch (const xt::broadcast_error&) {
    std::string shapes;
    for (const OperandRef& input : inputs) shapes += text(shapes.empty() ? "" : ", ", input.tensor().shape());
    scope.fail("parts of the forward's expression do not broadcast; the inputs are ", shapes);
  }
}

/// The forward's output, an Array, or its outputs, a std::array of them.
template <class Forward, std::size_t N>
auto expression_forward(Forward& forward, const OperandRef (&inputs)[N], const OpScope& scope) {
  constexpr bool takes_f32 = takes_views<float, Forward>(std::make_index_sequence<N>());
  constexpr bool takes_f64 = takes_views<double, Forward>(std::make_index_sequence<N>());
  static_assert(takes_f32 || takes_f64, "the forward takes one xtensor view for each input");
  const Dtype dtype = common_floating_dtype(inputs, N);
  const kernels::SubnormalsAreZero mode;
  if constexpr (takes_f32 && takes_f64) {
    return dtype == f32 ? expression_forward<float>(forward, inputs, scope)
                        : expression_forward<double>(forward, inputs, scope);
  } else {
    if ((dtype == f32) != takes_f32)
      scope.fail<DtypeError>("the forward takes no views of ", name_of(dtype), "; convert the inputs");
    return expression_forward<std::conditional_t<takes_f32, float, double>>(forward, inputs, scope);
  }
}

}  // namespace detail

/// The values of any xtensor expression, evaluated once, in row-major order whatever its layout. The dtype follows its
/// value type (float f32, other floating types f64, bool boolean, other integers i64) unless options name one. Throws
/// ShapeError if the expression's parts do not broadcast, DtypeError if i64 or boolean is to require a gradient,
/// ValueError for an integer that i64 cannot hold.
template <detail::Expression E>
Tensor tensor(const E& expression, ExpressionOptions options = {}, Place place = Place::here()) {
  const OpScope scope("tensor", place);
  Tensor t;
  try {
    t = Tensor(detail::evaluated<detail::element_t<typename E::value_type>>(expression));
  } catch (const xt::broadcast_error&) {
    scope.fail(
        "the parts of the xtensor expression do not broadcast; sizes must agree or be 1, counted from the last "
        "axis");
  }
  if (options.dtype) t = t.to(*options.dtype);
  return options.requires_grad ? t.set_requires_grad(true) : t;
}

/// The same for options in a variable; f32, which TensorOptions hold unless told, means that of the value type.
template <detail::Expression E>
Tensor tensor(const E& expression, const std::same_as<TensorOptions> auto& options, Place place = Place::here()) {
  ExpressionOptions known{.requires_grad = options.requires_grad};
  if (options.dtype != f32) known.dtype = options.dtype;
  return tensor(expression, known, place);
}

/// An op whose forward is an xtensor expression:
///
///   Tensor cube(const Tensor& x) {
///     return primitive("cube", {x}, [](const auto& v) { return v * v * v; },
///                      [x](const Tensor& g) { return g * 3 * square(x); });
///   }
///
/// The inputs are all f32 or all f64, and the forward gets a View of each; what it returns, an expression or a number,
/// is evaluated at once, with subnormal numbers as zeros (autograd/ops.hpp). Floating results take the inputs' dtype;
/// boolean and integer ones are not differentiable. The expression must not refer to the forward's own variables: write
/// it in one piece, capture constants, or return xt::eval(...). Rules are as for every op (autograd/primitive.hpp).
/// Throws DtypeError for other inputs and ShapeError for parts that do not broadcast; what the forward throws passes
/// through. The op cannot be captured (autograd/capture.hpp).
///
/// A forward that returns a std::tuple, std::pair or std::array of expressions and numbers makes an op with several
/// outputs, a std::array of tensors (autograd/outputs.hpp):
///
///   const auto [s, c] = primitive("sincos", {x}, [](const auto& v) { return std::tuple(xt::sin(v), xt::cos(v)); },
///       [](const auto& g, const auto& y) { return g[0] * y[1] - g[1] * y[0]; });
template <std::size_t N, class Forward, class... Rules>
requires(!std::is_invocable_v<Forward&>) auto primitive(const char* name, const OperandRef (&inputs)[N],
                                                        Forward&& forward, Rules&&... rules) {
  const OpScope scope(name, inputs[0].place());
  detail::check_inputs(inputs, N);
  detail::Watch watch(name, inputs, N);
  auto numbers = detail::expression_forward(forward, inputs, scope);
  if constexpr (std::is_same_v<decltype(numbers), Array>) {
    Tensor result =
        detail::record(name, inputs, false, watch.computed(std::move(numbers)), std::forward<Rules>(rules)...);
    watch.ends(result);
    return result;
  } else {
    return detail::record_outputs(scope, watch, name, inputs, numbers, std::forward<Rules>(rules)...);
  }
}

}  // namespace xgrad
#pragma GCC visibility pop
