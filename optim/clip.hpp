#pragma once
#include <autograd/tensor.hpp>
#include <string>
#include <utility>
#include <vector>

#pragma GCC visibility push(default)

/// Between `backward` and `step`, gradients that are too large can be made smaller:
///
///   loss.backward();
///   optim::clip_grad_norm(model.parameters(), 1.0);
///   optimizer.step();
///
/// The gradients are overwritten in place, and so for everyone who holds them; graphs that still need their old values
/// throw when used. Parameters without a gradient are passed over. In a captured step this is replayed, checks
/// included.
namespace xgrad::optim {

struct ClipOptions {
  bool error_if_nonfinite = true;  // otherwise gradients whose norm is not finite stay as they are
};

/// Scales all gradients by max_norm / n where their common Euclidean norm n = sqrt(sum of g^2 over all elements of all
/// gradients) exceeds max_norm, which keeps their direction (Pascanu et al. 2013). Returns n, as it was before, as a
/// 0-d f64 tensor; 0 if there are no gradients, infinity if it is above the largest double. Throws ValueError, with all
/// gradients unchanged, for a negative or NaN max_norm, a parameter given twice or undefined, and unless told otherwise
/// for a gradient that holds NaN or infinity, whose parameter it names: by its name if there are names, as
/// `model.named_parameters()` gives them.
Tensor clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm, ClipOptions options = {},
                      Place place = Place::here());
Tensor clip_grad_norm(const std::vector<std::pair<std::string, Tensor>>& parameters, double max_norm,
                      ClipOptions options = {}, Place place = Place::here());
/// The same for one gradient alone.
Tensor clip_grad_norm(const Tensor& parameter, double max_norm, ClipOptions options = {}, Place place = Place::here());

/// Sets each element of each gradient to the nearest number in [-limit, limit]; a NaN stays one. Throws ValueError for
/// a negative or NaN limit.
void clip_grad_value(const std::vector<Tensor>& parameters, double limit, Place place = Place::here());

}  // namespace xgrad::optim
#pragma GCC visibility pop
