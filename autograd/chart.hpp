#pragma once
#include <autograd/error.hpp>
#include <limits>
#include <vector>

#pragma GCC visibility push(default)

/// Charts as SVG pictures, which any browser shows: functions, losses over epochs, whatever has been measured.
///
///   write_file_atomically("loss.svg", to_svg(Charts{{{.title = "Loss", .curves = {{.x = epochs, .y = losses}}}}}));
namespace xgrad {

/// A line through points; where a number is not finite, it has a gap. Points alone: `.dots = true, .line = false`.
struct Curve {
  std::vector<double> x, y;
  std::string name = {};  // in the key, once for all charts; none for a curve without
  std::string colour = "#1f6fb4";
  std::string dashes = {};  // lengths of dashes and gaps in pixels, such as "7 3"
  bool dots = false;        // whether to mark each point
  bool line = true;         // whether to join them
};

struct ChartAxis {
  std::string label = {};
  std::vector<double> ticks = {};  // the numbers that stand at the axis; found if there are none
  /// What is shown of the axis; found where not given.
  double low = std::numeric_limits<double>::quiet_NaN(), high = std::numeric_limits<double>::quiet_NaN();
  bool logarithmic = false;  // each power of ten takes the same room; a number that is not above 0 has no place there
};

struct Chart {
  std::string title = {}, subtitle = {};
  std::vector<Curve> curves = {};  // none: the chart is its words
  ChartAxis x = {}, y = {};
  std::vector<std::string> words = {};  // lines below
};

struct Charts {
  std::vector<Chart> charts;
  int columns = 2;
  double width = 380, height = 270;  // of each frame, in pixels
};

/// The charts row by row as one picture, with a key of the curves' names below. What lies outside an axis is cut off.
/// Throws ValueError without a chart or a column, if a curve's x and y differ in length, or if a logarithmic axis is to
/// begin, end or have a tick at a number that is not above 0.
std::string to_svg(const Charts& charts, Place place = Place::here());

}  // namespace xgrad
#pragma GCC visibility pop
