#include <autograd/error.hpp>
#include <autograd/markup.hpp>
#include <nn/training/panel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace xgrad::nn {
namespace {

constexpr const char* training_colour = "#1f6fb4";
constexpr const char* held_out_colour = "#d9622b";

/// The largest of 1, 2 and 5 times a power of ten that gives at least two steps over `half`.
double tick_step(double half) {
  const double power = std::pow(10, std::floor(std::log10(half / 2)));
  const double ratio = half / 2 / power;
  return power * (ratio >= 5 ? 5 : ratio >= 2 ? 2 : 1);
}

/// One diagram: a frame, ticks, and two curves over the epochs, with gaps where values are not finite. Differences are
/// taken between halves, so that those of the largest numbers do not overflow.
class Panel {
 public:
  Panel(double left, const detail::Curves& curves) : left_(left), count_(curves.training.size()) {
    constexpr double largest = std::numeric_limits<double>::max();
    low_ = largest;
    high_ = -largest;
    for (const auto* values : {&curves.training, &curves.held_out}) {
      for (double v : *values) {
        if (std::isfinite(v)) low_ = std::min(low_, v), high_ = std::max(high_, v);
      }
    }
    if (low_ > high_) low_ = 0, high_ = 1;  // nothing to draw
    const double size = std::max({1., std::abs(low_), std::abs(high_)});
    const double margin = std::max(half() * 0.16, size * 1e-6);
    low_ = std::max(low_ - margin, -largest);
    high_ = std::min(high_ + margin, largest);
    svg_ += text("<text x='", fixed(left_), "' y='40' font-size='16' font-weight='bold'>", escaped(curves.title),
                 "</text>\n");
    frame(curves);
    curve(curves.training, training_colour);
    curve(curves.held_out, held_out_colour);
  }
  const std::string& svg() const { return svg_; }

 private:
  static constexpr double width = 380, top = 60, height = 270;

  double x(std::size_t epoch) const {
    return count_ == 1 ? left_ + width / 2
                       : left_ + width * static_cast<double>(epoch) / static_cast<double>(count_ - 1);
  }
  double half() const { return high_ / 2 - low_ / 2; }
  double y(double v) const { return top + height * ((high_ / 2 - v / 2) / half()); }

  void frame(const detail::Curves& curves) {
    const double step = tick_step(half());
    const int digits = step < 0.001 ? 4 : step < 0.01 ? 3 : 2;
    const bool short_enough = std::max(-low_, high_) < 1e6;
    for (double v = std::ceil(low_ / step) * step + 0.; v <= high_; v += step) {  // + 0.: not -0
      svg_ += text("<line x1='", fixed(left_), "' x2='", fixed(left_ + width), "' y1='", fixed(y(v)), "' y2='",
                   fixed(y(v)), "' stroke='#e4e4e4'/>\n<text x='", fixed(left_ - 8), "' y='", fixed(y(v) + 4),
                   "' text-anchor='end'>", short_enough ? fixed(v, digits) : brief(v), "</text>\n");
    }
    const std::size_t most = curves.labels.empty() ? 10 : 6, every = (count_ + most - 1) / most;
    for (std::size_t e = 0; e < count_; e += every)
      svg_ += text("<text x='", fixed(x(e)), "' y='", fixed(top + height + 20), "' text-anchor='middle'>",
                   curves.labels.empty() ? text(e + 1) : escaped(curves.labels[e]), "</text>\n");
    svg_ += text("<rect x='", fixed(left_), "' y='", fixed(top), "' width='", fixed(width), "' height='", fixed(height),
                 "' fill='none' stroke='#888'/>\n<text x='", fixed(left_ + width / 2), "' y='",
                 fixed(top + height + 42), "' text-anchor='middle'>", escaped(curves.axis), "</text>\n");
  }

  void curve(const std::vector<double>& values, const char* colour) {
    std::string points, lines, dots;
    int joined = 0;
    const auto end_line = [&] {
      if (joined > 1)
        lines += text("<polyline points='", points, "' fill='none' stroke='", colour, "' stroke-width='2'/>\n");
      points.clear();
      joined = 0;
    };
    for (std::size_t e = 0; e < values.size(); ++e) {
      if (!std::isfinite(values[e])) {
        end_line();
        continue;
      }
      points += text(fixed(x(e)), ",", fixed(y(values[e])), " ");
      ++joined;
      dots += text("<circle cx='", fixed(x(e)), "' cy='", fixed(y(values[e])), "' r='3.5' fill='", colour, "'/>\n");
    }
    end_line();
    svg_ += lines + dots;
  }

  double left_, low_, high_;
  std::size_t count_;
  std::string svg_;
};

}  // namespace

std::string detail::curves_svg(const std::vector<Curves>& diagrams, const std::string& training,
                               const std::string& held_out) {
  constexpr int each = 480;
  const int width = each * static_cast<int>(diagrams.size());
  std::string svg = text("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ", width, " 400' width='", width,
                         "' height='400' font-family='sans-serif' font-size='12' fill='#333'>\n<rect width='", width,
                         "' height='400' fill='white'/>\n");
  int left = 70;
  for (const Curves& d : diagrams) {
    svg += Panel(left, d).svg();
    left += each;
  }
  const auto key = [&](int at, const char* colour, const std::string& words) {
    if (!words.empty())
      svg += text("<circle cx='", at, "' cy='35' r='4' fill='", colour, "'/>\n<text x='", at + 10, "' y='40'>",
                  escaped(words), "</text>\n");
  };
  key(300, training_colour, training);
  key(380, held_out_colour, held_out);
  return svg + "</svg>\n";
}

}  // namespace xgrad::nn
