// Draws curves in frames with axes, ticks and a key.
#include <algorithm>
#include <autograd/chart.hpp>
#include <autograd/picture/scale.hpp>
#include <autograd/support/embedded.hpp>
#include <autograd/support/markup.hpp>
#include <autograd/support/svg.hpp>
#include <cmath>

namespace xgrad {
namespace {

using detail::Scale, detail::Svg;

constexpr double left_margin = 70, column_gap = 100, title_at = 40, line_height = 16;

/// The range of an axis: what is asked for, or that of all finite numbers and `margin` of it on both sides.
Scale scale_of(const Chart& chart, const std::vector<double> Curve::*numbers, const ChartAxis& axis, double margin,
               double from, double to) {
  constexpr double largest = std::numeric_limits<double>::max();
  double low = largest, high = -largest;
  for (const Curve& curve : chart.curves)
    for (const double v : curve.*numbers)
      if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  if (low > high) low = 0, high = 1;  // nothing to draw
  const double size = std::max({1., std::abs(low), std::abs(high)});
  const double more = margin == 0 ? 0 : std::max((high / 2 - low / 2) * margin, size * 1e-6);
  return {std::isnan(axis.low) ? std::max(low - more, -largest) : axis.low,
          std::isnan(axis.high) ? std::min(high + more, largest) : axis.high, from, to, axis.logarithmic};
}

/// What a logarithmic axis shows, in powers of ten, so that all else can draw it like any other axis.
void take_logarithms(Chart& chart, std::vector<double> Curve::*numbers, ChartAxis Chart::*which) {
  ChartAxis& axis = chart.*which;
  if (!axis.logarithmic) return;
  for (Curve& curve : chart.curves)
    for (double& v : curve.*numbers) v = v > 0 ? std::log10(v) : std::numeric_limits<double>::quiet_NaN();
  for (double& tick : axis.ticks) tick = std::log10(tick);
  axis.low = std::log10(axis.low);
  axis.high = std::log10(axis.high);
}

/// Which part of the way from a to b, where that is 0 to 1, lies between low and high.
std::pair<double, double> part_between(double low, double high, double a, double b) {
  if (a == b) return a >= low && a <= high ? std::pair(0., 1.) : std::pair(1., 0.);
  const auto at = [&](double v) { return (v / 2 - a / 2) / (b / 2 - a / 2); };
  return {std::max(0., std::min(at(low), at(high))), std::min(1., std::max(at(low), at(high)))};
}

void draw_curve(Svg& svg, const Curve& curve, const Scale& x, const Scale& y) {
  const std::string look =
      text("fill='none' stroke='", detail::escaped(curve.colour), "' stroke-width='2'",
           curve.dashes.empty() ? "" : text(" stroke-dasharray='", detail::escaped(curve.dashes), "'"));
  std::string points;
  const auto join = [&](std::size_t i, double part) {
    const auto between = [part](double a, double b) { return part == 0 ? a : part == 1 ? b : a + part * (b - a); };
    points += text(Svg::length(x(between(curve.x[i], curve.x[i + 1]))), ",",
                   Svg::length(y(between(curve.y[i], curve.y[i + 1]))), " ");
  };
  const auto end_line = [&] {
    if (!points.empty()) svg.raw(text("<polyline points='", points, "' ", look, "/>\n"));
    points.clear();
  };
  const auto is_finite = [&](std::size_t i) { return std::isfinite(curve.x[i]) && std::isfinite(curve.y[i]); };
  for (std::size_t i = 0; curve.line && i + 1 < curve.x.size(); ++i) {
    const auto [x_from, x_to] = part_between(x.low, x.high, curve.x[i], curve.x[i + 1]);
    const auto [y_from, y_to] = part_between(y.low, y.high, curve.y[i], curve.y[i + 1]);
    const double from = std::max(x_from, y_from), to = std::min(x_to, y_to);
    if (!is_finite(i) || !is_finite(i + 1) || !(from < to)) {
      end_line();
      continue;
    }
    if (from > 0) end_line();
    if (points.empty()) join(i, from);
    join(i, to);
    if (to < 1) end_line();
  }
  end_line();
  for (std::size_t i = 0; curve.dots && i < curve.x.size(); ++i)
    if (x.holds(curve.x[i]) && y.holds(curve.y[i]))
      svg.dot(x(curve.x[i]), y(curve.y[i]), 3.5, text("fill='", detail::escaped(curve.colour), "'"));
}

/// The heights that the parts of all charts have.
struct Heights {
  double frame_at = 60, words_at, whole;

  explicit Heights(const Charts& charts) {
    std::size_t words = 0;
    double labels = 0;
    for (const Chart& chart : charts.charts) {
      if (!chart.subtitle.empty()) frame_at = 78;
      if (!chart.x.label.empty()) labels = 22;
      if (!chart.curves.empty()) words = std::max(words, chart.words.size());
    }
    words_at = frame_at + charts.height + 42 + labels;
    whole = words_at + line_height * static_cast<double>(words) + (words > 0 ? 6 : -8);
  }
};

void draw_frame(Svg& svg, Chart chart, double left, double top, const Charts& charts) {
  take_logarithms(chart, &Curve::x, &Chart::x);
  take_logarithms(chart, &Curve::y, &Chart::y);
  const double right = left + charts.width, bottom = top + charts.height;
  const Scale x = scale_of(chart, &Curve::x, chart.x, 0, left, right);
  const Scale y = scale_of(chart, &Curve::y, chart.y, 0.16, bottom, top);
  const std::vector<double> x_ticks = chart.x.ticks.empty() && x.half() > 0 ? x.ticks() : chart.x.ticks;
  const std::vector<double> y_ticks = chart.y.ticks.empty() ? y.ticks() : chart.y.ticks;
  const auto look = [](double v, const Scale& scale) {
    return v == 0 && scale.low < 0 && !scale.logarithmic ? "class='zero'" : "class='grid'";
  };
  for (const double v : x_ticks) {
    svg.line(x(v), top, x(v), bottom, look(v, x));
    svg.words(x(v), bottom + 20, x.label(v, x_ticks), "class='middle'");
  }
  for (const double v : y_ticks) {
    svg.line(left, y(v), right, y(v), look(v, y));
    svg.words(left - 8, y(v) + 4, y.label(v, y_ticks), "class='number'");
  }
  svg.rect(left, top, charts.width, charts.height, "class='frame'");
  if (!chart.x.label.empty()) svg.words((left + right) / 2, bottom + 42, chart.x.label, "class='middle'");
  for (const Curve& curve : chart.curves) draw_curve(svg, curve, x, y);
}

void draw_key(Svg& svg, const Charts& charts, double y) {
  std::vector<std::string> named;
  double x = left_margin;
  for (const Chart& chart : charts.charts) {
    for (const Curve& curve : chart.curves) {
      if (curve.name.empty() || std::find(named.begin(), named.end(), curve.name) != named.end()) continue;
      named.push_back(curve.name);
      svg.dot(x + 4, y - 4, 4, text("fill='", detail::escaped(curve.colour), "'"));
      svg.words(x + 14, y, curve.name);
      x += 44 + 6.8 * static_cast<double>(curve.name.size());
    }
  }
}

void check(const Charts& charts, const OpScope& scope) {
  if (charts.charts.empty()) scope.fail<ValueError>("there is no chart to draw");
  if (charts.columns < 1) scope.fail<ValueError>("columns is ", charts.columns, "; expected at least 1");
  for (const Chart& chart : charts.charts) {
    for (const auto& [name, axis] : {std::pair("x", &chart.x), std::pair("y", &chart.y)}) {
      std::vector<double> numbers = axis->ticks;
      numbers.insert(numbers.end(), {axis->low, axis->high});
      for (const double v : numbers)
        if (axis->logarithmic && v <= 0)
          scope.fail<ValueError>("the ", name, " axis is logarithmic and is to show ", v, "; give it numbers above 0");
    }
    for (const Curve& curve : chart.curves)
      if (curve.x.size() != curve.y.size())
        scope.fail<ValueError>("a curve", curve.name.empty() ? "" : text(" '", curve.name, "'"), " has ",
                               curve.x.size(), " x and ", curve.y.size(), " y; give each point both");
  }
}

}  // namespace

std::string to_svg(const Charts& charts, Place place) {
  const OpScope scope("to_svg", place);
  check(charts, scope);
  const Heights heights(charts);
  const auto columns = static_cast<std::size_t>(charts.columns);
  Svg svg;
  for (std::size_t i = 0; i < charts.charts.size(); ++i) {
    const Chart& chart = charts.charts[i];
    const double left = left_margin + (charts.width + column_gap) * static_cast<double>(i % columns);
    const double top = heights.whole * static_cast<double>(i / columns);
    svg.words(left, top + title_at, chart.title, "class='title'");
    svg.words(left, top + title_at + 18, chart.subtitle, "class='pale'");
    double words_at = top + heights.words_at;
    if (chart.curves.empty()) {
      words_at = top + heights.frame_at;
    } else {
      draw_frame(svg, chart, left, top + heights.frame_at, charts);
    }
    for (std::size_t k = 0; k < chart.words.size(); ++k)
      svg.words(left, words_at + line_height * static_cast<double>(k), chart.words[k]);
  }
  const std::size_t rows = (charts.charts.size() + columns - 1) / columns,
                    across = std::min(columns, charts.charts.size());
  const double height = heights.whole * static_cast<double>(rows) + 30;
  draw_key(svg, charts, height - 16);
  return svg.picture((charts.width + column_gap) * static_cast<double>(across), height,
                     detail::embedded::picture_chart_css);
}

}  // namespace xgrad
