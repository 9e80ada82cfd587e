#include <algorithm>
#include <autograd/markup.hpp>
#include <autograd/picture/placement.hpp>

namespace xgrad {
namespace {

using detail::LayoutNode, detail::Picture, detail::Placement, detail::Point, detail::line_height, detail::title_height;
using Kind = Picture::Kind;

constexpr double margin = 24;

constexpr const char* style =
    "text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#24292f;text-anchor:middle}"
    ".title{font-size:13px;font-weight:600}.line{font-size:11px;fill:#57606a}"
    ".gradient{font-size:11px}.gradient,.sum{fill:#b4401a}.note{text-anchor:start;fill:#57606a}"
    ".paper{fill:#fff}.inside .paper{fill:#f6f8fa}"
    ".box-title{text-anchor:start;font-weight:600;fill:#57606a}"
    ".edge{fill:none;stroke:#6e7781;stroke-width:1.3}.dry{stroke:#afb8c1;stroke-dasharray:4 3}"
    ".head{fill:#6e7781}.box{fill:#f6f8fa;stroke:#d0d7de}.op{fill:#fff;stroke:#6e7781}"
    ".constant_op{fill:#fff;stroke:#afb8c1;stroke-dasharray:4 3}.parameter{fill:#e6f4ea;stroke:#4c9a63}"
    ".constant{fill:#e8f0fb;stroke:#6b95cc}.reference{fill:none;stroke:#afb8c1;stroke-dasharray:1 "
    "3}.folded{fill:#f3eefb;stroke:#8f7cc0}"
    ".result{stroke:#d4602a;stroke-width:2.2}";

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
  std::string d = text("M", fixed(route[0].x, 1), " ", fixed(route[0].y, 1));
  for (std::size_t i = 1; i < route.size(); ++i) {
    const Point &a = route[i - 1], &b = route[i];
    const std::string end = text(fixed(b.x, 1), " ", fixed(b.y, 1));
    if (std::abs(a.x - b.x) < 0.05) {
      d += text("L", end);
    } else {
      const std::string half = fixed((a.y + b.y) / 2, 1);
      d += text("C", fixed(a.x, 1), " ", half, " ", fixed(b.x, 1), " ", half, " ", end);
    }
  }
  return d;
}

std::string words(const char* kind, double x, double y, std::string_view what) {
  return text("<text class='", kind, "' x='", fixed(x, 1), "' y='", fixed(y, 1), "'>", escaped(what), "</text>");
}

std::string drawn(const Picture::Node& node, const LayoutNode& placed) {
  const double left = placed.x - placed.width / 2, top = placed.y - placed.height / 2;
  const bool made = node.kind == Kind::op || node.kind == Kind::constant_op || node.kind == Kind::folded;
  std::string svg = "<g>";
  if (!node.tip.empty()) svg += text("<title>", escaped(node.tip), "</title>");
  svg += text("<rect class='", class_of(node.kind), node.is_result ? " result" : "", "' x='", fixed(left, 1), "' y='",
              fixed(top, 1), "' width='", fixed(placed.width, 1), "' height='", fixed(placed.height, 1), "' rx='",
              made ? 5 : 14, "'/>");
  double y = top + 7 + title_height - 5;
  svg += words("title", placed.x, y, node.title);
  for (const std::string& line : node.lines)
    svg += words(line.starts_with("gradient ") ? "line sum" : "line", placed.x, y += line_height, line);
  return svg + "</g>\n";
}

}  // namespace

std::string to_svg(const Tensor& y, const PictureOptions& options, Place place) {
  const OpScope scope("to_svg", place);
  Picture picture = detail::picture_of(y, options, scope);
  picture.notes.insert(picture.notes.begin(),
                       "Green: parameters. Blue: constants. White: ops. Orange: gradients, as backward sends them up.");
  const Placement placed(picture);

  std::string body;
  for (std::size_t b = 0; b < placed.boxes.size(); ++b) {
    const auto& r = placed.boxes[b];
    body += text("<rect class='box' x='", fixed(r.x, 1), "' y='", fixed(r.y, 1), "' width='", fixed(r.width, 1),
                 "' height='", fixed(r.height, 1), "' rx='8'/>\n");
  }
  std::string labels;
  for (std::size_t e = 0; e < picture.edges.size(); ++e) {
    const Picture::Edge& edge = picture.edges[e];
    const Point end = placed.routes[e].back();
    body += text("<path class='edge", edge.flows ? "" : " dry", "' d='", path_through(placed.routes[e]),
                 "'/><path class='head' d='M", fixed(end.x, 1), " ", fixed(end.y, 1), "l-3.5 -7h7z'/>\n");
    const std::string& label = edge.note.empty() ? edge.gradient : edge.note;
    if (label.empty()) continue;
    const bool inside = picture.nodes[static_cast<std::size_t>(edge.to)].box >= 0;
    const double wide = detail::width_of(label, 6.5);
    const Point at = placed.labels[e];
    labels += text(inside ? "<g class='inside'>" : "<g>", "<rect class='paper' x='", fixed(at.x - wide / 2, 1), "' y='",
                   fixed(at.y - 8, 1), "' width='", fixed(wide, 1), "' height='16'/>",
                   words("gradient", at.x, at.y + 4, label), "</g>\n");
  }
  body += labels;
  for (std::size_t b = 0; b < placed.boxes.size(); ++b)
    body += words("box-title", placed.titles[b].x, placed.titles[b].y, picture.boxes[b].title) + "\n";
  for (std::size_t n = 0; n < picture.nodes.size(); ++n) body += drawn(picture.nodes[n], placed.nodes[n]);

  double width = placed.width, height = placed.height + 14;
  for (const std::string& note : picture.notes) width = std::max(width, detail::width_of(note, 6.6));
  for (const std::string& note : picture.notes)
    body += words("note", (placed.width - width) / 2, height += 18, note) + "\n";
  width += 2 * margin;
  height += 2 * margin;
  const std::string w = fixed(width, 0), h = fixed(height, 0);
  return text("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ", w, " ", h, "' width='", w, "' height='", h,
              "'>\n<style>", style,
              "</style>\n<rect width='100%' height='100%' fill='#fff'/>\n<g transform='translate(",
              fixed(margin + (width - 2 * margin - placed.width) / 2, 1), " ", fixed(margin, 1), ")'>\n", body,
              "</g>\n</svg>\n");
}

std::string to_svg(detail::Program program, PictureOptions options, Place place) {
  Trace trace;
  const Tensor y = program();
  options.trace = &trace;
  return to_svg(y, options, place);
}

}  // namespace xgrad
