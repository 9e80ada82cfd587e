#pragma once
#include <nn/training/loss.hpp>
#include <nn/training/options.hpp>
#include <optim/optimizer.hpp>

/// What a history says of its run besides numbers by epoch.
namespace xgrad::nn::detail {

/// The version of the library and the compiler that built it.
std::string version();

/// What was trained on what, and all that one needs to do it again. `first` is the first batch.
std::vector<History::Fact> facts_of(const FitOptions& options, const Loss& loss, const optim::Optimizer& optimizer,
                                    const TrainingBatch& first, std::int64_t rows, std::int64_t held_out,
                                    std::uint64_t seed);

}  // namespace xgrad::nn::detail
