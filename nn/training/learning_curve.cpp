#include <autograd/atomic_file.hpp>
#include <autograd/markup.hpp>
#include <nn/training/learning_curve.hpp>

#include <algorithm>
#include <cmath>

namespace xgrad::nn {
namespace {

constexpr const char* training_colour = "#1f6fb4";
constexpr const char* held_out_colour = "#d9622b";

/// The largest of 1, 2 and 5 times a power of ten that gives at least four steps over `span`.
double tick_step(double span) {
  const double power = std::pow(10, std::floor(std::log10(span / 4)));
  const double ratio = span / 4 / power;
  return power * (ratio >= 5 ? 5 : ratio >= 2 ? 2 : 1);
}

/// One diagram: a frame, ticks, and two curves over the epochs.
class Panel {
 public:
  Panel(double left, const char* title, const std::vector<double>& training, const std::vector<double>& held_out)
      : left_(left), count_(training.size()) {
    low_ = high_ = training.front();
    for (const auto* curve : {&training, &held_out}) {
      for (double v : *curve) {
        if (std::isfinite(v)) low_ = std::min(low_, v), high_ = std::max(high_, v);
      }
    }
    const double margin = std::max((high_ - low_) * 0.08, 1e-6);
    low_ -= margin;
    high_ += margin;
    svg_ += text("<text x='", fixed(left_), "' y='40' font-size='16' font-weight='bold'>", title, "</text>\n");
    frame();
    curve(training, training_colour);
    curve(held_out, held_out_colour);
  }
  const std::string& svg() const { return svg_; }

 private:
  static constexpr double width = 380, top = 60, height = 270;

  double x(std::size_t epoch) const {
    return count_ == 1 ? left_ + width / 2
                       : left_ + width * static_cast<double>(epoch) / static_cast<double>(count_ - 1);
  }
  double y(double v) const { return top + height * (high_ - v) / (high_ - low_); }

  void frame() {
    const double step = tick_step(high_ - low_);
    const int digits = step < 0.001 ? 4 : step < 0.01 ? 3 : 2;
    for (double v = std::ceil(low_ / step) * step; v <= high_; v += step) {
      svg_ += text("<line x1='", fixed(left_), "' x2='", fixed(left_ + width), "' y1='", fixed(y(v)), "' y2='",
                   fixed(y(v)), "' stroke='#e4e4e4'/>\n<text x='", fixed(left_ - 8), "' y='", fixed(y(v) + 4),
                   "' text-anchor='end'>", fixed(v, digits), "</text>\n");
    }
    const std::size_t every = (count_ + 9) / 10;
    for (std::size_t e = 0; e < count_; e += every)
      svg_ += text("<text x='", fixed(x(e)), "' y='", fixed(top + height + 20), "' text-anchor='middle'>", e + 1,
                   "</text>\n");
    svg_ += text("<rect x='", fixed(left_), "' y='", fixed(top), "' width='", fixed(width), "' height='", fixed(height),
                 "' fill='none' stroke='#888'/>\n<text x='", fixed(left_ + width / 2), "' y='",
                 fixed(top + height + 42), "' text-anchor='middle'>epoch</text>\n");
  }

  void curve(const std::vector<double>& values, const char* colour) {
    std::string points, dots;
    for (std::size_t e = 0; e < values.size(); ++e) {
      if (!std::isfinite(values[e])) continue;
      points += text(fixed(x(e)), ",", fixed(y(values[e])), " ");
      dots += text("<circle cx='", fixed(x(e)), "' cy='", fixed(y(values[e])), "' r='3.5' fill='", colour, "'/>\n");
    }
    svg_ += text("<polyline points='", points, "' fill='none' stroke='", colour, "' stroke-width='2'/>\n", dots);
  }

  double left_, low_, high_;
  std::size_t count_;
  std::string svg_;
};

std::vector<double> column(const std::vector<EpochRecord>& epochs, double EpochRecord::*field) {
  std::vector<double> values;
  values.reserve(epochs.size());
  for (const EpochRecord& e : epochs) values.push_back(e.*field);
  return values;
}

}  // namespace

void write_learning_curve(const std::string& path, const std::vector<EpochRecord>& epochs, Place place) {
  const OpScope scope("write_learning_curve", place);
  if (epochs.empty()) scope.fail<ValueError>("no epochs to draw");
  const Panel loss(70, "Loss", column(epochs, &EpochRecord::loss), column(epochs, &EpochRecord::held_out_loss));
  const Panel accuracy(550, "Accuracy", column(epochs, &EpochRecord::accuracy),
                       column(epochs, &EpochRecord::held_out_accuracy));
  const auto key = [](int at, const char* colour, const char* words) {
    return text("<circle cx='", at, "' cy='35' r='4' fill='", colour, "'/>\n<text x='", at + 10, "' y='40'>", words,
                "</text>\n");
  };
  write_file_atomically(path,
                        text("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 960 400' width='960' height='400' "
                             "font-family='sans-serif' font-size='12' fill='#333'>\n<rect width='960' height='400' "
                             "fill='white'/>\n",
                             loss.svg(), accuracy.svg(), key(300, training_colour, "training"),
                             key(380, held_out_colour, "held out"), "</svg>\n"),
                        place);
}

}  // namespace xgrad::nn
