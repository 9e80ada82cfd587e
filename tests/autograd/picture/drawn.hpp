#pragma once
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

/// Where the parts of a picture are, read from its SVG alone.
struct Drawn {
  struct Box {
    double left, top, right, bottom;
    /// Whether a point lies well inside.
    bool holds(double x, double y) const {
      return x > left + 0.6 && x < right - 0.6 && y > top + 0.6 && y < bottom - 0.6;
    }
  };
  struct Point {
    double x, y;
  };
  std::vector<Box> nodes, boxes, titles;  // titles: of the boxes
  std::vector<std::vector<Point>> edges;  // points close to each other
  double width = 0, height = 0;

  explicit Drawn(const std::string& svg) {
    width = number(svg, "width", 0);
    height = number(svg, "height", 0);
    for (std::size_t i = svg.find("<rect class='"); i != std::string::npos; i = svg.find("<rect class='", i + 1)) {
      const std::string kind = svg.substr(i + 13, svg.find('\'', i + 13) - i - 13);
      const double x = number(svg, " x", i), y = number(svg, " y", i);
      const Box box{x, y, x + number(svg, " width", i), y + number(svg, " height", i)};
      if (kind == "box") boxes.push_back(box);
      if (kind != "box" && kind != "paper" && kind != "page") nodes.push_back(box);
    }
    const std::string title = "<text class='box-title'";
    for (std::size_t i = svg.find(title); i != std::string::npos; i = svg.find(title, i + 1)) {
      const std::size_t words = svg.find('>', i) + 1;
      const double x = number(svg, " x", i), y = number(svg, " y", i);
      int characters = 0;
      for (std::size_t k = words; svg[k] != '<'; ++k, ++characters)
        if (svg[k] == '&') k = svg.find(';', k);
      titles.push_back({x, y - 11, x + 7 * characters, y + 3});
    }
    const std::string edge = "<path class='edge";
    for (std::size_t i = svg.find(edge); i != std::string::npos; i = svg.find(edge, i + 1)) {
      const std::size_t d = svg.find(" d='", i) + 4;
      edges.push_back(points_of(svg.substr(d, svg.find('\'', d) - d)));
    }
  }

  /// Where an edge runs behind a node or through a title; empty if none does.
  std::string hidden_edge() const {
    for (const std::vector<Point>& edge : edges)
      for (const Point& p : edge)
        for (const auto* parts : {&nodes, &titles})
          for (const Box& box : *parts)
            if (box.holds(p.x, p.y)) return std::to_string(p.x) + " " + std::to_string(p.y);
    return "";
  }

 private:
  static double number(const std::string& svg, const std::string& attribute, std::size_t from) {
    return std::atof(svg.c_str() + svg.find(attribute + "='", from) + attribute.size() + 2);
  }

  /// Along a path of M, L and C.
  static std::vector<Point> points_of(const std::string& d) {
    std::vector<Point> points;
    const char* at = d.c_str();
    const auto next = [&] {
      while (*at == ' ') ++at;
      char* end;
      const double x = std::strtod(at, &end);
      at = end;
      const double y = std::strtod(at, &end);
      at = end;
      return Point{x, y};
    };
    while (*at) {
      const char command = *at++;
      const Point a = points.empty() ? Point{0, 0} : points.back();
      const Point b = command == 'C' ? next() : a, c = command == 'C' ? next() : a, end = next();
      for (int k = 1; k <= 40; ++k) {
        const double t = k / 40., s = 1 - t;
        if (command == 'L') points.push_back({s * a.x + t * end.x, s * a.y + t * end.y});
        if (command == 'C')
          points.push_back({s * s * s * a.x + 3 * s * s * t * b.x + 3 * s * t * t * c.x + t * t * t * end.x,
                            s * s * s * a.y + 3 * s * s * t * b.y + 3 * s * t * t * c.y + t * t * t * end.y});
      }
      if (command == 'M') points.push_back(end);
    }
    return points;
  }
};
