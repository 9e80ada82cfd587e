#pragma once
#include <algorithm>
#include <string>
#include <xgrad.hpp>

/// Images as SVG, for the examples' pictures.

struct Corner {
  double x, y;
};

/// An image (height, width) from white, where it is `low` or less, to black, where it is `high` or more, in sixteen
/// greys; with words below.
inline std::string drawn(const xgrad::Tensor& image, double low, double high, Corner at, double width,
                         const std::string& words = "") {
  constexpr int greys = 16;
  const std::vector<double> values = xgrad::to_vector(image);
  const std::size_t columns = static_cast<std::size_t>(image.shape()[1]), rows = values.size() / columns;
  std::string dashes[greys];  // of each grey: a line one pixel long and wide for each of its pixels
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double share = std::clamp((values[i] - low) / (high - low), 0., 1.);
    dashes[static_cast<int>(share * (greys - 1) + 0.5)] += xgrad::text("M", i % columns, " ", i / columns, "h1");
  }
  const double side = width / static_cast<double>(columns), height = side * static_cast<double>(rows);
  std::string svg = xgrad::text("<g transform='translate(", at.x, ",", at.y + side / 2, ") scale(", side,
                                ")' shape-rendering='crispEdges'>\n<path stroke='#fff' stroke-width='", rows,
                                "' d='M0 ", static_cast<double>(rows) / 2 - 0.5, "h", columns, "'/>\n");
  for (int grey = 1; grey < greys; ++grey) {
    const int light = 255 - 255 * grey / (greys - 1);
    if (!dashes[grey].empty())
      svg += xgrad::text("<path stroke='rgb(", light, ",", light, ",", light, ")' d='", dashes[grey], "'/>\n");
  }
  svg += "</g>\n";
  if (words.empty()) return svg;
  return svg + xgrad::text("<text x='", at.x, "' y='", at.y + height + 14, "'>", words, "</text>\n");
}

/// A whole picture of what is drawn in it.
inline std::string svg_picture(int width, int height, const std::string& drawings) {
  return xgrad::text("<svg xmlns='http://www.w3.org/2000/svg' width='", width, "' height='", height,
                     "' font-family='sans-serif' font-size='11'>\n<rect width='", width, "' height='", height,
                     "' fill='#f4f4f4'/>\n", drawings, "</svg>\n");
}
