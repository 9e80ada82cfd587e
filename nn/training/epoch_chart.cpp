// The charts of quantities over the epochs.
#include <algorithm>
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

std::vector<Chart> detail::epoch_charts(const History& history) {
  constexpr std::string_view validation = "validation_";
  const std::vector<std::string> names = history.names();
  std::vector<Chart> charts;
  for (const std::string& name : names) {
    if (name.starts_with(validation) && history.contains(name.substr(validation.size()))) continue;
    const std::vector<double>& values = history[name];
    const bool constant = std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); });
    if (name == "lr" && constant && names.size() > 1) continue;  // a line that says nothing
    const std::string held_out = text(validation, name);
    charts.push_back(epoch_chart(name, values, history.contains(held_out) ? history[held_out] : std::vector<double>(),
                                 "validation"));
  }
  return charts;
}

}  // namespace xgrad::nn
