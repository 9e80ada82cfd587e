#pragma once
#include <autograd/chart.hpp>
#include <nn/training/history.hpp>

/// What histories and learning curves draw.
namespace xgrad::nn::detail {

/// A quantity over the epochs 1, 2, ...: of the training data, and of data held out, of which there may be none.
Chart epoch_chart(const std::string& title, const std::vector<double>& training, const std::vector<double>& held_out,
                  const std::string& held_out_name);

/// A chart for each quantity, with that of the validation data if there is one; a learning rate that stands still is
/// left out unless there is nothing else.
std::vector<Chart> epoch_charts(const History& history);

}  // namespace xgrad::nn::detail
