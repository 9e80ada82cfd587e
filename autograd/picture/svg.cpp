#include <algorithm>
#include <autograd/markup.hpp>
#include <autograd/picture/graph.hpp>
#include <autograd/picture/layout.hpp>

namespace xgrad {
namespace {

using detail::Layout, detail::LayoutEdge, detail::LayoutNode, detail::Picture, detail::Point;
using Kind = Picture::Kind;

// In units of the picture, which are pixels where it is shown at its own size.
constexpr double margin = 24, box_padding = 12, box_title = 24, title_height = 18, line_height = 15;

constexpr const char* style =
    "text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#24292f;text-anchor:middle}"
    ".title{font-size:13px;font-weight:600}.line{font-size:11px;fill:#57606a}"
    ".gradient{font-size:11px}.gradient,.sum{fill:#b4401a}.note{text-anchor:start;fill:#57606a}"
    ".gradient,.box-title{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}"
    ".box-title{text-anchor:start;font-weight:600;fill:#57606a;stroke:#f6f8fa}"
    ".edge{fill:none;stroke:#6e7781;stroke-width:1.3}.dry{stroke:#afb8c1;stroke-dasharray:4 3}"
    ".head{fill:#6e7781}.box{fill:#f6f8fa;stroke:#d0d7de}.op{fill:#fff;stroke:#6e7781}"
    ".constant_op{fill:#fff;stroke:#afb8c1;stroke-dasharray:4 3}.parameter{fill:#e6f4ea;stroke:#4c9a63}"
    ".constant{fill:#e8f0fb;stroke:#6b95cc}.reference{fill:none;stroke:#afb8c1;stroke-dasharray:1 "
    "3}.folded{fill:#f3eefb;stroke:#8f7cc0}"
    ".result{stroke:#d4602a;stroke-width:2.2}.inside .gradient{stroke:#f6f8fa}";

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

/// About how wide a text is; a character may be several bytes.
double width_of(std::string_view words, double per_character) {
  const auto characters = std::count_if(words.begin(), words.end(), [](char c) { return (c & 0xc0) != 0x80; });
  return static_cast<double>(characters) * per_character;
}

double label_width(const Picture::Edge& e) {
  const std::string& words = e.note.empty() ? e.gradient : e.note;
  return words.empty() ? 0 : width_of(words, 6.5) + 8;
}

LayoutNode sized(const Picture::Node& n) {
  double width = std::max(60., width_of(n.title, 7.6));
  for (const std::string& line : n.lines) width = std::max(width, width_of(line, 6.5));
  return {width + 22, 14 + title_height + line_height * static_cast<double>(n.lines.size())};
}

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// A picture whose parts have places. The inside of each box is placed first, with a port on its edge for every line
/// that crosses it; then the boxes themselves are nodes.
class Placed {
 public:
  struct Rectangle {
    double x, y, width, height;
  };
  std::vector<Point> nodes;  // centres
  std::vector<LayoutNode> sizes;
  std::vector<Rectangle> boxes;
  std::vector<std::vector<Point>> routes;  // of the edges
  std::vector<Point> labels;
  double width, height;

  explicit Placed(const Picture& picture) : picture_(picture) {
    for (const Picture::Node& n : picture.nodes) sizes.push_back(sized(n));
    place_insides();
    place_outside();
    assemble();
  }

 private:
  /// The layout that an edge's end lies in, and what stands for that end there.
  int box_of(int node) const { return picture_.nodes[at(node)].box; }

  void place_insides() {
    insides_.resize(picture_.boxes.size());
    index_.resize(picture_.nodes.size());
    parts_.resize(picture_.edges.size());
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) {
      if (picture_.nodes[n].box < 0) continue;
      Layout& inside = insides_[at(picture_.nodes[n].box)];
      index_[n] = static_cast<int>(inside.nodes.size());
      inside.nodes.push_back(sizes[n]);
    }
    for (std::size_t e = 0; e < picture_.edges.size(); ++e) {
      const Picture::Edge& edge = picture_.edges[e];
      const int from = box_of(edge.from), to = box_of(edge.to);
      const auto port = [&](int box, LayoutNode::Rank rank) {
        Layout& inside = insides_[at(box)];
        inside.nodes.push_back({6, 0, rank});
        return static_cast<int>(inside.nodes.size()) - 1;
      };
      const auto add = [&](int box, int a, int b, double label) {
        insides_[at(box)].edges.push_back({a, b, label});
        return static_cast<int>(insides_[at(box)].edges.size()) - 1;
      };
      Parts& parts = parts_[e];
      const int a = index_[at(edge.from)], b = index_[at(edge.to)];
      if (to >= 0 && from == to) {
        parts.into = add(to, a, b, label_width(edge));
        continue;
      }
      if (from >= 0) parts.out = add(from, a, port(from, LayoutNode::Rank::bottom), 0);
      if (to >= 0) parts.into = add(to, port(to, LayoutNode::Rank::top), b, label_width(edge));
    }
    for (Layout& inside : insides_) inside.run();
  }

  void place_outside() {
    for (std::size_t b = 0; b < insides_.size(); ++b) {
      const double title = width_of(picture_.boxes[b], 7) + 16;
      outside_.nodes.push_back(
          {std::max(insides_[b].width + 2 * box_padding, title), insides_[b].height + box_title + box_padding});
    }
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) {
      if (picture_.nodes[n].box >= 0) continue;
      index_[n] = static_cast<int>(outside_.nodes.size());
      outside_.nodes.push_back(sizes[n]);
    }
    for (std::size_t e = 0; e < picture_.edges.size(); ++e) {
      const Picture::Edge& edge = picture_.edges[e];
      const int from = box_of(edge.from), to = box_of(edge.to);
      if (to >= 0 && from == to) continue;
      LayoutEdge across{from >= 0 ? from : index_[at(edge.from)], to >= 0 ? to : index_[at(edge.to)]};
      if (from >= 0) {
        const Layout& inside = insides_[at(from)];
        across.from_dx = inside.edges[at(parts_[e].out)].route.back().x - inside.width / 2;
        across.spread_from = false;
      }
      if (to >= 0) {
        const Layout& inside = insides_[at(to)];
        across.to_dx = inside.edges[at(parts_[e].into)].route.front().x - inside.width / 2;
        across.spread_to = false;
      } else {
        across.label_width = label_width(edge);
      }
      parts_[e].across = static_cast<int>(outside_.edges.size());
      outside_.edges.push_back(across);
    }
    outside_.run();
    width = outside_.width;
    height = outside_.height;
  }

  /// Where the inside of a box starts.
  Point origin(int box) const {
    const LayoutNode& node = outside_.nodes[at(box)];
    return {node.x - insides_[at(box)].width / 2, node.y - node.height / 2 + box_title};
  }

  void assemble() {
    for (std::size_t b = 0; b < insides_.size(); ++b) {
      const LayoutNode& node = outside_.nodes[b];
      boxes.push_back({node.x - node.width / 2, node.y - node.height / 2, node.width, node.height});
    }
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) {
      const int box = picture_.nodes[n].box;
      const LayoutNode& node = box < 0 ? outside_.nodes[at(index_[n])] : insides_[at(box)].nodes[at(index_[n])];
      const Point o = box < 0 ? Point{0, 0} : origin(box);
      nodes.push_back({o.x + node.x, o.y + node.y});
    }
    for (std::size_t e = 0; e < picture_.edges.size(); ++e) {
      routes.emplace_back();
      labels.push_back({0, 0});
      const Parts& parts = parts_[e];
      const auto append = [&](const Layout& layout, int edge, Point o) {
        if (edge < 0) return;
        const LayoutEdge& found = layout.edges[at(edge)];
        for (const Point& p : found.route) routes[e].push_back({o.x + p.x, o.y + p.y});
        if (found.label_width > 0) labels[e] = {o.x + found.label.x, o.y + found.label.y};
      };
      const int from = box_of(picture_.edges[e].from), to = box_of(picture_.edges[e].to);
      if (from >= 0) append(insides_[at(from)], parts.out, origin(from));
      append(outside_, parts.across, {0, 0});
      if (to >= 0) append(insides_[at(to)], parts.into, origin(to));
    }
  }

  struct Parts {
    int out = -1, across = -1, into = -1;  // edges of the layouts
  };
  const Picture& picture_;
  std::vector<Layout> insides_;
  Layout outside_;
  std::vector<int> index_;  // of each node, in its layout
  std::vector<Parts> parts_;
};

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

std::string drawn(const Picture::Node& node, const LayoutNode& size, Point centre) {
  const double left = centre.x - size.width / 2, top = centre.y - size.height / 2;
  const bool made = node.kind == Kind::op || node.kind == Kind::constant_op || node.kind == Kind::folded;
  std::string svg = "<g>";
  if (!node.tip.empty()) svg += text("<title>", escaped(node.tip), "</title>");
  svg += text("<rect class='", class_of(node.kind), node.is_result ? " result" : "", "' x='", fixed(left, 1), "' y='",
              fixed(top, 1), "' width='", fixed(size.width, 1), "' height='", fixed(size.height, 1), "' rx='",
              made ? 5 : 14, "'/>");
  double y = top + 7 + title_height - 5;
  svg += words("title", centre.x, y, node.title);
  for (const std::string& line : node.lines)
    svg += words(line.starts_with("gradient ") ? "line sum" : "line", centre.x, y += line_height, line);
  return svg + "</g>\n";
}

}  // namespace

std::string to_svg(const Tensor& y, const PictureOptions& options, Place place) {
  const OpScope scope("to_svg", place);
  Picture picture = detail::picture_of(y, options, scope);
  picture.notes.insert(picture.notes.begin(),
                       "Green: parameters. Blue: constants. White: ops. Orange: gradients, as backward sends them up.");
  const Placed placed(picture);

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
    const bool inside = picture.nodes[at(edge.to)].box >= 0;
    labels += text(inside ? "<g class='inside'>" : "<g>",
                   words("gradient", placed.labels[e].x, placed.labels[e].y + 4, label), "</g>\n");
  }
  body += labels;
  for (std::size_t b = 0; b < placed.boxes.size(); ++b)
    body += words("box-title", placed.boxes[b].x + 10, placed.boxes[b].y + 17, picture.boxes[b]) + "\n";
  for (std::size_t n = 0; n < picture.nodes.size(); ++n)
    body += drawn(picture.nodes[n], placed.sizes[n], placed.nodes[n]);

  double width = placed.width, height = placed.height + 14;
  for (const std::string& note : picture.notes) {
    width = std::max(width, width_of(note, 6.6));
    body += words("note", (placed.width - width) / 2, height += 18, note) + "\n";
  }
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
