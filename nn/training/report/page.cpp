// Writes the report on a training run as a page of HTML.
#include <algorithm>
#include <autograd/ops.hpp>
#include <autograd/support/embedded.hpp>
#include <autograd/support/markup.hpp>
#include <cmath>
#include <nn/training/facts.hpp>
#include <nn/training/metrics/common.hpp>
#include <nn/training/report/charts.hpp>
#include <nn/training/report/page.hpp>
#include <nn/training/report/png.hpp>

namespace xgrad::nn {
namespace {

using xgrad::detail::brief, xgrad::detail::escaped, xgrad::detail::fixed;

constexpr std::size_t most_classes = 40, most_parameters = 24;
constexpr std::int64_t most_columns = 8;

std::string section(const char* title, const std::string& note, const std::string& body) {
  if (body.empty()) return "";
  return text("<section><h2>", title, "</h2>\n", note.empty() ? "" : text("<p class='soft'>", note, "</p>\n"), body,
              "</section>\n");
}

std::string tile(const std::string& value, const std::string& name, const std::string& note = "") {
  return text("<div class='tile'><b>", value, "</b><span>", escaped(name), "</span>",
              note.empty() ? "" : text("<small class='soft'>", escaped(note), "</small>"), "</div>\n");
}

std::string tiles(const Module& model, const History& history, const detail::Findings& found) {
  std::string s;
  for (const auto& [name, value] : found.scores) s += tile(brief(value, 4), text("test ", name));
  if (history.size() > 0 && history.contains("loss")) {
    const std::size_t best = detail::best_epoch(history);
    const char* const watched = history.contains("validation_loss") ? "validation_loss" : "loss";
    s += tile(text(best + 1, " of ", history.size()), "best epoch",
              text(watched, " ", brief(history[watched][best], 4)));
  }
  double seconds = 0, rate = 0;
  for (const Pace& pace : history.paces()) seconds += pace.seconds, rate = std::fmax(rate, pace.rows_per_second);
  if (history.size() > 0 && std::isfinite(seconds))
    s += tile(brief(seconds, 3) + " s", "of training steps", text("up to ", fixed(rate, 0), " rows a second"));
  std::int64_t parameters = 0;
  for (const Tensor& p : model.parameters()) parameters += p.size();
  s += tile(text(parameters), "parameters");
  return text("<div class='tiles'>\n", s, "</div>\n");
}

std::string said(const History& history) {
  std::string s;
  for (const std::string& warning : history.warnings()) s += text("<p class='warning'>", escaped(warning), "</p>\n");
  if (!history.stopped().empty())
    s += text("<p class='warning'>The run was stopped: ", escaped(history.stopped()), "</p>\n");
  return s;
}

std::string numbers(const History& history) {
  std::string head = "<th>epoch</th>", body;
  for (const std::string& name : history.names()) head += text("<th>", escaped(name), "</th>");
  const bool timed = std::any_of(history.paces().begin(), history.paces().end(),
                                 [](const Pace& pace) { return std::isfinite(pace.seconds); });
  if (timed) head += "<th>seconds</th><th>rows a second</th>";
  for (std::size_t e = 0; e < history.size(); ++e) {
    body += text("<tr", e == detail::best_epoch(history) ? " class='best'" : "", "><td>", e + 1, "</td>");
    const auto cell = [&](double v, int digits) { body += text("<td data-v='", v, "'>", brief(v, digits), "</td>"); };
    for (const std::string& name : history.names()) cell(history[name][e], 6);
    if (timed) cell(history.paces()[e].seconds, 4), cell(history.paces()[e].rows_per_second, 4);
    body += "</tr>\n";
  }
  return text("<details><summary>All numbers</summary><div class='scroll'><table id='epochs'><thead><tr>", head,
              "</tr></thead><tbody>\n", body, "</tbody></table></div></details>\n");
}

std::string curves(const History& history) {
  if (history.size() == 0) return "";
  std::string s = "<div class='charts'>\n";
  for (const detail::EpochPicture& picture : detail::epoch_pictures(history)) {
    std::string names;
    for (const std::string& name : picture.curves) names += text(names.empty() ? "" : "|", escaped(name));
    s += text("<figure class='chart' data-curves='", names, "'>", picture.svg, "<output></output></figure>\n");
  }
  return text(s, "</div>\n", numbers(history));
}

std::string confusion(const detail::Findings& found) {
  const std::size_t n = found.classes.size();
  if (n > most_classes) return text("<p>There are ", n, " classes, too many for a table.</p>\n");
  const std::int64_t* const counts = found.counts.data<std::int64_t>();
  std::string s = "<div class='scroll'><table class='confusion'><thead><tr><th>is \\ said</th>";
  for (const std::string& name : found.classes) s += text("<th>", escaped(name), "</th>");
  s += "<th>right</th></tr></thead><tbody>\n";
  for (std::size_t i = 0; i < n; ++i) {
    double all = 0;
    for (std::size_t j = 0; j < n; ++j) all += static_cast<double>(counts[i * n + j]);
    s += text("<tr><th>", escaped(found.classes[i]), "</th>");
    for (std::size_t j = 0; j < n; ++j) {
      const double part = all > 0 ? static_cast<double>(counts[i * n + j]) / all : 0;
      s += text("<td class='", i == j ? "hit" : "miss", part > 0.55 ? " strong" : "",
                "' style='--part:", fixed(100 * part, 1), "%'>", counts[i * n + j], "</td>");
    }
    s += text("<td class='soft'>", all > 0 ? fixed(100 * static_cast<double>(counts[i * n + i]) / all, 1) + "%" : "",
              "</td></tr>\n");
  }
  return s + "</tbody></table></div>\n";
}

std::string classes(const detail::Findings& found) {
  std::string pictures;
  const auto add = [&](const std::string& svg) {
    if (!svg.empty()) pictures += text("<figure class='chart'>", svg, "</figure>\n");
  };
  if (found.task == detail::Task::binary) {
    add(detail::roc_picture(found));
    add(detail::calibration_picture(found));
  }
  if (found.task == detail::Task::other) add(detail::scatter_picture(found));
  return text(found.task == detail::Task::other ? "" : confusion(found),
              pictures.empty() ? "" : text("<div class='charts'>\n", pictures, "</div>\n"));
}

/// An input as a picture, or the shape that it has.
std::string shown(const Tensor& input, const ReportOptions& options) {
  if (!input.defined()) return "";
  const Tensor image = options.image.ndim() > 0
                           ? reshape(input, std::vector<std::int64_t>(options.image.begin(), options.image.end()))
                           : input;
  if (!detail::is_image(image.shape())) return text("<p class='soft'>", image.shape(), "</p>");
  return text("<img alt='the input' src='", detail::picture_address(image), "'/>");
}

std::string as_cards(const detail::Findings& found, const ReportOptions& options) {
  std::string s;
  for (const detail::Mistake& m : found.mistakes)
    s += text("<figure class='mistake'>", shown(m.input, options), "<figcaption><b>", escaped(m.predicted),
              "</b><br/>is ", escaped(m.truth), "<br/><small class='soft'>row ", m.row, ", loss ", brief(m.loss, 3),
              "</small></figcaption></figure>\n");
  return s.empty() ? "" : text("<div class='mistakes'>\n", s, "</div>\n");
}

std::string as_rows(const detail::Findings& found, const ReportOptions& options) {
  std::string head, body;
  for (const detail::Mistake& m : found.mistakes) {
    body += text("<tr><td>", m.row, "</td><td>", escaped(m.predicted), "</td><td>", escaped(m.truth), "</td><td>",
                 brief(m.loss, 3), "</td>");
    const std::vector<double> v = detail::numbers_of(m.input);
    const std::size_t columns = std::min<std::size_t>(v.size(), most_columns);
    for (std::size_t c = 0; c < columns; ++c) {
      body += text("<td>", brief(v[c], 4), "</td>");
      if (&m == found.mistakes.data())
        head += text("<th>", escaped(c < options.columns.size() ? options.columns[c] : text("input ", c)), "</th>");
    }
    body += text(v.size() > columns ? "<td>…</td>" : "", "</tr>\n");
    if (&m == found.mistakes.data() && v.size() > columns) head += "<th></th>";
  }
  if (body.empty()) return "";
  return text("<div class='scroll'><table><thead><tr><th>row</th><th>said</th><th>is</th><th>loss</th>", head,
              "</tr></thead><tbody>\n", body, "</tbody></table></div>\n");
}

std::string mistakes(const detail::Findings& found, const ReportOptions& options) {
  if (found.mistakes.empty()) return "";
  const Tensor& input = found.mistakes[0].input;
  const bool rows = input.defined() && input.ndim() == 1 && options.image.ndim() == 0;
  return rows ? as_rows(found, options) : as_cards(found, options);
}

std::string spreads(const History& history) {
  if (history.histograms().empty()) return "";
  const std::vector<ParameterHistograms>& parameters = history.histograms().back().parameters;
  std::string s = "<div class='spreads'>\n";
  for (std::size_t i = 0; i < std::min(parameters.size(), most_parameters); ++i) {
    const std::string gradient = detail::ridges(history, i, true);
    s += text("<div class='spread'><figure><figcaption><b>", escaped(parameters[i].name), "</b></figcaption>",
              detail::ridges(history, i, false), "</figure>\n");
    if (!gradient.empty())
      s += text("<figure><figcaption class='soft'>its gradient</figcaption>", gradient, "</figure>");
    s += "</div>\n";
  }
  s += "</div>\n";
  if (parameters.size() > most_parameters)
    s += text("<p class='soft'>and ", parameters.size() - most_parameters, " parameters more</p>\n");
  return s;
}

std::string dead(const std::vector<detail::Units>& units) {
  std::string s;
  for (const detail::Units& u : units)
    s += text("<tr><td>", escaped(u.where), "</td><td>", u.total, "</td><td", u.dead > 0 ? " class='some'" : "", ">",
              u.dead, "</td></tr>\n");
  if (s.empty()) return "";
  return text(
      "<div class='scroll'><table "
      "class='units'><thead><tr><th>activation</th><th>units</th><th>dead</th></tr></thead><tbody>\n",
      s, "</tbody></table></div>\n");
}

std::string facts(const History& history, const detail::Findings& found) {
  std::string s;
  const auto add = [&](const std::string& name, const std::string& value) {
    s += text("<tr><th>", escaped(name), "</th><td>", escaped(value), "</td></tr>\n");
  };
  for (const auto& [name, value] : history.facts()) add(name, value);
  add("test rows", text(found.rows));
  add("report by", detail::version());
  return text("<div class='scroll'><table class='facts'><tbody>\n", s, "</tbody></table></div>\n");
}

}  // namespace

std::string detail::report_page(const Module& model, const History& history, const Findings& found,
                                const ReportOptions& options) {
  const bool of_classes = found.task != Task::other;
  const std::string wrong =
      of_classes ? text(found.wrong, " of ", found.rows, " rows were told wrong; these") : "These";
  const std::string body = text(
      "<main>\n<header><h1>", escaped(options.title), "</h1></header>\n", said(history), tiles(model, history, found),
      section("Learning curves", "Point at a chart to read its numbers.", curves(history)),
      section(of_classes ? "What is taken for what" : "What is told", "", classes(found)),
      section("The worst mistakes", wrong + " have the largest loss.", mistakes(found, options)),
      section("Parameters and gradients over time",
              "Histograms after epochs, from the first to the last; gradients are those of an epoch's last step.",
              spreads(history)),
      section("Dead units", "A unit is dead if it gives the same number for every test row.", dead(found.units)),
      section("What was trained, and how to do it again", "",
              text(facts(history, found), "<pre>", escaped(model.summary()), "</pre>\n")),
      "</main>\n");
  const std::string style =
      text(xgrad::detail::embedded::support_page_css, xgrad::detail::embedded::nn_training_report_page_css);
  return xgrad::detail::html_page(options.title, style, body, xgrad::detail::embedded::nn_training_report_page_js);
}

}  // namespace xgrad::nn
