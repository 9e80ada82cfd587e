// Saves and loads histories.
#include <algorithm>
#include <autograd/ops.hpp>
#include <nn/training/saved_history.hpp>

namespace xgrad::nn {
namespace {

Tensor packed(const Histogram& h) {
  std::vector<double> numbers = {h.low, h.high, h.sum, h.squares};
  numbers.insert(numbers.end(), h.counts.begin(), h.counts.end());
  return detail::doubles(numbers);
}

Histogram unpacked(const Tensor& numbers) {
  Histogram h;
  const double* const v = numbers.data<double>();
  h.low = v[0], h.high = v[1], h.sum = v[2], h.squares = v[3];
  std::copy_n(v + 4, Histogram::bins, h.counts.begin());
  return h;
}

std::string value_name(std::size_t epoch, const std::string& parameter) {
  return text("histogram.", epoch, ".", parameter);
}
std::string gradient_name(std::size_t epoch, const std::string& parameter) {
  return text("gradient_histogram.", epoch, ".", parameter);
}

}  // namespace

Tensor detail::doubles(const std::vector<double>& values) {
  const Tensor t = zeros({static_cast<std::int64_t>(values.size())}, {.dtype = f64});
  std::copy(values.begin(), values.end(), t.data<double>());
  return t;
}

void detail::save_history(const History& history, StateDict& tensors, Json& run) {
  for (const std::string& name : history.names()) tensors.set("history." + name, doubles(history[name]));
  std::vector<double> paces;
  for (const Pace& pace : history.paces()) paces.insert(paces.end(), {pace.seconds, pace.rows_per_second});
  tensors.set("paces", doubles(paces));
  Json epochs = Json::array();
  for (const auto& [epoch, parameters] : history.histograms()) {
    Json names = Json::array();
    for (const auto& [name, values, gradient] : parameters) {
      names.push_back(name);
      tensors.set(value_name(epoch, name), packed(values));
      if (gradient) tensors.set(gradient_name(epoch, name), packed(*gradient));
    }
    epochs.push_back({{"epoch", epoch}, {"parameters", std::move(names)}});
  }
  run["curves"] = history.names();
  run["epochs_recorded"] = history.size();
  run["histograms"] = std::move(epochs);
  run["facts"] = history.facts();
  run["warnings"] = history.warnings();
}

History detail::load_history(const StateDict& tensors, const Json& run) {
  History history;
  const auto epochs = run.at("epochs_recorded").get<std::int64_t>();
  const Tensor* const paces = tensors.find("paces");
  for (std::int64_t e = 0; e < epochs; ++e) {
    Scores scores;
    for (const Json& curve : run.at("curves")) {
      const auto name = curve.get<std::string>();
      scores.set(name, tensors["history." + name].data<double>()[e]);
    }
    history.add(scores, paces ? Pace{paces->data<double>()[2 * e], paces->data<double>()[2 * e + 1]} : Pace());
  }
  for (const Json& saved : run.value("histograms", Json::array())) {
    EpochHistograms of_epoch{saved.at("epoch").get<std::size_t>(), {}};
    for (const Json& parameter : saved.at("parameters")) {
      const auto name = parameter.get<std::string>();
      of_epoch.parameters.push_back({name, unpacked(tensors[value_name(of_epoch.epoch, name)])});
      if (const Tensor* const gradient = tensors.find(gradient_name(of_epoch.epoch, name)))
        of_epoch.parameters.back().gradient = unpacked(*gradient);
    }
    history.add_histograms(std::move(of_epoch));
  }
  history.set_facts(run.value("facts", std::vector<History::Fact>()));
  for (const Json& warning : run.at("warnings")) history.warn(warning.get<std::string>());
  return history;
}

}  // namespace xgrad::nn
