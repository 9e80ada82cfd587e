#pragma once
#include <autograd/error.hpp>
#include <autograd/file_path.hpp>
#include <vector>

#pragma GCC visibility push(default)

/// A picture of how training went.
namespace xgrad::nn {

/// What one epoch came to, on the training data and on data that was held out.
struct EpochRecord {
  double loss, accuracy, held_out_loss, held_out_accuracy;
};

/// Draws loss and accuracy against the epoch, training and held-out side by side, as an SVG picture of 960 x 400.
/// A loss or accuracy that is not finite leaves a gap. Throws ValueError without epochs, and FileError
/// when the file cannot be written.
void write_learning_curve(const FilePath& path, const std::vector<EpochRecord>& epochs, Place place = Place::here());

}  // namespace xgrad::nn
#pragma GCC visibility pop
