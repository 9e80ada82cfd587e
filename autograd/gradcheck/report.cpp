// Writes a report as text.
#include <algorithm>
#include <autograd/gradcheck/report.hpp>
#include <cstdio>
#include <ostream>

namespace xgrad {

std::string checking::index_in(const Shape& shape, std::int64_t flat) {
  if (shape.ndim() == 0 || flat < 0) return "";
  std::string index;
  for (int d = shape.ndim() - 1; d >= 0; --d) {
    index = text(flat % shape[d], index.empty() ? "" : ", ") + index;
    flat /= shape[d];
  }
  return text("[", index, "]");
}

std::string checking::headline(const GradcheckCulprit& c) {
  std::string s = c.op;
  if (!c.rule_of.empty()) s += text(" in the rule of ", c.rule_of);
  if (c.input >= 0) s += text(", input ", c.input);
  if (c.order > 1) s += text(", order ", c.order);
  return s;
}

std::string checking::output_name(const GradcheckEntry& e) {
  return e.output >= 0 ? text(e.output) : text("sum ", -e.output);
}

namespace {

using namespace checking;

constexpr std::size_t rows_shown = 20;

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
  s += headline(c);
  if (!c.pattern.empty()) s += text(": ", c.pattern);
  if (!c.hint.empty()) s += text(" (", c.hint, ")");
  s += "\n";
  if (c.numeric != c.numeric) return s;
  return s + text("         d out", index_in(c.output_shape, c.output), " / d in", index_in(c.input_shape, c.element),
                  ": analytic ", number(c.analytic), ", numeric ", number(c.numeric), " +- ", number(c.error, "%.2g"),
                  ", slopes ", number(c.left, "%.6g"), " and ", number(c.right, "%.6g"), "\n");
}

}  // namespace

const char* name_of(Verdict v) {
  constexpr const char* names[checking::verdict_count] = {"PASS", "FAIL", "KINK", "UNRELIABLE", "DOMAIN"};
  return names[static_cast<int>(v)];
}

bool GradcheckReport::ok() const {
  return problems_.empty() && count(Verdict::fail) == 0 && count(Verdict::unreliable) == 0 &&
         (allow_kinks_ || count(Verdict::kink) == 0) && (allow_domain_ || count(Verdict::domain) == 0);
}

std::string GradcheckReport::label(const GradcheckEntry& e) const {
  const auto input = static_cast<std::size_t>(e.input);
  const std::string name = e.input >= given_       ? text("g", e.input - given_)
                           : input < names_.size() ? names_[input]
                                                   : text("x", e.input);
  return name + index_in(shapes_[input], e.element);
}

std::int64_t GradcheckReport::total() const {
  std::int64_t sum = 0;
  for (const std::int64_t n : counts_) sum += n;
  return sum;
}

std::string GradcheckReport::str() const {
  const std::int64_t all = total();
  std::string s = text("gradcheck: ", ok() ? "ok" : "NOT OK", ": ", all, all == 1 ? " derivative" : " derivatives");
  const char* separator = ": ";
  for (int v = 0; v < verdict_count; ++v) {
    if (counts_[v] == 0) continue;
    s += text(separator, counts_[v], " ", name_of(static_cast<Verdict>(v)));
    separator = ", ";
  }
  s += "\n";
  for (const GradcheckCulprit& culprit : culprits_) s += words(culprit);
  for (const std::string& problem : problems_) s += text("  problem: ", problem, "\n");
  for (const std::string& note : notes_) s += text("  note: ", note, "\n");
  if (entries_.empty()) return s;
  const std::size_t rows = std::min(entries_.size(), rows_shown);
  std::size_t width = 16;
  for (std::size_t i = 0; i < rows; ++i) width = std::max(width, label(entries_[i]).size());
  const auto line = [&](int order, const std::string& by, const std::string& output, const auto&... rest) {
    char cells[200];
    std::snprintf(cells, sizeof cells, " %8s %16s %16s %10s  ", output.c_str(), rest...);
    s += text("  ", order > 0 ? text(order, "    ") : "order", " ", by, std::string(width - by.size(), ' '), cells);
  };
  line(0, "by", "output", "analytic", "numeric", "+-");
  s += "verdict\n";
  for (std::size_t i = 0; i < rows; ++i) {
    const GradcheckEntry& e = entries_[i];
    line(e.order, label(e), output_name(e), number(e.analytic).c_str(), number(e.numeric).c_str(),
         number(e.error, "%.2g").c_str());
    s += name_of(e.verdict);
    if (e.verdict == Verdict::kink) s += text(", slopes ", number(e.left, "%.6g"), " and ", number(e.right, "%.6g"));
    s += "\n";
  }
  const std::int64_t more = all - static_cast<std::int64_t>(rows);
  if (more > 0) s += text("  ... and ", more, " more, none worse\n");
  return s;
}

std::ostream& operator<<(std::ostream& to, const GradcheckReport& report) { return to << report.str(); }

}  // namespace xgrad
