// The chart of a quantity over the epochs.
#include <nn/training/epoch_chart.hpp>

namespace xgrad::nn {

Chart detail::epoch_chart(const std::string& title, const std::vector<double>& training,
                          const std::vector<double>& held_out, const std::string& held_out_name) {
  Chart chart{.title = title, .x = {.label = "epoch"}};
  std::vector<double> epochs;
  const std::size_t between_ticks = (training.size() + 9) / 10;
  for (std::size_t e = 0; e < training.size(); ++e) {
    epochs.push_back(static_cast<double>(e + 1));
    if (e % between_ticks == 0) chart.x.ticks.push_back(epochs.back());
  }
  chart.curves.push_back({.x = epochs, .y = training, .name = "training", .dots = true});
  if (!held_out.empty())
    chart.curves.push_back({.x = epochs, .y = held_out, .name = held_out_name, .colour = "#d9622b", .dots = true});
  return chart;
}

}  // namespace xgrad::nn
