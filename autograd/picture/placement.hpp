#pragma once
#include <autograd/picture/graph.hpp>
#include <autograd/picture/layout.hpp>

/// Gives every part of a picture its place. The inside of each box is placed first, with a port on its edge for every
/// line that crosses it; then the box is a node of what lies around it.
namespace xgrad::detail {

// In units of the picture, which are pixels where it is shown at its own size.
constexpr double title_height = 18, line_height = 15;

/// About how wide a text is; a character may be several bytes.
double width_of(std::string_view words, double per_character);

class Placement {
 public:
  struct Rectangle {
    double x, y, width, height;
  };
  std::vector<LayoutNode> nodes;  // their sizes and centres
  std::vector<Rectangle> boxes;
  std::vector<Point> titles;               // of the boxes: where the text starts, on its base line
  std::vector<std::vector<Point>> routes;  // of the edges
  std::vector<Point> labels;               // of the edges that have one
  double width, height;

  explicit Placement(const Picture& picture);

 private:
  /// Where an edge crosses the edge of a box: its pieces in the layouts inside and around.
  struct Crossing {
    int inner, outer;
    bool enters;
  };
  /// A box from inside; the last one is the whole picture.
  struct Inside {
    Layout layout;
    double left = 0;      // of the layout in the box
    double title_at = 0;  // of the title in the box
    std::vector<Crossing> crossings;
    Point origin = {0, 0};  // of the layout, in the picture
  };
  struct Piece {
    std::size_t inside;
    int edge;  // of its layout
  };

  std::size_t inside_of(int box) const { return box < 0 ? insides_.size() - 1 : static_cast<std::size_t>(box); }
  LayoutNode& node_of(std::size_t box) {
    return insides_[inside_of(picture_.boxes[box].parent)].layout.nodes[static_cast<std::size_t>(box_index_[box])];
  }
  void add_nodes();
  void add_edges();
  void place(std::size_t box);
  double room_for_title(std::size_t box);
  void assemble();

  const Picture& picture_;
  std::vector<Inside> insides_;
  std::vector<int> node_index_, box_index_;  // in the layout that they are a node of
  std::vector<std::vector<Piece>> pieces_;   // of each edge, from its start
};

}  // namespace xgrad::detail
