#pragma once
#include <nn/data/loader.hpp>
#include <nn/module.hpp>
#include <nn/training/loss.hpp>
#include <optim/optimizer.hpp>

#pragma GCC visibility push(default)

namespace xgrad::nn {

struct FindLrOptions {
  double min_lr = 1e-7;
  double max_lr = 1;
  std::int64_t steps = 100;
  double smoothing = 0.9;  // of the losses: the decay of their exponential average
  double divergence = 4;   // the test ends where that is so many times its least value
};

/// What a range test has seen.
struct LrRange {
  std::vector<double> lr, loss, smoothed;  // at each step; the last ones where the loss diverged
  double suggestion;                       // a tenth of the rate with the least smoothed loss

  /// A picture of both losses against the rate, 400 high.
  std::string to_svg() const;
};

/// A learning-rate range test (Smith 2017): trains step by step on the loader's batches, as many epochs as that takes,
/// while the rate of all groups rises from min_lr to max_lr by equal factors. Look at the curve: a good rate lies where
/// it falls fast, below where it turns. Afterwards, or if it throws, the model with its gradients, the optimiser, the
/// loader and the random numbers are as before. The model stays in its mode, training or not. Throws ValueError for an
/// option outside its range, an empty loader, or a loss that is not finite at min_lr.
template <std::derived_from<Module> Model>
LrRange find_lr(Model& model, optim::Optimizer& optimizer, const Loss& loss, Loader& loader,
                const FindLrOptions& options = {}, Place place = Place::here());

namespace detail {
LrRange find_lr(Module& model, const xgrad::detail::TensorFunction& forward, optim::Optimizer& optimizer,
                const Loss& loss, Loader& loader, const FindLrOptions& options, Place place);
}  // namespace detail

template <std::derived_from<Module> Model>
LrRange find_lr(Model& model, optim::Optimizer& optimizer, const Loss& loss, Loader& loader,
                const FindLrOptions& options, Place place) {
  return detail::find_lr(model, xgrad::detail::TensorFunction(model, place), optimizer, loss, loader, options, place);
}

}  // namespace xgrad::nn
#pragma GCC visibility pop
