#pragma once
#include <nn/training/loss.hpp>
#include <nn/training/options.hpp>

/// What is wrong with a run, found at its beginning.
namespace xgrad::nn::detail {

/// Throws ValueError where a loss that applies a sigmoid or softmax itself is given probabilities.
void check_output(const Loss& loss, const Tensor& prediction, Place place);
/// Throws ValueError for options that make no sense, alone or for this data.
void check_options(const OpScope& scope, const FitOptions& options, const Loss& loss, std::int64_t rows);
/// Sentences about a batch's inputs and all targets, undefined where they are not at hand: what can be trained on, and
/// hardly is what was meant.
std::vector<std::string> doubts(const Loss& loss, const std::vector<Tensor>& inputs, const Tensor& labels);

}  // namespace xgrad::nn::detail
