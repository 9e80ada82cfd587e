#include "report.hpp"

#include <autograd/support/table.hpp>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace bench {
namespace {

using xgrad::detail::aligned;

std::string threads_of(const Row& row) {
  return row.threads == Row::best_of_all ? "best" : std::to_string(row.threads);
}

/// Three significant digits, but never fewer than the whole part has.
std::string figure(double v) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.*f", v >= 100 ? 0 : v >= 10 ? 1 : 2, v);
  return buffer;
}

/// What all ops of a kind are called: the name up to its comma.
std::string kind(const std::string& name) { return name.substr(0, name.find(',')); }

}  // namespace

void group(std::vector<Row>& rows) {
  const auto differ_in_size_only = [](const Row& a, const Row& b) {
    return a.name == b.name && a.against == b.against && a.threads == b.threads;
  };
  for (auto first = rows.begin(); first != rows.end();)
    first = std::stable_partition(first, rows.end(),
                                  [&, leader = *first](const Row& row) { return differ_in_size_only(row, leader); });
}

std::string table(const Machine& machine, const std::vector<Row>& rows, const std::vector<std::string>& notes) {
  std::string out;
  std::vector<std::vector<std::string>> about;
  for (const auto& [what, value] : machine) about.push_back({what, value});
  for (const std::string& line : aligned(about, "ll")) out += line + "\n";
  std::vector<std::vector<std::string>> lines = {
      {"", "size", "threads", "unit", "xgrad", "peer", "", "ratio", "low", "high"}};
  for (const Row& row : rows) {
    lines.push_back({row.name, row.size, threads_of(row), row.unit, figure(row.ours), figure(row.peer), row.against,
                     figure(row.ratio), figure(row.low), figure(row.high)});
    if (row.against.empty()) std::fill(lines.back().begin() + 5, lines.back().end(), std::string(1, '-'));
  }
  const std::vector<std::string> written = aligned(lines, "lrrlrrlrrr");
  for (std::size_t l = 0; l < lines.size(); ++l) {
    // A gap where another comparison begins.
    if (l > 0 && kind(lines[l - 1][0]) != kind(lines[l][0])) out += "\n";
    if (l == 0) out += "\n";
    out += written[l] + "\n";
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
    if (row.size.find_first_not_of("0123456789") == std::string::npos && !row.size.empty())
      object[row.size_name] = std::stoll(row.size);
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
    if (row.against.empty())
      object["against"] = object["peer"] = object["ratio"] = object["low"] = object["high"] = nullptr;
    array.push_back(std::move(object));
  }
  return array.dump(1) + "\n";
}

}  // namespace bench
