// Writes the picture of a graph as SVG.
#include <algorithm>
#include <autograd/picture/placement.hpp>
#include <autograd/support/embedded.hpp>
#include <autograd/support/markup.hpp>
#include <autograd/support/svg.hpp>
#include <cmath>

namespace xgrad {
namespace {

using detail::LayoutNode, detail::Picture, detail::Placement, detail::Point, detail::Svg, detail::line_height,
    detail::title_height;
using Kind = Picture::Kind;

constexpr double margin = 24;

const char* class_of(Kind kind) {
  switch (kind) {
    case Kind::op:
      return "op";
    case Kind::constant_op:
      return "constant_op";
    case Kind::parameter:
      return "parameter";
    case Kind::constant:
      return "constant";
    case Kind::reference:
      return "reference";
    case Kind::folded:
      break;
  }
  return "folded";
}

std::string path_through(const std::vector<Point>& route) {
  const auto at = [](double x, double y) { return text(Svg::length(x), " ", Svg::length(y)); };
  std::string d = text("M", at(route[0].x, route[0].y));
  for (std::size_t i = 1; i < route.size(); ++i) {
    const Point &a = route[i - 1], &b = route[i];
    const double half = (a.y + b.y) / 2;
    const bool straight = std::abs(a.x - b.x) < 0.05;
    d += straight ? text("L", at(b.x, b.y)) : text("C", at(a.x, half), " ", at(b.x, half), " ", at(b.x, b.y));
  }
  return d;
}

void draw(Svg& svg, const Picture::Node& node, const LayoutNode& placed) {
  const double left = placed.x - placed.width / 2, top = placed.y - placed.height / 2;
  const bool made = node.kind == Kind::op || node.kind == Kind::constant_op || node.kind == Kind::folded;
  svg.raw("<g>");
  if (!node.tip.empty()) svg.raw(text("<title>", detail::escaped(node.tip), "</title>"));
  svg.rect(left, top, placed.width, placed.height,
           text("class='", class_of(node.kind), node.is_result ? " result" : "", "' rx='", made ? 5 : 14, "'"));
  double y = top + 7 + title_height - 5;
  svg.words(placed.x, y, node.title, "class='title'");
  for (const std::string& line : node.lines)
    svg.words(placed.x, y += line_height, line, line.starts_with("gradient ") ? "class='line sum'" : "class='line'");
  svg.raw("</g>\n");
}

/// What an edge carries, on paper of the colour of what it lies on.
void draw_label(Svg& svg, const Picture& picture, const Picture::Edge& edge, Point at) {
  const std::string& label = edge.note.empty() ? edge.gradient : edge.note;
  if (label.empty()) return;
  const double wide = detail::width_of(label, 6.5);
  svg.raw(picture.nodes[static_cast<std::size_t>(edge.to)].box >= 0 ? "<g class='inside'>" : "<g>");
  svg.rect(at.x - wide / 2, at.y - 8, wide, 16, "class='paper'");
  svg.words(at.x, at.y + 4, label, "class='gradient'");
  svg.raw("</g>\n");
}

}  // namespace

std::string to_svg(const Tensor& y, const PictureOptions& options, Place place) {
  const OpScope scope("to_svg", place);
  Picture picture = detail::picture_of(y, options, scope);
  picture.notes.emplace(
      picture.notes.begin(),
      "Green: parameters. Blue: constants. White: ops. Orange: gradients, as backward sends them up.");
  const Placement placed(picture);
  double width = placed.width, height = placed.height + 14;
  for (const std::string& note : picture.notes) width = std::max(width, detail::width_of(note, 6.6));

  Svg svg;
  svg.raw(text("<g transform='translate(", Svg::length(margin + (width - placed.width) / 2), " ", margin, ")'>\n"));
  for (const Placement::Rectangle& r : placed.boxes) svg.rect(r.x, r.y, r.width, r.height, "class='box' rx='8'");
  for (std::size_t e = 0; e < picture.edges.size(); ++e) {
    const Point end = placed.routes[e].back();
    svg.raw(text("<path class='edge", picture.edges[e].flows ? "" : " dry", "' d='", path_through(placed.routes[e]),
                 "'/><path class='head' d='M", Svg::length(end.x), " ", Svg::length(end.y), "l-3.5 -7h7z'/>\n"));
  }
  for (std::size_t e = 0; e < picture.edges.size(); ++e) draw_label(svg, picture, picture.edges[e], placed.labels[e]);
  for (std::size_t b = 0; b < placed.boxes.size(); ++b)
    svg.words(placed.titles[b].x, placed.titles[b].y, picture.boxes[b].title, "class='box-title'");
  for (std::size_t n = 0; n < picture.nodes.size(); ++n) draw(svg, picture.nodes[n], placed.nodes[n]);
  for (const std::string& note : picture.notes)
    svg.words((placed.width - width) / 2, height += 18, note, "class='note'");
  svg.raw("</g>\n");
  return svg.picture(std::round(width + 2 * margin), std::round(height + 2 * margin),
                     detail::embedded::picture_graph_css);
}

std::string to_svg(detail::Program program, PictureOptions options, Place place) {
  Trace trace;
  const Tensor y = program();
  options.trace = &trace;
  return to_svg(y, options, place);
}

}  // namespace xgrad
