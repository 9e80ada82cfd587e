// Draws the table of results, with bars of the ratios.
#include "report.hpp"

#include <autograd/support/markup.hpp>
#include <autograd/support/svg.hpp>

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

// In units of the picture, which are pixels where it is shown at its own size.
constexpr std::size_t grid_columns = 4;
constexpr double width = 980, margin = 20, name_at = 20, against_at = 262, threads_at = 352, cells_at = 430;
constexpr double line_height = 32, header_height = 24, grid_height = 48;

constexpr const char* style =
    "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:17px;font-weight:600}"
    ".small{font-size:11px;fill:#59636e}.ratio{font-weight:600}.page{fill:#fff}.rule{stroke:#d1d9e0}"
    ".better{fill:#2da44e}.worse{fill:#d4772c}.share{fill:#3b82c4}.track{fill:#eaeef2}.tick{stroke:#afb8c1}"
    ".scale{font-size:10px;fill:#59636e;text-anchor:middle}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.scale{fill:#9198a1}.page{fill:#0d1117}."
    "rule,.tick{stroke:#3d444d}"
    ".better{fill:#3fb950}.worse{fill:#db6d28}.share{fill:#58a6ff}.track{fill:#21262d}}";

constexpr double longest = 512;  // times, at the end of a bar

std::string number(double v, int digits) { return xgrad::detail::fixed(v, digits); }

/// How much of its track a bar fills: of a limit the share that is reached, else how many times better or worse it is,
/// on a logarithmic scale.
double share_of(double ratio, bool limit) {
  return std::clamp(limit ? ratio : std::abs(std::log2(ratio)) / std::log2(longest), 0.0, 1.0);
}

/// The ticks of a bar.
struct Tick {
  double ratio;
  const char* label;
};
constexpr Tick ticks_of_times[] = {{1, "1×"}, {2, "2×"}, {8, "8×"}, {64, "64×"}, {512, "512×"}};
constexpr Tick ticks_of_limit[] = {{0, "0"}, {.5, "50"}, {1, "100 %"}};

/// "9.1" times, or "84" percent of a limit: two digits tell what a spread leaves certain.
std::string shown(double ratio, bool limit) {
  return limit ? number(100 * ratio, 0) : number(ratio, ratio < 1.995 ? 2 : ratio < 9.95 ? 1 : 0);
}

/// Rows that differ in their size only.
using Line = std::vector<const Row*>;

std::vector<Line> lines_of(const std::vector<Row>& rows) {
  std::vector<Line> lines;
  for (const Row& row : rows) {
    if (row.against.empty()) continue;
    const Row* const before = lines.empty() ? nullptr : lines.back().front();
    if (!before || before->name != row.name || before->against != row.against || before->threads != row.threads)
      lines.emplace_back();
    lines.back().push_back(&row);
  }
  return lines;
}

/// Whether two lines can stand under one header.
bool same_sizes(const Line& a, const Line& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Row* x, const Row* y) { return x->size == y->size && x->size_name == y->size_name; });
}

/// Whether two lines can stand side by side.
bool same_column(const Line& a, const Line& b) {
  return same_sizes(a, b) && a[0]->against == b[0]->against && a[0]->threads == b[0]->threads;
}

class Drawing {
 public:
  explicit Drawing(const Machine& machine) {
    y_ = margin + 14;
    text(margin, "title", "xgrad beside its peers");
    for (const auto& [what, value] : machine) {
      y_ += what == machine.front().first ? 22 : 15;
      text(margin, "small", what + ": " + value);
    }
    scales();
  }

  /// Begins a part of the table whose columns are the sizes of `line`.
  void header(const Line& line) {
    y_ += header_height;
    for (std::size_t i = 0; i < line.size(); ++i)
      text(cell_at(i, line.size()), "small", i == 0 ? size_of(*line[i]) : line[i]->size);
    rule();
  }

  void line(const Line& line, bool named) {
    y_ += line_height * 0.6;
    const Row& first = *line.front();
    if (named) text(name_at, "", first.name);
    text(against_at, "", first.against);
    text(threads_at, "small", threads_of(first));
    const double across = cell_width(line.size());
    for (std::size_t i = 0; i < line.size(); ++i) cell(*line[i], cell_at(i, line.size()), across);
    y_ += line_height * 0.4;
  }

  /// Lines of one cell each, side by side, under what they have in common.
  void grid(const Line* lines, std::size_t count) {
    const Row& first = *lines->front();
    y_ += header_height;
    text(name_at, "small",
         first.against + ", " + threads_of(first) + (first.size.empty() ? "" : ", " + size_of(first)));
    rule();
    constexpr double across = (width - 2 * margin) / grid_columns;
    for (std::size_t i = 0; i < count; ++i) {
      const Row& row = *lines[i].front();
      const double x = margin + across * static_cast<double>(i % grid_columns);
      y_ += grid_height * 0.4;
      text(x, "small", row.name);
      y_ += grid_height * 0.35;
      cell(row, x, across);
      y_ += grid_height * (i % grid_columns + 1 < grid_columns && i + 1 < count ? -0.75 : 0.25);
    }
  }

  std::string finish() {
    y_ += 24;
    text(margin, "small",
         "9x: a 9th of the peer's time (or memory); 90 %: of what the peer shows to be possible. "
         "Ratios of medians over blocks in turn; small figures: their quartiles.");
    y_ += margin;
    return svg_.picture(width, y_, style);
  }

 private:
  static std::string threads_of(const Row& row) {
    if (row.threads == Row::best_of_all) return "better one";
    return std::to_string(row.threads) + (row.threads == 1 ? " thread" : " threads");
  }
  static std::string size_of(const Row& row) { return row.size.empty() ? "" : row.size_name + " " + row.size; }
  void rule() {
    y_ += 6;
    svg_.line(margin, y_, width - margin, y_, "class='rule'");
  }

  static double cell_width(std::size_t count) {
    return (width - margin - cells_at) / static_cast<double>(std::max<std::size_t>(count, 5));
  }
  static double cell_at(std::size_t i, std::size_t count) {
    return cells_at + cell_width(count) * static_cast<double>(i);
  }

  void text(double x, const std::string& kind, const std::string& words) {
    svg_.words(x, y_, words, kind.empty() ? "" : "class='" + kind + "'");
  }

  /// What the lengths of the bars below mean.
  void scales() {
    constexpr double length = 200;
    y_ += 26;
    double x = margin;
    for (const bool limit : {false, true}) {
      text(x, "small", limit ? "of what is possible:" : "times better, or worse:");
      x += 150;
      svg_.rect(x, y_ - 6, length, 4, "class='track' rx='2'");
      const auto label = [&](const Tick& tick) {
        const double at = x + length * share_of(tick.ratio, limit);
        svg_.line(at, y_ - 8, at, y_, "class='tick'");
        svg_.words(at, y_ + 11, tick.label, "class='scale'");
      };
      if (limit) {
        std::for_each(std::begin(ticks_of_limit), std::end(ticks_of_limit), label);
      } else {
        std::for_each(std::begin(ticks_of_times), std::end(ticks_of_times), label);
      }
      x += length + 60;
    }
    y_ += 16;
  }

  /// The ratio, its quartiles, and a bar with the ticks of its scale.
  void cell(const Row& row, double x, double cell_width) {
    const double length = cell_width - 16;
    svg_.raw("<text x='" + xgrad::detail::Svg::length(x) + "' y='" + xgrad::detail::Svg::length(y_) +
             "'><tspan class='ratio'>" + shown(row.ratio, row.limit) + (row.limit ? "%" : "×") +
             "</tspan><tspan class='small' dx='5'>" + shown(row.low, row.limit) + "–" + shown(row.high, row.limit) +
             "</tspan></text>\n");
    svg_.rect(x, y_ + 5, length, 4, "class='track' rx='2'");
    const auto tick = [&](const Tick& t) {
      const double at = x + length * share_of(t.ratio, row.limit);
      if (t.ratio != 0 && share_of(t.ratio, row.limit) < 1) svg_.line(at, y_ + 4, at, y_ + 10, "class='tick'");
    };
    if (row.limit) {
      std::for_each(std::begin(ticks_of_limit), std::end(ticks_of_limit), tick);
    } else {
      std::for_each(std::begin(ticks_of_times) + 1, std::end(ticks_of_times), tick);
    }
    const std::string colour = row.limit ? "share" : row.ratio >= 1 ? "better" : "worse";
    svg_.rect(x, y_ + 5, length * share_of(row.ratio, row.limit), 4, "class='" + colour + "' rx='2'");
  }

  double y_;
  xgrad::detail::Svg svg_;
};

}  // namespace

std::string picture(const Machine& machine, const std::vector<Row>& rows) {
  Drawing drawing(machine);
  const std::vector<Line> lines = lines_of(rows);
  const Line* before = nullptr;
  for (std::size_t i = 0; i < lines.size();) {
    std::size_t alike = i;
    while (alike < lines.size() && lines[alike].size() == 1 && same_column(lines[i], lines[alike])) ++alike;
    if (alike - i >= 3) {
      drawing.grid(&lines[i], alike - i);
      before = nullptr;
      i = alike;
      continue;
    }
    const bool new_header = !before || !same_sizes(*before, lines[i]);
    if (new_header) drawing.header(lines[i]);
    drawing.line(lines[i], new_header || before->front()->name != lines[i].front()->name);
    before = &lines[i++];
  }
  return drawing.finish();
}

}  // namespace bench
