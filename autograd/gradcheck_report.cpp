#include <autograd/gradcheck.hpp>
#include <cstdio>
#include <ostream>

namespace xgrad {
namespace {

constexpr int verdict_count = 5;
constexpr std::size_t rows_shown = 20;

/// "x0[1, 2]" for a given input, "g0[1, 2]" for the cotangent of a lower order, "all" for a direction.
std::string place_of(const GradcheckEntry& e, const std::vector<Shape>& shapes, int given) {
  if (e.input < 0) return "all";
  const Shape& shape = shapes[static_cast<std::size_t>(e.input)];
  std::string s = e.input < given ? text("x", e.input) : text("g", e.input - given);
  if (shape.ndim() == 0) return s;
  std::string index;
  std::int64_t rest = e.element;
  for (int d = shape.ndim() - 1; d >= 0; --d) {
    index = text(rest % shape[d], index.empty() ? "" : ", ") + index;
    rest /= shape[d];
  }
  return text(s, "[", index, "]");
}

}  // namespace

const char* name_of(Verdict v) {
  constexpr const char* names[verdict_count] = {"PASS", "FAIL", "KINK", "UNRELIABLE", "DOMAIN"};
  return names[static_cast<int>(v)];
}

bool GradcheckReport::ok() const {
  return problems_.empty() && count(Verdict::fail) == 0 && count(Verdict::unreliable) == 0 &&
         (allow_kinks_ || count(Verdict::kink) == 0) && (allow_domain_ || count(Verdict::domain) == 0);
}

std::string GradcheckReport::str() const {
  std::int64_t total = 0;
  for (const std::int64_t n : counts_) total += n;
  std::string s = text("gradcheck: ", ok() ? "ok" : "NOT OK", ": ", total, total == 1 ? " derivative" : " derivatives");
  const char* separator = ": ";
  for (int v = 0; v < verdict_count; ++v) {
    if (counts_[v] == 0) continue;
    s += text(separator, counts_[v], " ", name_of(static_cast<Verdict>(v)));
    separator = ", ";
  }
  s += "\n";
  for (const std::string& problem : problems_) s += text("  problem: ", problem, "\n");
  for (const std::string& note : notes_) s += text("  note: ", note, "\n");
  if (entries_.empty()) return s;
  char line[160];
  std::snprintf(line, sizeof line, "  %-5s %-16s %8s %16s %16s %10s  %s\n", "order", "by", "output", "analytic",
                "numeric", "+-", "verdict");
  s += line;
  for (std::size_t i = 0; i < entries_.size() && i < rows_shown; ++i) {
    const GradcheckEntry& e = entries_[i];
    const std::string output = e.output >= 0 ? text(e.output) : text("sum ", -e.output);
    std::snprintf(line, sizeof line, "  %-5d %-16s %8s %16.9g %16.9g %10.2g  %s\n", e.order,
                  place_of(e, shapes_, given_).c_str(), output.c_str(), e.analytic, e.numeric, e.error,
                  name_of(e.verdict));
    s += line;
  }
  if (total > static_cast<std::int64_t>(rows_shown))
    s += text("  ... and ", total - static_cast<std::int64_t>(rows_shown), " more, none worse\n");
  return s;
}

std::ostream& operator<<(std::ostream& to, const GradcheckReport& report) { return to << report.str(); }

}  // namespace xgrad
