#include <algorithm>
#include <autograd/support/markup.hpp>
#include <nn/training/epoch_chart.hpp>
#include <nn/training/history.hpp>
#include <ostream>

namespace xgrad::nn {
namespace {

/// "loss, lr and accuracy" of whatever has a name.
template <class List, class Name>
std::string listed(const List& list, Name name) {
  std::string words;
  for (const auto& entry : list) words += (words.empty() ? "" : ", ") + name(entry);
  return words.empty() ? "nothing" : words;
}

/// A name as a field of CSV, quoted where it must be (RFC 4180).
std::string csv_field(const std::string& name) {
  if (name.find_first_of(",\"\r\n") == name.npos) return name;
  std::string field = "\"";
  for (const char c : name) field += c == '"' ? "\"\"" : std::string(1, c);
  return field + "\"";
}

}  // namespace

// ---- Scores ----

const double* Scores::find(std::string_view name) const {
  const auto found = std::find_if(begin(), end(), [&](const Entry& e) { return e.first == name; });
  return found == end() ? nullptr : &found->second;
}

double Scores::operator[](StateDict::Name name) const {
  const OpScope scope("Scores", name.place);
  if (const double* const found = find(name.value)) return *found;
  scope.fail<ValueError>("there is no '", name.value, "'; there is ", names());
}

std::string Scores::names() const {
  return listed(entries_, [](const Entry& e) { return e.first; });
}

void Scores::set(std::string_view name, double value) {
  if (const double* const found = find(name)) {
    *const_cast<double*>(found) = value;
  } else {
    entries_.emplace_back(name, value);
  }
}

std::string Scores::str() const {
  std::string words;
  for (const auto& [name, value] : entries_)
    words += text(words.empty() ? "" : ", ", name, " ", xgrad::detail::fixed(value, 4));
  return words;
}

std::ostream& operator<<(std::ostream& out, const Scores& scores) { return out << scores.str(); }

// ---- History ----

const History::Curve* History::find(std::string_view name) const {
  const auto found = std::find_if(curves_.begin(), curves_.end(), [&](const Curve& c) { return c.name == name; });
  return found == curves_.end() ? nullptr : &*found;
}

const std::vector<double>& History::operator[](StateDict::Name name) const {
  const OpScope scope("History", name.place);
  if (const Curve* const found = find(name.value)) return found->values;
  scope.fail<ValueError>("there is no '", name.value, "'; there is ",
                         listed(curves_, [](const Curve& c) { return c.name; }));
}

std::vector<std::string> History::names() const {
  std::vector<std::string> names;
  for (const Curve& curve : curves_) names.push_back(curve.name);
  return names;
}

Scores History::epoch(std::size_t index, Place place) const {
  const OpScope scope("History", place);
  if (index >= epochs_) scope.fail<ValueError>("there is no epoch ", index, "; there are ", epochs_);
  Scores scores;
  for (const Curve& curve : curves_) scores.set(curve.name, curve.values[index]);
  return scores;
}

void History::add(const Scores& epoch, Pace pace) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  for (const auto& entry : epoch)
    if (!find(entry.first)) curves_.push_back({entry.first, std::vector<double>(epochs_, none)});
  for (Curve& curve : curves_) {
    const double* const value = epoch.find(curve.name);
    curve.values.push_back(value ? *value : none);
  }
  paces_.push_back(pace);
  ++epochs_;
}

std::string History::to_csv() const {
  std::string csv = "epoch";
  for (const Curve& curve : curves_) csv += text(",", csv_field(curve.name));
  csv += "\n";
  for (std::size_t e = 0; e < epochs_; ++e) {
    csv += text(e + 1);
    for (const Curve& curve : curves_) csv += text(",", curve.values[e]);
    csv += "\n";
  }
  return csv;
}

std::string History::to_svg(Place place) const {
  const OpScope scope("History", place);
  if (epochs_ == 0) scope.fail<ValueError>("no epochs to draw");
  return xgrad::to_svg({.charts = detail::epoch_charts(*this)}, place);
}

std::ostream& operator<<(std::ostream& out, const History& history) { return out << history.to_csv(); }

}  // namespace xgrad::nn
