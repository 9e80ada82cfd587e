#pragma once
#include <string>
#include <vector>

/// Diagrams of curves over the epochs, or over other places at equal distances, side by side.
namespace xgrad::nn::detail {

/// One diagram: a curve of the training data, and one of the held-out data, which may be empty.
struct Curves {
  std::string title;
  std::vector<double> training, held_out;
  std::string axis = "epoch";
  std::vector<std::string> labels = {};  // of the places along the axis; 1, 2, ... unless told
};

/// An SVG picture, 400 high. `training` and `held_out` are what the key calls the two kinds of curves; it leaves out
/// one without a name. What is not finite leaves a gap.
std::string curves_svg(const std::vector<Curves>& diagrams, const std::string& training, const std::string& held_out);

}  // namespace xgrad::nn::detail
