#pragma once
#include <nn/module.hpp>

#pragma GCC visibility push(default)

namespace xgrad::nn {

/// The summary of a model with the shapes that its layers give for x: `nn::summary(model, zeros({1, 1, 28, 28}))`. The
/// model runs once, in evaluation mode and without a graph, and is then in the modes that it was in. A module that is
/// called directly and does not run by `hooked` has no shape.
template <class Model>
std::string summary(Model& model, const Tensor& x, Place place = Place::here()) {
  const auto run = [&] { static_cast<void>(model(x)); };
  return static_cast<Module&>(model).summary(run, place);
}

}  // namespace xgrad::nn
#pragma GCC visibility pop
