#pragma once
#include <vector>

/// Where the nodes and edges of a graph without cycles go, by the method of Sugiyama, Tagawa and Toda (1981): each node
/// gets a layer below all that it comes from, edges that cross layers are cut into pieces, layers are ordered by
/// barycenters, and positions within the layers follow by least squares.
namespace xgrad::detail {

struct Point {
  double x, y;
};

struct LayoutNode {
  enum class Rank { free, top, bottom };
  double width, height;
  Rank rank = Rank::free;
  double x = 0, y = 0;  // found: of the centre
};

struct LayoutEdge {
  int from, to;
  double label_width = 0;                     // room for a text just above `to`; 0 for none
  double from_dx = 0, to_dx = 0;              // where it leaves and enters, from the nodes' centres
  bool spread_from = true, spread_to = true;  // whether that is chosen, beside the node's other edges
  std::vector<Point> route = {};              // found: from the bottom of `from` to the top of `to`
  Point label = {0, 0};                       // found: the centre of the text
};

struct Layout {
  std::vector<LayoutNode> nodes;
  std::vector<LayoutEdge> edges;
  double width = 0, height = 0;

  /// Places everything; about O(n log n) in nodes and pieces of edges. The same graph always gives the same picture.
  void run();
};

}  // namespace xgrad::detail
