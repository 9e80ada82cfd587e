#pragma once
#include <autograd/core/tensor_function.hpp>

#pragma GCC visibility push(default)

/// Derivatives of functions. f is called as f(x) for a tensor x and as f(x, w), or f with a std::vector<Tensor>, for
/// x = {x, w}; it returns a Tensor or a std::vector<Tensor>.
///
///   auto [y, pullback] = vjp(f, x);           pullback(v) is v^T J, J being the Jacobian of f at x
///   auto [y, tangent] = jvp(f, x, v);         tangent is J v
///   auto [value, g] = value_and_grad(f, x);   g is the gradient of the number f(x)
///   jacobian(f, x)   hessian(f, x)   hvp(f, x, v)
///   checkpoint(f, x)                          is f(x), but computes it again in the backward pass (checkpoint.hpp)
///
/// Results have the structure of what they belong to: a Tensor for one tensor, a std::vector<Tensor> for several. x
/// need not require a gradient, nobody's grad() changes, and all this works inside NoGrad. Where gradients are enabled
/// and x, or anything that f refers to, requires one, the results have a history like those of any op. So transforms
/// apply to functions that use transforms, to any order. Otherwise the results are constants.
///
/// All throw ValueError if f does not take as many tensors or one is undefined, DtypeError unless inputs and outputs
/// are f32 or f64, ShapeError for tangents and cotangents of other shapes. What f throws passes through.
namespace xgrad {

namespace detail {

inline std::vector<Tensor> listed(const Tensor& t) { return {t}; }
inline const std::vector<Tensor>& listed(const std::vector<Tensor>& list) { return list; }
/// A list as a T: itself, or its only tensor.
template <class T>
T structured(std::vector<Tensor>&& list) {
  if constexpr (std::is_same_v<T, Tensor>) {
    return std::move(list[0]);
  } else {
    return std::move(list);
  }
}
/// Blocks by row and column, less a level for rows or columns that are those of one tensor.
using Blocks = std::vector<std::vector<Tensor>>;
template <class Rows, class Columns>
auto structured(Blocks&& blocks) {
  if constexpr (std::is_same_v<Rows, Tensor>) {
    return structured<Columns>(std::move(blocks[0]));
  } else if constexpr (std::is_same_v<Columns, Tensor>) {
    std::vector<Tensor> column;
    for (std::vector<Tensor>& row : blocks) column.push_back(std::move(row[0]));
    return column;
  } else {
    return std::move(blocks);
  }
}

/// f at x, with a history of its own between the two.
class Evaluated {
 public:
  Evaluated(const OpScope& scope, TensorFunction f, const std::vector<Tensor>& at);

  /// f(x), with a history only if that goes on beyond x.
  std::vector<Tensor> value() const;
  /// v^T J, for cotangents of the outputs.
  std::vector<Tensor> pull(const OpScope& scope, const std::vector<Tensor>& v, bool again) const;
  /// J v, for tangents of the inputs.
  std::vector<Tensor> push(const OpScope& scope, const std::vector<Tensor>& v) const;
  /// The gradient. Throws GraphError unless f returned one number.
  std::vector<Tensor> gradient(const OpScope& scope) const;
  /// H v, for the Hessian H.
  std::vector<Tensor> curve(const OpScope& scope, const std::vector<Tensor>& v) const;
  /// Blocks dy[i]/dx[j], row by row or column by column, and those of the Hessian.
  Blocks rows() const;
  Blocks columns() const;
  Blocks second(const OpScope& scope) const;

 private:
  bool records(const std::vector<Tensor>& v) const;
  void check_scalar(const OpScope& scope) const;
  std::vector<Tensor> recorded_gradient(const OpScope& scope) const;

  std::vector<Tensor> x_, y_;  // x_: handles of its own, to differentiate by
  bool shared_;                // whether results are recorded
};

}  // namespace detail

/// Carries a cotangent of f(x) back to x: v^T J. May be called any number of times; keeps f's history alive.
template <class Y, class X>
class Pullback {
 public:
  explicit Pullback(detail::Evaluated f) : f_(std::move(f)) {}
  X operator()(const Y& v, Place place = Place::here()) const {
    const OpScope scope("pullback", place);
    return detail::structured<X>(f_.pull(scope, detail::listed(v), true));
  }

 private:
  detail::Evaluated f_;
};

template <class Y, class X>
struct Vjp {
  Y value;
  Pullback<Y, X> pullback;
};
template <class Y>
struct Jvp {
  Y value, tangent;
};
template <class X>
struct ValueAndGrad {
  Tensor value;
  X grad;
};

enum class JacobianMode {
  reverse,  // a vjp for each output element: for functions of many numbers
  forward   // a jvp for each input element: for functions to many numbers
};
struct JacobianOptions {
  JacobianMode mode = JacobianMode::reverse;
};

namespace detail {

template <class X, class F>
Vjp<Result<F>, X> vjp(F& f, const X& x, const OpScope& scope) {
  Evaluated at(scope, TensorFunction(f), listed(x));
  auto y = structured<Result<F>>(at.value());
  return {std::move(y), Pullback<Result<F>, X>(std::move(at))};
}
template <class X, class F>
Jvp<Result<F>> jvp(F& f, const X& x, const X& v, const OpScope& scope) {
  const Evaluated at(scope, TensorFunction(f), listed(x));
  return {structured<Result<F>>(at.value()), structured<Result<F>>(at.push(scope, listed(v)))};
}
template <class F>
inline constexpr bool returns_one = std::is_same_v<Result<F>, Tensor>;
template <class X, class F>
ValueAndGrad<X> value_and_grad(F& f, const X& x, const OpScope& scope) {
  static_assert(returns_one<F>, "a gradient needs a function that returns one Tensor");
  const Evaluated at(scope, TensorFunction(f), listed(x));
  auto g = structured<X>(at.gradient(scope));
  return {structured<Tensor>(at.value()), std::move(g)};
}
template <class X, class F>
auto jacobian(F& f, const X& x, JacobianOptions options, const OpScope& scope) {
  const Evaluated at(scope, TensorFunction(f), listed(x));
  return structured<Result<F>, X>(options.mode == JacobianMode::forward ? at.columns() : at.rows());
}
template <class X, class F>
auto hessian(F& f, const X& x, const OpScope& scope) {
  static_assert(returns_one<F>, "a Hessian needs a function that returns one Tensor");
  return structured<X, X>(Evaluated(scope, TensorFunction(f), listed(x)).second(scope));
}
template <class X, class F>
X hvp(F& f, const X& x, const X& v, const OpScope& scope) {
  static_assert(returns_one<F>, "a Hessian needs a function that returns one Tensor");
  return structured<X>(Evaluated(scope, TensorFunction(f), listed(x)).curve(scope, listed(v)));
}

}  // namespace detail

/// f(x) and v -> v^T J for cotangents v of f(x)'s structure and shapes; v^T J has those of x.
template <class F>
auto vjp(F&& f, const Tensor& x, Place place = Place::here()) {
  return detail::vjp(f, x, OpScope("vjp", place));
}
template <class F>
auto vjp(F&& f, const std::vector<Tensor>& x, Place place = Place::here()) {
  return detail::vjp(f, x, OpScope("vjp", place));
}

/// f(x) and J v for tangents v of x's structure and shapes; J v has those of f(x). Made of vjps: u^T J is linear in u,
/// and its derivative by u along v is J v (Townsend 2017), so that every op that has a vjp has a jvp.
template <class F>
auto jvp(F&& f, const Tensor& x, const Tensor& v, Place place = Place::here()) {
  return detail::jvp(f, x, v, OpScope("jvp", place));
}
template <class F>
auto jvp(F&& f, const std::vector<Tensor>& x, const std::vector<Tensor>& v, Place place = Place::here()) {
  return detail::jvp(f, x, v, OpScope("jvp", place));
}

/// The number f(x) and its gradient, of x's structure and shapes. Throws GraphError unless f(x) has one element.
template <class F>
auto value_and_grad(F&& f, const Tensor& x, Place place = Place::here()) {
  return detail::value_and_grad(f, x, OpScope("value_and_grad", place));
}
template <class F>
auto value_and_grad(F&& f, const std::vector<Tensor>& x, Place place = Place::here()) {
  return detail::value_and_grad(f, x, OpScope("value_and_grad", place));
}

template <class F, class... X>
void value_and_grad(F&&, const Tensor&, const Tensor&, const X&...) = delete;  // several stand in braces: {x, w}
template <class F, class... X>
void vjp(F&&, const Tensor&, const Tensor&, const X&...) = delete;  // several stand in braces: {x, w}

/// df/dx, of shape (shape of f(x), shape of x). Several outputs: a list of one for each; several inputs: of one for
/// each input; both: [output][input]. Costs a pass for each element of the outputs, or of the inputs in forward mode.
template <class F>
auto jacobian(F&& f, const Tensor& x, JacobianOptions options = {}, Place place = Place::here()) {
  return detail::jacobian(f, x, options, OpScope("jacobian", place));
}
template <class F>
auto jacobian(F&& f, const std::vector<Tensor>& x, JacobianOptions options = {}, Place place = Place::here()) {
  return detail::jacobian(f, x, options, OpScope("jacobian", place));
}

/// The second derivatives of the number f(x), of shape (shape of x, shape of x). Several inputs: [i][j] of shape (shape
/// of x[i], shape of x[j]). Costs a pass for each element of x. Throws GraphError unless f(x) has one element.
template <class F>
auto hessian(F&& f, const Tensor& x, Place place = Place::here()) {
  return detail::hessian(f, x, OpScope("hessian", place));
}
template <class F>
auto hessian(F&& f, const std::vector<Tensor>& x, Place place = Place::here()) {
  return detail::hessian(f, x, OpScope("hessian", place));
}

template <class F, class... X>
void jacobian(F&&, const Tensor&, const Tensor&, const X&...) = delete;  // several stand in braces: {x, w}
template <class F, class... X>
void hessian(F&&, const Tensor&, const Tensor&, const X&...) = delete;  // several stand in braces: {x, w}

/// H v for the Hessian H of the number f(x), without H: the vjp of the gradient along v, H being symmetric (Pearlmutter
/// 1994). Throws GraphError unless f(x) has one element.
template <class F>
auto hvp(F&& f, const Tensor& x, const Tensor& v, Place place = Place::here()) {
  return detail::hvp(f, x, v, OpScope("hvp", place));
}
template <class F>
auto hvp(F&& f, const std::vector<Tensor>& x, const std::vector<Tensor>& v, Place place = Place::here()) {
  return detail::hvp(f, x, v, OpScope("hvp", place));
}

}  // namespace xgrad
#pragma GCC visibility pop
