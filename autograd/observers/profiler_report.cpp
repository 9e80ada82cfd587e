// Adds up a profile, and writes it as tables and as a trace for Chrome.
#include <algorithm>
#include <autograd/atomic_file.hpp>
#include <autograd/node.hpp>
#include <autograd/observers/profiler_notes.hpp>
#include <autograd/support/json.hpp>
#include <autograd/support/markup.hpp>
#include <autograd/support/table.hpp>

namespace xgrad {
namespace {

using detail::fixed, detail::Json;
using Part = ProfileRow::Part;
constexpr const char* part_names[] = {"forward", "backward", "optimizer"};

std::string bytes(std::int64_t n) {
  const auto x = static_cast<double>(n);
  if (n >= 10'000'000) return fixed(x / (1 << 20), 1) + " MiB";
  if (n >= 10'000) return fixed(x / (1 << 10), 1) + " KiB";
  return std::to_string(n) + " B";
}

/// By part; within one the longest self time first, and those of a module that took as long by name.
std::vector<ProfileRow> sorted(std::map<std::pair<Part, std::string>, ProfileRow>&& rows) {
  std::vector<ProfileRow> result;
  for (auto& [key, row] : rows) result.push_back(std::move(row));
  std::stable_sort(result.begin(), result.end(), [](const ProfileRow& a, const ProfileRow& b) {
    return a.part != b.part ? a.part < b.part : a.self > b.self;
  });
  return result;
}

/// Times in milliseconds, the rows of each part below its name and its sum; `nested` ones have a total of their own.
std::string table(const char* head, bool nested, const std::vector<ProfileRow>& rows) {
  double whole = 0, parts[3] = {};
  for (const ProfileRow& row : rows) {
    whole += row.self;
    parts[int(row.part)] += row.self;
  }
  const auto share = [whole](double x) { return fixed(whole > 0 ? 100 * x / whole : 0, 1); };
  std::vector<std::vector<std::string>> lines{
      {head, "calls", nested ? "total ms" : "", "self ms", "self %", "bytes", "MFLOP", "GFLOP/s"}};
  const ProfileRow* before = nullptr;
  for (const ProfileRow& row : rows) {
    if (!before || before->part != row.part) {
      const double sum = parts[int(row.part)];
      lines.push_back({part_names[int(row.part)], "", "", fixed(sum * 1e3, 3), share(sum)});
    }
    before = &row;
    lines.push_back({"  " + row.name, std::to_string(row.calls), nested ? fixed(row.total * 1e3, 3) : "",
                     fixed(row.self * 1e3, 3), share(row.self), bytes(row.bytes)});
    if (row.flops <= 0) continue;
    lines.back().push_back(fixed(row.flops / 1e6, 2));
    if (row.total > 0) lines.back().push_back(fixed(row.flops / row.total / 1e9, 1));
  }
  std::string s;
  for (const std::string& line : detail::aligned(lines, "lrrrrrrr")) {
    s += line + '\n';
    if (s.size() == line.size() + 1) s += std::string(line.size(), '-') + '\n';
  }
  return s;
}

}  // namespace

std::vector<ProfileRow> Profiler::ops() const {
  std::map<std::pair<Part, std::string>, ProfileRow> rows;
  for (const auto& [key, sums] : notes_->rows) {
    std::string name = text(key.name, key.kind == Kind::rule ? " vjp" : "");
    ProfileRow& row = rows[{key.part, name}];
    row.part = key.part;
    row.name = std::move(name);
    row.calls += sums.calls;
    row.total += sums.total;
    row.self += sums.self;
    row.bytes += sums.bytes;
    row.flops += sums.flops;
  }
  return sorted(std::move(rows));
}

std::vector<ProfileRow> Profiler::modules() const {
  std::map<std::pair<Part, std::string>, ProfileRow> rows;
  for (const auto& [key, sums] : notes_->rows) {
    const std::string& path = notes_->paths[std::size_t(key.path)];
    ProfileRow& row = rows[{key.part, path}];
    row.part = key.part;
    row.name = path.empty() ? "-" : path;
    row.calls += sums.calls;
    row.total += sums.self;
    row.self += sums.self;
    row.bytes += sums.own_bytes;
    row.flops += sums.own_flops;
  }
  return sorted(std::move(rows));
}

std::string Profiler::str() const { return table("op", true, ops()) + '\n' + table("module", false, modules()); }

void Profiler::write_chrome_trace(const FilePath& path, Place place) const {
  double first = 0;
  for (const Notes::Event& e : notes_->events)
    if (&e == &notes_->events[0] || e.start < first) first = e.start;
  std::string json = "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [";
  const char* separator = "\n";
  for (const Notes::Event& e : notes_->events) {
    Json event{{"name", text(e.name, e.kind == Kind::rule ? " vjp" : "")},
               {"cat", part_names[int(e.part)]},
               {"ph", "X"},
               {"ts", (e.start - first) * 1e6},
               {"dur", e.seconds * 1e6},
               {"pid", 1},
               {"tid", 1}};
    auto& arguments = event["args"] = Json::object();
    if (e.path > 0) arguments["module"] = notes_->paths[std::size_t(e.path)];
    if (e.place.file) arguments["line"] = text(e.place.file, ":", e.place.line);
    if (e.kind == Kind::op) arguments["result"] = e.shape.str();
    if (e.bytes > 0) arguments["bytes"] = e.bytes;
    if (e.flops > 0) arguments["flops"] = e.flops;
    json += separator + detail::to_valid_text(event);
    separator = ",\n";
  }
  write_file_atomically(path, json + "\n]}\n", place);
}

}  // namespace xgrad
