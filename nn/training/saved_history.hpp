#pragma once
#include <autograd/support/json.hpp>
#include <nn/training/history.hpp>

/// A history as checkpoints hold it: tensors, and what these are in JSON.
namespace xgrad::nn::detail {

using xgrad::detail::Json;

/// Adds a history to a checkpoint's tensors and to what it says of its run.
void save_history(const History& history, StateDict& tensors, Json& run);
/// What save_history added; also of a checkpoint that holds numbers by epoch only.
History load_history(const StateDict& tensors, const Json& run);

/// The numbers as f64 (n).
Tensor doubles(const std::vector<double>& values);

}  // namespace xgrad::nn::detail
