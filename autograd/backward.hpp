#pragma once
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

namespace xgrad {

struct GradOptions {
  bool create_graph = false;
  bool allow_unused = false;     // an input that y does not depend on gives an undefined tensor instead of an error
  bool retain_graph = false;     // implied by create_graph
  bool zeros_if_unused = false;  // such an input gives zeros; implies allow_unused
};

namespace detail {
template <class T>
concept TensorLike = std::is_convertible_v<const T&, const Tensor&>;
template <class T>
concept TensorOrSome = TensorLike<T> || std::is_convertible_v<const T&, std::vector<Tensor>>;
}  // namespace detail

/// The gradients dy/d(input) for each input, of that input's shape, in the inputs' order; adds nothing to anyone's
/// grad(). y must hold one element, unless `cotangent` of y's shape is given, which then gives the vjp cotangent^T
/// dy/d(input). Throws GraphError if an input requires no gradient or y does not depend on it, or if the graph was used
/// before.
[[nodiscard]] std::vector<Tensor> grad(const Tensor& y, const std::vector<Tensor>& inputs, GradOptions options = {},
                                       Place place = Place::here());
[[nodiscard]] std::vector<Tensor> grad(const Tensor& y, const std::vector<Tensor>& inputs, const Tensor& cotangent,
                                       GradOptions options = {}, Place place = Place::here());
/// The gradient dy/dx by one tensor: `grad(y, x)`.
template <detail::TensorLike T>  // not Tensor itself: braces would fit both
[[nodiscard]] Tensor grad(const Tensor& y, const T& x, GradOptions options = {}, Place place = Place::here()) {
  return grad(y, std::vector<Tensor>{x}, options, place)[0];
}
template <detail::TensorLike T>
[[nodiscard]] Tensor grad(const Tensor& y, const T& x, const Tensor& cotangent, GradOptions options = {},
                          Place place = Place::here()) {
  return grad(y, std::vector<Tensor>{x}, cotangent, options, place)[0];
}
template <class Y, class X, class... More>
requires(!detail::TensorOrSome<Y> || !detail::TensorOrSome<X>) Tensor grad(const Y&, const X&, const More&...) {
  static_assert(detail::never<Y, X>, "grad(y, x) takes two tensors, or several to differentiate by: grad(y, {a, b})");
  return {};
}
/// The same for several outputs at once, in one pass: the sum over k of cotangents[k]^T dys[k]/d(input).
[[nodiscard]] std::vector<Tensor> grad(const std::vector<Tensor>& ys, const std::vector<Tensor>& inputs,
                                       const std::vector<Tensor>& cotangents, GradOptions options = {},
                                       Place place = Place::here());

/// Tensor::backward for several roots at once; a root given twice counts twice. An undefined cotangent, or none for a
/// root, stands for a one and needs a root of one element.
void backward(const std::vector<Tensor>& roots, const std::vector<Tensor>& cotangents = {},
              BackwardOptions options = {}, Place place = Place::here());

}  // namespace xgrad
#pragma GCC visibility pop
