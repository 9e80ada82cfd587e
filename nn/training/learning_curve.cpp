// Draws loss and accuracy over the epochs.
#include <autograd/atomic_file.hpp>
#include <nn/training/epoch_chart.hpp>
#include <nn/training/learning_curve.hpp>

namespace xgrad::nn {
namespace {

std::vector<double> column(const std::vector<EpochRecord>& epochs, double EpochRecord::*field) {
  std::vector<double> values;
  values.reserve(epochs.size());
  for (const EpochRecord& e : epochs) values.push_back(e.*field);
  return values;
}

}  // namespace

void write_learning_curve(const FilePath& path, const std::vector<EpochRecord>& epochs, Place place) {
  const OpScope scope("write_learning_curve", place);
  if (epochs.empty()) scope.fail<ValueError>("no epochs to draw");
  const auto chart = [&](const char* title, double EpochRecord::*training, double EpochRecord::*held_out) {
    return detail::epoch_chart(title, column(epochs, training), column(epochs, held_out), "held out");
  };
  const Charts charts{{chart("Loss", &EpochRecord::loss, &EpochRecord::held_out_loss),
                       chart("Accuracy", &EpochRecord::accuracy, &EpochRecord::held_out_accuracy)}};
  write_file_atomically(path, to_svg(charts, place), place);
}

}  // namespace xgrad::nn
