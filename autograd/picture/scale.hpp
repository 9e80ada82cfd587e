#pragma once
#include <string>
#include <vector>

namespace xgrad::detail {

/// A range of numbers along one side of a chart's frame; on a logarithmic axis, of their logarithms to base 10.
/// Differences are taken between halves, so that those of the largest numbers do not overflow.
struct Scale {
  double low, high, from, to;  // from and to: in pixels
  bool logarithmic = false;

  double half() const { return high / 2 - low / 2; }
  double operator()(double v) const {
    return half() > 0 ? from + (to - from) * ((v / 2 - low / 2) / half()) : (from + to) / 2;
  }
  bool holds(double v) const { return v >= low && v <= high; }

  /// Where to write numbers if nobody says where: about four to ten round ones.
  std::vector<double> ticks() const;
  /// The number at a tick, with as many digits as the steps between the ticks need.
  std::string label(double tick, const std::vector<double>& ticks) const;
};

}  // namespace xgrad::detail
