// Lays out a picture box by box, from the innermost to the whole.
#include <algorithm>
#include <autograd/picture/placement.hpp>
#include <autograd/support/index.hpp>

namespace xgrad::detail {
namespace {

constexpr double box_padding = 12, title_strip = 24, title_base = 17, title_gap = 10;

double label_width(const Picture::Edge& e) {
  const std::string& words = e.note.empty() ? e.gradient : e.note;
  return words.empty() ? 0 : width_of(words, 6.5) + 8;
}

LayoutNode sized(const Picture::Node& n) {
  double width = std::max(60., width_of(n.title, 7.6));
  for (const std::string& line : n.lines) width = std::max(width, width_of(line, 6.5));
  return {width + 22, 14 + title_height + line_height * static_cast<double>(n.lines.size())};
}

}  // namespace

double width_of(std::string_view words, double per_character) {
  const auto characters = std::count_if(words.begin(), words.end(), [](char c) { return (c & 0xc0) != 0x80; });
  return static_cast<double>(characters) * per_character;
}

Placement::Placement(const Picture& picture) : picture_(picture), insides_(picture.boxes.size() + 1) {
  add_nodes();
  add_edges();
  for (std::size_t b = picture.boxes.size(); b-- > 0;) place(b);  // the inner before the outer
  Layout& whole = insides_.back().layout;
  whole.run();
  width = whole.width;
  height = whole.height;
  assemble();
}

void Placement::add_nodes() {
  for (const Picture::Box& box : picture_.boxes) {
    std::vector<LayoutNode>& around = insides_[inside_of(box.parent)].layout.nodes;
    box_index_.push_back(static_cast<int>(around.size()));
    around.push_back({0, 0});  // its size is known later
  }
  for (const Picture::Node& node : picture_.nodes) {
    nodes.push_back(sized(node));
    std::vector<LayoutNode>& around = insides_[inside_of(node.box)].layout.nodes;
    node_index_.push_back(static_cast<int>(around.size()));
    around.push_back(nodes.back());
  }
}

/// Cuts every edge where it crosses the edge of a box.
void Placement::add_edges() {
  pieces_.resize(picture_.edges.size());
  for (std::size_t e = 0; e < picture_.edges.size(); ++e) {
    const Picture::Edge& edge = picture_.edges[e];
    std::vector<int> left, entered;  // boxes, from the inside out
    for (int b = picture_.nodes[at(edge.from)].box; b >= 0; b = picture_.boxes[at(b)].parent) left.push_back(b);
    for (int b = picture_.nodes[at(edge.to)].box; b >= 0; b = picture_.boxes[at(b)].parent) entered.push_back(b);
    int around = -1;
    while (!left.empty() && !entered.empty() && left.back() == entered.back()) {
      around = left.back();
      left.pop_back();
      entered.pop_back();
    }
    const auto add = [&](int box, int from, int to) {
      std::vector<LayoutEdge>& edges = insides_[inside_of(box)].layout.edges;
      pieces_[e].push_back({inside_of(box), static_cast<int>(edges.size())});
      edges.push_back({from, to});
      return pieces_[e].back().edge;
    };
    const auto port = [&](int box, LayoutNode::Rank rank) {
      std::vector<LayoutNode>& nodes_inside = insides_[at(box)].layout.nodes;
      nodes_inside.push_back({6, 0, rank});
      return static_cast<int>(nodes_inside.size()) - 1;
    };
    int start = node_index_[at(edge.from)];
    for (const int box : left) {
      const int inner = add(box, start, port(box, LayoutNode::Rank::bottom));
      const std::size_t outer = insides_[inside_of(picture_.boxes[at(box)].parent)].layout.edges.size();  // comes next
      insides_[at(box)].crossings.push_back({inner, static_cast<int>(outer), false});
      start = box_index_[at(box)];
    }
    const auto end_in = [&](std::size_t boxes_left) {
      return boxes_left > 0 ? box_index_[at(entered[boxes_left - 1])] : node_index_[at(edge.to)];
    };
    int outer = add(around, start, end_in(entered.size()));
    for (std::size_t k = entered.size(); k-- > 0;) {
      const int inner = add(entered[k], port(entered[k], LayoutNode::Rank::top), end_in(k));
      insides_[at(entered[k])].crossings.push_back({inner, outer, true});
      outer = inner;
    }
    insides_[pieces_[e].back().inside].layout.edges[at(outer)].label_width = label_width(edge);
  }
}

/// Places the inside of a box, and says to the layout around how large it is and where edges cross its edge.
void Placement::place(std::size_t box) {
  Inside& inside = insides_[box];
  inside.layout.run();
  LayoutNode& node = node_of(box);
  node.width = room_for_title(box);
  const bool has_exit = std::any_of(inside.crossings.begin(), inside.crossings.end(),
                                    [](const Crossing& crossing) { return !crossing.enters; });
  node.height = title_strip + inside.layout.height + (has_exit ? 0 : box_padding);
  std::vector<LayoutEdge>& around = insides_[inside_of(picture_.boxes[box].parent)].layout.edges;
  for (const Crossing& crossing : inside.crossings) {
    const std::vector<Point>& route = inside.layout.edges[at(crossing.inner)].route;
    LayoutEdge& outer = around[at(crossing.outer)];
    const double x = (crossing.enters ? route.front() : route.back()).x + inside.left - node.width / 2;
    (crossing.enters ? outer.to_dx : outer.from_dx) = x;
    (crossing.enters ? outer.spread_to : outer.spread_from) = false;
  }
}

/// Finds a place for the title where no edge enters the box, and makes room if there is none; returns the box's width.
double Placement::room_for_title(std::size_t box) {
  Inside& inside = insides_[box];
  std::vector<double> entries;
  for (const Crossing& crossing : inside.crossings)
    if (crossing.enters) entries.push_back(inside.layout.edges[at(crossing.inner)].route.front().x + box_padding);
  std::sort(entries.begin(), entries.end());
  const double needed = width_of(picture_.boxes[box].title, 7.4) + 2 * title_gap;
  const double full = inside.layout.width + 2 * box_padding;
  inside.left = box_padding;
  double from = 0;
  for (const double entry : entries) {
    if (entry - from >= needed) break;
    from = entry;
  }
  const double last = entries.empty() ? 0 : entries.back(), first = entries.empty() ? full : entries.front();
  inside.title_at = from + title_gap;
  if (from < last || full - from >= needed) return full;
  const double wider_left = needed - first, wider_right = needed - (full - last);
  if (entries.empty() || wider_right <= wider_left) return full + wider_right;
  inside.title_at = title_gap;
  inside.left += wider_left;
  return full + wider_left;
}

void Placement::assemble() {
  for (std::size_t b = 0; b < picture_.boxes.size(); ++b) {
    const LayoutNode& node = node_of(b);
    const Point around = insides_[inside_of(picture_.boxes[b].parent)].origin;
    const Rectangle r{around.x + node.x - node.width / 2, around.y + node.y - node.height / 2, node.width, node.height};
    boxes.push_back(r);
    titles.push_back({r.x + insides_[b].title_at, r.y + title_base});
    insides_[b].origin = {r.x + insides_[b].left, r.y + title_strip};
  }
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const Inside& inside = insides_[inside_of(picture_.nodes[n].box)];
    const LayoutNode& node = inside.layout.nodes[at(node_index_[n])];
    nodes[n].x = inside.origin.x + node.x;
    nodes[n].y = inside.origin.y + node.y;
  }
  for (const std::vector<Piece>& pieces : pieces_) {
    routes.emplace_back();
    labels.push_back({0, 0});
    for (const Piece& piece : pieces) {
      const Point o = insides_[piece.inside].origin;
      const LayoutEdge& edge = insides_[piece.inside].layout.edges[at(piece.edge)];
      for (const Point& p : edge.route) routes.back().push_back({o.x + p.x, o.y + p.y});
      if (edge.label_width > 0) labels.back() = {o.x + edge.label.x, o.y + edge.label.y};
    }
  }
}

}  // namespace xgrad::detail
