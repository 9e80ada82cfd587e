// Writes the picture of a graph in the language of Graphviz.
#include <autograd/picture/graph.hpp>

namespace xgrad {
namespace {

using detail::Picture;

/// Between double quotes, where \n starts a new line.
std::string in_quotes(std::string_view words) {
  std::string out = "\"";
  for (const char c : words) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

const char* look_of(Picture::Kind kind) {
  switch (kind) {
    case Picture::Kind::op:
      return "style=filled fillcolor=white";
    case Picture::Kind::constant_op:
      return "style=dashed";
    case Picture::Kind::parameter:
      return "style=\"filled,rounded\" fillcolor=\"#e6f4ea\"";
    case Picture::Kind::constant:
      return "style=\"filled,rounded\" fillcolor=\"#e8f0fb\"";
    case Picture::Kind::reference:
      return "style=dotted";
    case Picture::Kind::folded:
      break;
  }
  return "style=filled fillcolor=\"#f3eefb\"";
}

std::string statement(const Picture::Node& node, std::size_t index) {
  std::string label = node.title;
  for (const std::string& line : node.lines) label += text("\n", line);
  return text("  n", index, " [label=", in_quotes(label), " tooltip=", in_quotes(node.tip), " ", look_of(node.kind),
              node.is_result ? " color=\"#d4602a\" penwidth=2" : "", "];\n");
}

/// The boxes and nodes that lie directly in a box; -1: in none.
std::string contents(const Picture& picture, int box) {
  std::string dot;
  for (std::size_t b = 0; b < picture.boxes.size(); ++b) {
    if (picture.boxes[b].parent != box) continue;
    dot += text("  subgraph cluster_", b, " {\n  label=", in_quotes(picture.boxes[b].title), ";\n",
                contents(picture, static_cast<int>(b)), "  }\n");
  }
  for (std::size_t n = 0; n < picture.nodes.size(); ++n)
    if (picture.nodes[n].box == box) dot += statement(picture.nodes[n], n);
  return dot;
}

}  // namespace

std::string to_dot(const Tensor& y, const PictureOptions& options, Place place) {
  const OpScope scope("to_dot", place);
  const Picture picture = detail::picture_of(y, options, scope);
  std::string dot =
      "digraph {\n  node [shape=box fontname=\"sans-serif\" fontsize=11];\n"
      "  edge [fontname=\"sans-serif\" fontsize=9 fontcolor=\"#b4401a\"];\n";
  std::string notes;
  for (const std::string& note : picture.notes) notes += text(notes.empty() ? "" : "\n", note);
  if (!notes.empty()) dot += text("  label=", in_quotes(notes), ";\n");
  dot += contents(picture, -1);
  for (const Picture::Edge& e : picture.edges)
    dot += text("  n", e.from, " -> n", e.to, " [label=", in_quotes(e.note.empty() ? e.gradient : e.note),
                e.flows ? "" : " style=dashed", "];\n");
  return dot + "}\n";
}

std::string to_dot(detail::Program program, PictureOptions options, Place place) {
  Trace trace;
  const Tensor y = program();
  options.trace = &trace;
  return to_dot(y, options, place);
}

}  // namespace xgrad
