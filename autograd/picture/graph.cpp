// Decides what the picture of a graph shows: its nodes with their words, edges with their gradients, and notes.
#include <algorithm>
#include <autograd/backward/sweep.hpp>
#include <autograd/core/row_gradient.hpp>
#include <autograd/ops.hpp>
#include <autograd/picture/boxes.hpp>
#include <autograd/support/index.hpp>
#include <autograd/support/markup.hpp>
#include <cmath>
#include <unordered_map>

namespace xgrad::detail {
namespace {

using Kind = Picture::Kind;
/// What a pass sends along edges and leaves at leaves.
struct Gradients : Observer {
  std::unordered_map<const Edge*, Tensor> along;
  std::unordered_map<const Node*, Tensor> at_leaf;
  void vjp_ends(const Node&, const Edge& edge, Tensor& result) override {
    if (const auto it = along.find(&edge); it != along.end()) it->second = result;
  }
};

/// Which node of the picture stands for each item; -1 for one that is not drawn.
struct Drawn {
  std::vector<int> node;
  int count = 0, left_out = 0;
  bool folded = false;
};

int outermost_box(const Boxes& boxes, int item) {
  int box = boxes.of_item[at(item)];
  while (box >= 0 && boxes.boxes[at(box)].parent >= 0) box = boxes.boxes[at(box)].parent;
  return box;
}

Drawn choose(const History& history, const Boxes& boxes, int most) {
  Drawn drawn{std::vector<int>(history.items.size(), -1)};
  drawn.folded = static_cast<int>(history.order.size()) > most;
  std::vector<int> of_box(boxes.boxes.size(), -1);
  for (const int i : history.order) {
    const int box = outermost_box(boxes, i);
    if (drawn.folded && box >= 0) {
      if (of_box[at(box)] < 0) of_box[at(box)] = drawn.count++;
      drawn.node[at(i)] = of_box[at(box)];
    } else {
      drawn.node[at(i)] = drawn.count++;
    }
  }
  if (drawn.count <= most) return drawn;
  // The oldest as one.
  drawn.left_out = drawn.count - most;
  for (int& n : drawn.node) n = std::max(n - drawn.left_out, -1) + 1;
  drawn.count = most + 1;
  return drawn;
}

class Describing {
 public:
  Describing(const History& history, const Names& names, const Gradients& gradients)
      : h_(history), names_(names), gradients_(gradients) {}

  Picture::Node node_of(const History::Item& item) const {
    if (item.before >= 0) return earlier(item);
    Picture::Node result;
    const TracedOp* const op = h_.traced(item);
    const Node* const node = item.node;
    const Tensor named = names_.value_of(node), value = named.defined() ? named : item.value;
    if (item.is_op()) {
      result.kind = node ? Kind::op : Kind::constant_op;
      result.title = op ? call_of(*op) : node->name;
      const Place place = op ? op->place : node->place();
      if (place.file) result.tip = text(place.file, ":", place.line);
      if (op && !op->path.empty()) result.tip += text("\nin ", op->path);
    } else {
      const std::string* const name = names_.of(node, value);
      result.kind = node ? Kind::parameter : Kind::constant;
      result.title = name ? *name : node ? "leaf" : "constant";
    }
    result.lines.push_back(value.defined() ? text(value.shape(), " ", name_of(value.dtype()))
                                           : text(node->shape(), " ", name_of(node->dtype)));
    if (value.defined()) result.lines.push_back(in_short(value));
    if (const auto g = gradients_.at_leaf.find(node); g != gradients_.at_leaf.end())
      result.lines.push_back(text("gradient ", in_short(g->second)));
    return result;
  }

 private:
  /// What a step of a repeat takes from the one before.
  Picture::Node earlier(const History::Item& item) const {
    Picture::Node result = node_of(h_.items[at(item.before)]);
    result.kind = Kind::reference;
    result.title = "↑ " + result.title;
    result.lines = {item.steps_back == 1 ? "of the step before" : text("of ", item.steps_back, " steps before")};
    if (item.value.defined()) result.lines.push_back(in_short(item.value));
    return result;
  }

  /// "multiply", or "multiply(2, ·)" with a number.
  static std::string call_of(const TracedOp& op) {
    std::string arguments;
    bool number = false;
    for (const TracedOp::Argument& a : op.inputs) {
      number |= !a.tensor.defined();
      arguments += text(arguments.empty() ? "" : ", ", a.tensor.defined() ? "·" : brief(a.number.real()));
    }
    return number ? text(op.name, "(", arguments, ")") : op.name;
  }

  const History& h_;
  const Names& names_;
  const Gradients& gradients_;
};

void find_gradients(const Tensor& y, Gradients& gradients, std::vector<std::string>& notes) {
  try {
    const Observing observing(gradients);
    Sweep sweep(false, true);
    sweep.start(y.node(), ones(y.shape(), {.dtype = y.dtype()}));
    sweep.run();
    for (const Sweep::Leaf& leaf : sweep.leaves) gradients.at_leaf[leaf.node.get()] = detail::as_dense(leaf.g);
    if (y.size() != 1) notes.emplace_back("Gradients are those of the sum of the result's elements.");
  } catch (const Error& error) {
    notes.push_back(text("No gradients: ", error.what()));
  }
}

void check(const Tensor& y, const Trace* trace, const OpScope& scope) {
  if (!y.defined()) scope.fail<ValueError>("the tensor to draw is undefined (default-built)");
  if (trace && trace->maker_of(y) >= 0) return;
  if (!y.requires_grad() || y.is_leaf())
    scope.fail<GraphError>("no op is known that made the tensor of shape ", y.shape(),
                           y.requires_grad() ? ", which is a leaf" : ", which does not require a gradient",
                           "; hand over a function that computes it, or a trace of the program");
  if (y.node()->edge_count == 0)
    scope.fail<GraphError>("the graph of ", y.node()->name,
                           " was freed by a backward pass; draw before that, or pass {.retain_graph = true} to it");
}

/// An edge past very many nodes would be lost among them, and cost a piece on every layer: where it ends, a small node
/// stands for the one that it comes from.
void shorten(Picture& picture) {
  constexpr int furthest = 60;
  for (Picture::Edge& edge : picture.edges) {
    if (edge.to - edge.from <= furthest) continue;
    const Picture::Node& from = picture.nodes[at(edge.from)];
    Picture::Node reference{Kind::reference, "↑ " + from.title, from.lines, from.tip};
    std::erase_if(reference.lines, [](const std::string& line) { return line.starts_with("gradient "); });
    reference.box = picture.nodes[at(edge.to)].box;
    edge.from = static_cast<int>(picture.nodes.size());
    picture.nodes.push_back(std::move(reference));
  }
}

}  // namespace

std::vector<double> numbers_of(const Tensor& t) {
  const Tensor d = t.detach().to(f64);
  return {d.data<double>(), d.data<double>() + d.size()};
}

std::string in_short(const Tensor& t) {
  if (!t.defined()) return "0";
  const std::vector<double> x = numbers_of(t);
  if (x.empty()) return "empty";
  if (x.size() == 1) return brief(x[0]);
  if (x.size() <= 4) {
    std::string all;
    for (const double v : x) all += text(all.empty() ? "[" : ", ", brief(v, 3));
    return all + "]";
  }
  double low = INFINITY, high = -INFINITY;
  std::size_t nan = 0;
  for (const double v : x) {
    low = std::fmin(low, v);
    high = std::fmax(high, v);
    nan += std::isnan(v);
  }
  if (nan == x.size()) return "all nan";
  const std::string range = low == high ? text("all ", brief(low)) : text(brief(low, 3), " … ", brief(high, 3));
  return nan == 0 ? range : text(range, ", ", nan, " nan");
}

Picture picture_of(const Tensor& y, const PictureOptions& options, const OpScope& scope) {
  check(y, options.trace, scope);
  if (options.max_nodes < 1) scope.fail<ValueError>("max_nodes is ", options.max_nodes, "; expected at least 1");
  const Observing::Unobserved quiet;
  History history(y, options.trace);
  const std::size_t whole = history.order.size();
  if (!options.unfold) fold_repeats(history);
  const Names names(options.names);
  Boxes boxes = find_boxes(history, names);
  const Drawn drawn = choose(history, boxes, options.max_nodes);

  Picture picture;
  Gradients gradients;
  for (const History::Link& link : history.links)
    if (link.edge && drawn.node[at(link.to)] != drawn.node[at(link.from)]) gradients.along[link.edge];
  if (options.gradients && y.requires_grad()) find_gradients(y, gradients, picture.notes);

  const Describing describing(history, names, gradients);
  picture.nodes.resize(at(drawn.count));
  std::vector<int> held(picture.nodes.size());
  for (const int i : history.order) ++held[at(drawn.node[at(i)])];
  for (const int i : history.order) {
    const int n = drawn.node[at(i)], box = outermost_box(boxes, i);
    const History::Item& item = history.items[at(i)];
    Picture::Node& node = picture.nodes[at(n)];
    if (n == 0 && drawn.left_out > 0) {
      node = {Kind::folded, text(held[0], " earlier nodes"), {"not drawn"}, {}};
    } else if (drawn.folded && box >= 0) {
      node = {Kind::folded, boxes.boxes[at(box)].title, {text(held[at(n)], held[at(n)] == 1 ? " node" : " nodes")}, {}};
      if (item.value.defined()) node.lines.push_back(in_short(item.value));
    } else {
      node = describing.node_of(item);
      node.box = boxes.of_item[at(i)];
    }
  }
  picture.nodes[at(drawn.node[at(history.order.back())])].is_result = true;
  if (!history.repeats.empty())
    picture.notes.push_back("Steps that ran alike are drawn once, with the numbers of the last.");
  if (drawn.folded) picture.notes.push_back(text("A graph of ", whole, " nodes; modules are folded."));
  if (!drawn.folded) picture.boxes = std::move(boxes.boxes);

  std::unordered_map<std::uint64_t, std::size_t> merged;
  for (const History::Link& link : history.links) {
    const int from = drawn.node[at(link.from)], to = drawn.node[at(link.to)];
    if (from == to) continue;
    std::string g;
    if (const auto it = gradients.along.find(link.edge); it != gradients.along.end() && it->second.defined())
      g = in_short(it->second);
    if (drawn.folded) {
      const auto key = static_cast<std::uint64_t>(from) << 32 | static_cast<std::uint64_t>(to);
      const auto [it, fresh] = merged.try_emplace(key, picture.edges.size());
      if (!fresh) {
        picture.edges[it->second].gradient.clear();
        continue;
      }
    }
    if (link.note == std::string_view(met))
      picture.notes.push_back(text("The ", picture.nodes[at(from)].title,
                                   " and its loss are computed as one: its gradient is part of the loss's own."));
    picture.edges.push_back({from, to, g, link.edge != nullptr, link.note});
  }
  shorten(picture);
  return picture;
}

}  // namespace xgrad::detail
