#include <autograd/atomic_file.hpp>
#include <nn/training/learning_curve.hpp>
#include <nn/training/panel.hpp>

namespace xgrad::nn {
namespace {

std::vector<double> column(const std::vector<EpochRecord>& epochs, double EpochRecord::*field) {
  std::vector<double> values;
  values.reserve(epochs.size());
  for (const EpochRecord& e : epochs) values.push_back(e.*field);
  return values;
}

}  // namespace

void write_learning_curve(const std::filesystem::path& path, const std::vector<EpochRecord>& epochs, Place place) {
  const OpScope scope("write_learning_curve", place);
  if (epochs.empty()) scope.fail<ValueError>("no epochs to draw");
  write_file_atomically(
      path,
      detail::curves_svg(
          {{"Loss", column(epochs, &EpochRecord::loss), column(epochs, &EpochRecord::held_out_loss)},
           {"Accuracy", column(epochs, &EpochRecord::accuracy), column(epochs, &EpochRecord::held_out_accuracy)}},
          "training", "held out"),
      place);
}

}  // namespace xgrad::nn
