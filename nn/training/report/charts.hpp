#pragma once
#include <nn/training/report/findings.hpp>

/// The charts of a report, each an SVG picture.
namespace xgrad::nn::detail {

/// The epoch, from 0, with the lowest validation loss, or where there is none, loss.
std::size_t best_epoch(const History& history);

struct EpochPicture {
  std::vector<std::string> curves;  // their names in the history
  std::string svg;
};
/// All curves with the best epoch marked, and the training rows a second.
std::vector<EpochPicture> epoch_pictures(const History& history);

/// For probabilities and targets of 0 or 1; the first is empty where all targets are one class.
std::string roc_picture(const Findings& found);
std::string calibration_picture(const Findings& found);
/// For one number a row: predictions against targets. Empty for others.
std::string scatter_picture(const Findings& found);

/// How a parameter, or its gradient, was spread after some of the epochs, one ridge behind the other.
std::string ridges(const History& history, std::size_t parameter, bool of_gradient);

}  // namespace xgrad::nn::detail
