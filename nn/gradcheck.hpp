#pragma once
#include <autograd/gradcheck.hpp>
#include <nn/module.hpp>

#pragma GCC visibility push(default)

/// Gradient checks of a whole model, parameter by parameter.
namespace xgrad::nn {

namespace detail {
/// Checks f, which computes with `copy`; the check may change the copy.
GradcheckReport gradcheck(Module& copy, xgrad::detail::TensorFunction f, const std::vector<Tensor>& data,
                          const GradcheckOptions& options, Place place);
}  // namespace detail

/// Checks the derivatives of loss(model, x, t, ...) by every parameter of the model, which the report calls by name; x,
/// t, ... are `data`:
///
///   nn::gradcheck(model, [](Net& m, const Tensor& x, const Tensor& t) { return nn::mse_loss(m(x), t); }, {x, t})
///
/// It works on a copy, so the model stays as it is, and in f64 if the loss runs there: an f32 model and f32 data are
/// converted. Random numbers are the same in every run, so that dropout is a fixed mask. Otherwise as gradcheck of
/// autograd/gradcheck.hpp. Throws ValueError if the model has no parameter that requires a gradient.
template <std::derived_from<Module> Model, class F>
GradcheckReport gradcheck(const Model& model, F loss, const std::vector<Tensor>& data,
                          const GradcheckOptions& options = {}, Place place = Place::here()) {
  Model copy = model;
  auto f = [&](const auto&... x) -> decltype(loss(copy, x...)) { return loss(copy, x...); };
  return detail::gradcheck(copy, xgrad::detail::TensorFunction(f, place), data, options, place);
}
/// The same for loss(model).
template <std::derived_from<Module> Model, class F>
GradcheckReport gradcheck(const Model& model, F loss, const GradcheckOptions& options = {},
                          Place place = Place::here()) {
  Model copy = model;
  auto f = [&](const std::vector<Tensor>&) { return loss(copy); };
  return detail::gradcheck(copy, xgrad::detail::TensorFunction(f, place), {}, options, place);
}

}  // namespace xgrad::nn
#pragma GCC visibility pop
