// Writes a report as a page of HTML.
#include <algorithm>
#include <autograd/gradcheck/report.hpp>
#include <autograd/support/embedded.hpp>
#include <autograd/support/markup.hpp>
#include <cmath>

namespace xgrad {

using namespace checking;
using detail::brief, detail::escaped, detail::fixed;

namespace {

/// "good" is green; a factor 10 more than allowed and worse is the full red.
std::string colour(double badness) {
  const double t = std::clamp((std::log10(std::max(badness, 1e-6)) + 3) / 4, 0.0, 1.0);
  return text("hsl(", static_cast<int>(145 - 133 * t), " ", static_cast<int>(38 + 40 * t), "% ",
              static_cast<int>(72 - 22 * t), "%)");
}

std::string chips(const GradcheckReport& r) {
  std::string bar = "<div class=bar>", legend = "<div class=legend>";
  for (int v = 0; v < verdict_count; ++v) {
    const auto verdict = static_cast<Verdict>(v);
    if (r.count(verdict) == 0) continue;
    const char* name = name_of(verdict);
    bar += text("<i class=bg-", name, " style=\"flex:", r.count(verdict), "\"></i>");
    legend += text("<span><i class=\"dot bg-", name, "\"></i><b>", r.count(verdict), "</b> ", name, "</span>");
  }
  return bar + "</div>" + legend + "</div>\n";
}

/// Two bars from a common zero.
std::string compared(const GradcheckCulprit& c) {
  const double largest = std::max({std::fabs(c.analytic), std::fabs(c.numeric), 1e-300});
  const double low = std::min({0.0, c.analytic, c.numeric}) / largest,
               high = std::max({0.0, c.analytic, c.numeric}) / largest;
  std::string s = "<div class=bars>";
  const auto row = [&](const char* name, double value, const char* fill, const std::string& shown) {
    const double at = value / largest, left = std::min(at, 0.0), width = std::max(std::fabs(at), 0.004);
    s += text("<span class=soft>", name, "</span><svg viewBox=\"0 0 100 10\" preserveAspectRatio=none><rect x=\"",
              fixed(100 * (left - low) / (high - low)), "\" width=\"", fixed(100 * width / (high - low)),
              "\" height=10 rx=1 fill=\"var(--", fill, ")\"/></svg><span class=mono>", shown, "</span>");
  };
  row("by its rule", std::isfinite(c.analytic) ? c.analytic : 0, "bad", brief(c.analytic, 9));
  row("by differences", c.numeric, "good", text(brief(c.numeric, 9), " ± ", brief(c.error, 2)));
  return s + text("</div><p class=soft>of output <code>", index_in(c.output_shape, c.output),
                  "</code> by element <code>", index_in(c.input_shape, c.element), "</code>; slopes ", brief(c.left, 6),
                  " on the left, ", brief(c.right, 6), " on the right</p>");
}

std::string card(const GradcheckCulprit& c) {
  std::string s = text("<div class=card><div class=top><span class=op>", escaped(headline(c)), "</span>");
  if (!c.pattern.empty()) s += text("<span class=pill>", escaped(c.pattern), "</span>");
  if (c.place.file) s += text("<code class=where>", escaped(c.place.file), ":", c.place.line, "</code>");
  s += "</div>";
  if (!c.path.empty()) s += text("<p class=soft>in <code>", escaped(c.path), "</code></p>");
  if (!c.hint.empty()) s += text("<p>", escaped(c.hint), "</p>");
  if (std::isfinite(c.numeric)) s += compared(c);
  return s + "</div>\n";
}

std::string list(const char* title, const std::vector<std::string>& items) {
  if (items.empty()) return "";
  std::string s = text("<h2>", title, "</h2>\n<ul>");
  for (const std::string& item : items) s += text("<li>", escaped(item), "</li>");
  return s + "</ul>\n";
}

std::string row(const GradcheckReport& r, const GradcheckEntry& e) {
  std::string s = text("<tr><td class=", name_of(e.verdict), ">", name_of(e.verdict), "</td><td>", e.order, "</td><td>",
                       escaped(r.label(e)), "</td><td data-v=", e.output, ">", output_name(e), "</td>");
  for (const auto& [value, digits] : {std::pair{e.analytic, 9}, {e.numeric, 9}, {e.error, 2}, {e.badness, 3}})
    s += text("<td data-v=\"", value, "\">", brief(value, digits), "</td>");
  return s + "</tr>\n";
}

/// A grid of at most 48 x 48 cells, each as bad as the worst element in it.
std::string grid(const Shape& shape, const std::vector<double>& badness, const std::vector<Verdict>& verdicts) {
  constexpr std::int64_t most = 48;
  const std::int64_t columns = shape.ndim() == 0 ? 1 : shape[shape.ndim() - 1], rows = shape.size() / columns;
  const std::int64_t wide = std::min(columns, most), high = std::min(rows, most);
  const double cell = std::clamp(420.0 / static_cast<double>(std::max(wide, high)), 8.0, 30.0);
  std::string s = text("<svg width=\"", fixed(cell * static_cast<double>(wide), 0), "\" height=\"",
                       fixed(cell * static_cast<double>(high), 0), "\">");
  for (std::int64_t i = 0; i < high; ++i) {
    for (std::int64_t j = 0; j < wide; ++j) {
      std::int64_t worst = -1;
      const auto worse = [&](std::int64_t e) {
        const auto a = static_cast<std::size_t>(e), b = static_cast<std::size_t>(worst);
        return worst < 0 || (verdicts[a] == Verdict::fail) > (verdicts[b] == Verdict::fail) || badness[a] > badness[b];
      };
      for (std::int64_t y = i * rows / high; y < (i + 1) * rows / high; ++y)
        for (std::int64_t x = j * columns / wide; x < (j + 1) * columns / wide; ++x)
          if (worse(y * columns + x)) worst = y * columns + x;
      const auto at = static_cast<std::size_t>(worst);
      const Verdict v = verdicts[at];
      const std::string fill = v == Verdict::pass || v == Verdict::fail ? text("fill=\"", colour(badness[at]), "\"")
                                                                        : text("class=f-", name_of(v));
      s += text("<rect x=\"", fixed(cell * static_cast<double>(j), 1), "\" y=\"",
                fixed(cell * static_cast<double>(i), 1), "\" width=\"", fixed(cell - 1, 1), "\" height=\"",
                fixed(cell - 1, 1), "\" rx=2 ", fill, "><title>", index_in(shape, worst), " ", name_of(v), ", ",
                brief(badness[at], 3), " of what is allowed</title></rect>");
    }
  }
  return s + "</svg>";
}

}  // namespace

std::string GradcheckReport::to_html(std::string_view title) const {
  std::string s =
      text("<main>\n<header><h1>", escaped(title), "</h1><span class=\"badge ", ok() ? "ok\">right" : "bad\">not right",
           "</span><span class=soft>", total(), total() == 1 ? " derivative" : " derivatives",
           " compared with differences</span></header>\n", chips(*this));
  if (!culprits_.empty()) {
    s += text("<h2>", culprits_.size() == 1 ? "The op that is wrong" : "The ops that are wrong", "</h2>\n");
    for (const GradcheckCulprit& c : culprits_) s += card(c);
  }
  s += list("Problems", problems_);
  std::string maps;
  for (const Map& m : maps_) {
    const auto input = static_cast<std::size_t>(m.input);
    if (m.badness.empty() || m.input >= given_) continue;
    GradcheckEntry whole{};
    whole.input = m.input;
    whole.element = -1;
    maps += text("<figure><figcaption><b>", escaped(label(whole)), "</b> <span class=soft>", shapes_[input], ", order ",
                 m.order, "</span></figcaption>", grid(shapes_[input], m.badness, m.verdicts), "</figure>\n");
  }
  if (!maps.empty())
    s += text(
        "<h2>Element by element</h2>\n<p class=soft>Each element of an input, by its worst derivative: green is "
        "right, red is ten times what is allowed or more.</p>\n<div class=maps>",
        maps, "</div>\n");
  if (!entries_.empty()) {
    s += text("<h2>The worst ", entries_.size() == 1 ? "derivative" : text(entries_.size(), " derivatives"),
              "</h2>\n<div class=scroll><table><thead><tr><th>verdict</th><th>order</th><th>by</th><th>output</th>"
              "<th>analytic</th><th>numeric</th><th>±</th><th>of what is allowed</th></tr></thead><tbody>\n");
    for (const GradcheckEntry& e : entries_) s += row(*this, e);
    s += "</tbody></table></div>\n";
  }
  s += list("How it was checked", notes_);
  const std::string style = text(detail::embedded::support_page_css, detail::embedded::gradcheck_page_css);
  return detail::html_page(title, style, s + "</main>", detail::embedded::gradcheck_page_js);
}

}  // namespace xgrad
