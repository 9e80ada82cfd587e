// Draws the charts of a report.
#include <algorithm>
#include <autograd/support/markup.hpp>
#include <autograd/support/svg.hpp>
#include <cmath>
#include <nn/training/epoch_chart.hpp>
#include <nn/training/metrics/common.hpp>
#include <nn/training/report/charts.hpp>

namespace xgrad::nn::detail {
namespace {

using xgrad::detail::brief, xgrad::detail::Svg;

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_points = 200, most_ridges = 8;
constexpr const char *grey = "#8c959f", *green = "#1a7f4b";

std::string drawn(Chart chart) {
  return to_svg({.charts = {std::move(chart)}, .columns = 1, .width = 272, .height = 195});
}

/// An axis from 0 to 1.
ChartAxis share(const char* label = "") { return {label, {0, 0.2, 0.4, 0.6, 0.8, 1}, 0, 1}; }

Curve diagonal(double low = 0, double high = 1) {
  return {.x = {low, high}, .y = {low, high}, .colour = grey, .dashes = "3 4"};
}

/// Every so many of n that at most `most` are left, and the last.
std::vector<std::size_t> some_of(std::size_t n, std::size_t most) {
  std::vector<std::size_t> some;
  const std::size_t parts = std::min(n, most);
  for (std::size_t i = 0; i < parts; ++i) some.push_back(parts == 1 ? n - 1 : i * (n - 1) / (parts - 1));
  return some;
}

/// A dashed line from top to bottom, and dots where it meets the curves.
void mark(Chart& chart, std::size_t best) {
  double low = std::numeric_limits<double>::max(), high = -low;
  Curve dots{.x = {}, .y = {}, .colour = green, .dots = true};
  for (const Curve& curve : chart.curves) {
    for (const double v : curve.y)
      if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
    dots.x.insert(dots.x.end(), 2, curve.x[best]);
    dots.y.insert(dots.y.end(), {curve.y[best], nothing});
  }
  if (low > high) return;
  const double x = dots.x[0];
  chart.curves.push_back({.x = {x, x}, .y = {low, high}, .name = "best epoch", .colour = green, .dashes = "3 4"});
  chart.curves.push_back(std::move(dots));
}

}  // namespace

std::size_t best_epoch(const History& history) {
  if (!history.contains("loss")) return 0;
  const std::vector<double>& loss = history[history.contains("validation_loss") ? "validation_loss" : "loss"];
  std::size_t best = 0;
  for (std::size_t e = 1; e < loss.size(); ++e)
    if (loss[e] < loss[best] || std::isnan(loss[best])) best = e;
  return best;
}

std::vector<EpochPicture> epoch_pictures(const History& history) {
  std::vector<EpochPicture> pictures;
  for (Chart& chart : epoch_charts(history)) {
    std::vector<std::string> curves = {chart.title};
    if (chart.curves.size() > 1) curves.push_back(text("validation_", chart.title));
    if (history.contains("loss") && history.size() > 1) mark(chart, best_epoch(history));
    pictures.push_back({std::move(curves), drawn(std::move(chart))});
  }
  std::vector<double> rates;
  for (const Pace& pace : history.paces()) rates.push_back(pace.rows_per_second);
  if (std::any_of(rates.begin(), rates.end(), [](double v) { return std::isfinite(v); }))
    pictures.push_back({{"rows a second"}, drawn(epoch_chart("training rows a second", rates, {}, ""))});
  return pictures;
}

std::string roc_picture(const Findings& found) {
  const std::vector<double> p = numbers_of(found.prediction), t = numbers_of(found.target);
  std::vector<std::pair<double, bool>> samples;
  for (std::size_t i = 0; i < p.size(); ++i) samples.emplace_back(p[i], t[i] == 1);
  std::vector<double> wrong = {0}, right = {0};  // that are taken for class 1, threshold by threshold
  for (const Tied& tied : ranked(std::move(samples))) {
    wrong.push_back(wrong.back() + static_cast<double>(tied.negative));
    right.push_back(right.back() + static_cast<double>(tied.positive));
  }
  const double negatives = wrong.back(), positives = right.back();
  if (negatives == 0 || positives == 0) return "";
  Chart chart{
      .title = "ROC: true positive rate", .curves = {diagonal(), {}}, .x = share("false positive rate"), .y = share()};
  for (const std::size_t i : some_of(wrong.size(), most_points)) {
    chart.curves[1].x.push_back(wrong[i] / negatives);
    chart.curves[1].y.push_back(right[i] / positives);
  }
  chart.subtitle =
      text("area ", brief(roc_auc()(flatten(found.prediction), flatten(found.target)), 5), ", average precision ",
           brief(average_precision()(flatten(found.prediction), flatten(found.target)), 5));
  return drawn(std::move(chart));
}

std::string calibration_picture(const Findings& found) {
  constexpr std::size_t bins = 10;
  const std::vector<double> p = numbers_of(found.prediction), t = numbers_of(found.target);
  double counts[bins] = {}, said[bins] = {}, ones[bins] = {}, error = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (std::isnan(p[i])) continue;
    const auto bin = static_cast<std::size_t>(std::min(p[i] * bins, bins - 1.));
    counts[bin] += 1, said[bin] += p[i], ones[bin] += t[i];
  }
  Chart chart{.title = "Calibration: true share",
              .curves = {diagonal(), {.x = {}, .y = {}, .dots = true}},
              .x = share("said probability"),
              .y = share()};
  for (std::size_t b = 0; b < bins; ++b) {
    if (counts[b] == 0) continue;
    chart.curves[1].x.push_back(said[b] / counts[b]);
    chart.curves[1].y.push_back(ones[b] / counts[b]);
    error += std::fabs(said[b] - ones[b]) / static_cast<double>(p.size());
  }
  chart.subtitle = text("off by ", brief(error, 3), " on average, Brier score ",
                        brief(brier()(flatten(found.prediction), flatten(found.target)), 3));
  return drawn(std::move(chart));
}

std::string scatter_picture(const Findings& found) {
  if (found.prediction.shape() != found.target.shape() || found.target.size() != found.rows) return "";
  const std::vector<double> p = numbers_of(found.prediction), t = numbers_of(found.target);
  Curve points{.x = {}, .y = {}, .dots = true};
  double low = std::numeric_limits<double>::max(), high = -low;
  for (const std::size_t i : some_of(p.size(), 2 * most_points)) {
    for (const double v : {p[i], t[i]})
      if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
    points.x.insert(points.x.end(), {t[i], t[i]});
    points.y.insert(points.y.end(), {p[i], nothing});  // a gap, for these are no line
  }
  if (!(low < high)) return "";
  return drawn({.title = "Predictions against targets",
                .curves = {diagonal(low, high), std::move(points)},
                .x = {.label = "target"},
                .y = {.label = "prediction"}});
}

std::string ridges(const History& history, std::size_t parameter, bool of_gradient) {
  constexpr double width = 300, left = 22, apart = 15, tall = 46;
  std::vector<std::pair<std::size_t, const Histogram*>> shown;
  for (const EpochHistograms& epoch : history.histograms()) {
    if (parameter >= epoch.parameters.size()) continue;
    const ParameterHistograms& p = epoch.parameters[parameter];
    if (!of_gradient) shown.emplace_back(epoch.epoch, &p.values);
    if (of_gradient && p.gradient) shown.emplace_back(epoch.epoch, &*p.gradient);
  }
  if (shown.empty()) return "";
  double low = std::numeric_limits<double>::max(), high = -low;
  const std::vector<std::size_t> some = some_of(shown.size(), most_ridges);
  for (const std::size_t i : some)
    low = std::min(low, shown[i].second->low), high = std::max(high, shown[i].second->high);
  const auto x = [&](double v) {
    return Svg::length(left + (high > low ? (v - low) / (high - low) : 0.5) * (width - left));
  };
  std::string s;
  double base = tall;
  for (const std::size_t i : some) {
    const auto& [epoch, h] = shown[i];
    const double most = *std::max_element(h->counts.begin(), h->counts.end()),
                 part = (h->high - h->low) / Histogram::bins;
    std::string path = text("M", x(h->low), " ", Svg::length(base));
    for (std::size_t b = 0; b < Histogram::bins && most > 0; ++b)
      path += text("L", x(h->low + part * (static_cast<double>(b) + 0.5)), " ",
                   Svg::length(base - tall * 0.9 * h->counts[b] / most));
    s += text("<path class='ridge' d='", path, "L", x(h->high), " ", Svg::length(base), "Z'/><text x='0' y='",
              Svg::length(base), "'>", epoch, "</text>\n");
    base += apart;
  }
  const double height = base - apart + 20;
  if (low < 0 && high > 0)
    s += text("<line class='null' x1='", x(0), "' x2='", x(0), "' y1='4' y2='", Svg::length(height - 18), "'/>");
  s += text("<text x='", left, "' y='", Svg::length(height - 3), "'>", brief(low, 3), "</text><text class='right' x='",
            width, "' y='", Svg::length(height - 3), "'>", brief(high, 3), "</text>");
  return text("<svg viewBox='0 0 ", width, " ", Svg::length(height), "'>\n", s, "</svg>");
}

}  // namespace xgrad::nn::detail
