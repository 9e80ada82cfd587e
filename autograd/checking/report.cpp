#include <autograd/gradcheck.hpp>
#include <cstdio>
#include <ostream>

namespace xgrad {
namespace {

constexpr int verdict_count = 5;
constexpr std::size_t rows_shown = 20;

/// "[1, 2]" for a flat index; nothing for a 0-d tensor.
std::string index_in(const Shape& shape, std::int64_t flat) {
  if (shape.ndim() == 0 || flat < 0) return "";
  std::string index;
  for (int d = shape.ndim() - 1; d >= 0; --d) {
    index = text(flat % shape[d], index.empty() ? "" : ", ") + index;
    flat /= shape[d];
  }
  return text("[", index, "]");
}

/// "x0[1, 2]" for a given input, "g0[1, 2]" for the cotangent of a lower order, "all" for a direction.
std::string place_of(const GradcheckEntry& e, const std::vector<Shape>& shapes, int given) {
  if (e.input < 0) return "all";
  const Shape& shape = shapes[static_cast<std::size_t>(e.input)];
  return (e.input < given ? text("x", e.input) : text("g", e.input - given)) + index_in(shape, e.element);
}

std::string number(double v, const char* format = "%.9g") {
  char s[32];
  std::snprintf(s, sizeof s, format, v);
  return s;
}

/// Two lines: which op, where and what is wrong with it; and the numbers.
std::string words(const GradcheckCulprit& c) {
  std::string s = "  wrong: ";
  if (c.place.file) s += text(c.place.file, ":", c.place.line, ": ");
  if (!c.path.empty()) s += text("in ", c.path, ": ");
  s += c.op;
  if (!c.rule_of.empty()) s += text(" in the rule of ", c.rule_of);
  if (c.input >= 0) s += text(", input ", c.input);
  if (c.order > 1) s += text(", order ", c.order);
  if (!c.pattern.empty()) s += text(": ", c.pattern);
  if (!c.hint.empty()) s += text(c.pattern.empty() ? ": " : ": ", c.hint);
  s += "\n";
  if (c.numeric != c.numeric) return s;
  s += text("         d out", index_in(c.output_shape, c.output), " / d in", index_in(c.input_shape, c.element),
            ": analytic ", number(c.analytic), ", numeric ", number(c.numeric), " +- ", number(c.error, "%.2g"),
            " (slopes ", number(c.left), " on the left, ", number(c.right), " on the right)\n");
  return s;
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
  for (const GradcheckCulprit& culprit : culprits_) s += words(culprit);
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
