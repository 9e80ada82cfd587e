#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace bench {
namespace {

std::string threads_of(const Row& row) {
  return row.threads == Row::best_of_all ? "best" : std::to_string(row.threads);
}

/// Three significant digits, but never fewer than the whole part has.
std::string figure(double v) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.*f", v >= 100 ? 0 : v >= 10 ? 1 : 2, v);
  return buffer;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string gap(width > text.size() ? width - text.size() : 0, ' ');
  return right ? gap + text : text + gap;
}

}  // namespace

std::string table(const Machine& machine, const std::vector<Row>& rows, const std::vector<std::string>& notes) {
  std::string out;
  for (const auto& [what, value] : machine) out += padded(what, 11, false) + value + "\n";
  std::vector<std::vector<std::string>> lines = {
      {"", "size", "threads", "unit", "xgrad", "peer", "", "ratio", "low", "high"}};
  for (const Row& row : rows)
    lines.push_back({row.name, row.size, threads_of(row), row.unit, figure(row.ours), figure(row.peer), row.against,
                     figure(row.ratio), figure(row.low), figure(row.high)});
  constexpr bool right[] = {false, true, true, false, true, true, false, true, true, true};
  std::vector<std::size_t> widths(std::size(right));
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  const std::string* last = nullptr;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    // A gap where another comparison begins.
    if (last && *last != lines[l][0]) out += "\n";
    last = &lines[l][0];
    if (l == 0) out += "\n";
    std::string text;
    for (std::size_t i = 0; i < lines[l].size(); ++i)
      text += (i ? "  " : "") + padded(lines[l][i], widths[i], right[i]);
    out += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  }
  if (!rows.empty())
    out += "\nratio: how many times better xgrad is, medians of both; low, high: its quartiles, block by block\n";
  for (const std::string& note : notes) out += note + "\n";
  return out;
}

std::string json(const std::vector<Row>& rows) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json object = {{"name", row.name}, {row.size_name, row.size}};
    if (row.threads == Row::best_of_all) {
      object["threads"] = "best";
    } else {
      object["threads"] = row.threads;
    }
    object.update({{"against", row.against},
                   {"unit", row.unit},
                   {"ours", row.ours},
                   {"peer", row.peer},
                   {"ratio", row.ratio},
                   {"low", row.low},
                   {"high", row.high}});
    array.push_back(std::move(object));
  }
  return array.dump(1) + "\n";
}

}  // namespace bench
