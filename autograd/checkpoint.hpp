#pragma once
#include <autograd/core/tensor_function.hpp>

#pragma GCC visibility push(default)

namespace xgrad {

namespace detail {

/// An owned copy of the function and its captures.
struct KeptFunction {
  std::shared_ptr<const void> owner;
  TensorFunction f;
};
template <class F>
KeptFunction kept(F&& f, Place place) {
  if constexpr (std::is_lvalue_reference_v<F> && requires { f.parameters(); }) {
    return {nullptr, TensorFunction(f, place)};
  } else {
    const auto own = std::make_shared<std::decay_t<F>>(std::forward<F>(f));
    return {own, TensorFunction(*own, place)};
  }
}
std::vector<Tensor> checkpointed(KeptFunction f, const std::vector<Tensor>& x, Place place);

template <class F>
Result<F> checkpoint_of(F&& f, const std::vector<Tensor>& x, Place place) {
  std::vector<Tensor> y = checkpointed(kept(std::forward<F>(f), place), x, place);
  if constexpr (std::is_same_v<Result<F>, Tensor>) {
    return std::move(y[0]);
  } else {
    return y;
  }
}

}  // namespace detail

/// f(x), of which only x is kept for the backward pass, where f is computed again (Chen et al. 2016): less memory for
/// more time. f is called as f(x), f(x, w), ... or with a std::vector<Tensor>, and returns a Tensor or several.
///
///   for (Block& block : blocks) h = checkpoint(block, h);
///
/// Gradients have the same bits: those of x, and those of all that f refers to, such as the parameters of layers that
/// it uses. They can be differentiated again, to any order; those passes compute again too. Random numbers, as of
/// dropout, are drawn anew from where the generator stood. f is kept by value until the graph is gone, but a model that
/// is passed itself (an lvalue with parameters()) by reference; what f refers to must live as long. Throws GraphError
/// in the backward pass if f then gives other shapes or uses other tensors that require a gradient, or a value that was
/// overwritten since.
template <class F>
auto checkpoint(F&& f, const Tensor& x, Place place = Place::here()) {
  return detail::checkpoint_of(std::forward<F>(f), {x}, place);
}
template <class F>
auto checkpoint(F&& f, const Tensor& x, const Tensor& w, Place place = Place::here()) {
  return detail::checkpoint_of(std::forward<F>(f), {x, w}, place);
}
template <class F>
auto checkpoint(F&& f, const Tensor& x, const Tensor& w, const Tensor& b, Place place = Place::here()) {
  return detail::checkpoint_of(std::forward<F>(f), {x, w, b}, place);
}
template <class F>
auto checkpoint(F&& f, const std::vector<Tensor>& x, Place place = Place::here()) {
  return detail::checkpoint_of(std::forward<F>(f), x, place);
}

}  // namespace xgrad
#pragma GCC visibility pop
