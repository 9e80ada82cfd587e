#include <algorithm>
#include <autograd/backward/sweep.hpp>
#include <autograd/markup.hpp>
#include <autograd/node.hpp>
#include <autograd/ops.hpp>
#include <autograd/picture/graph.hpp>
#include <cmath>
#include <queue>
#include <unordered_map>

namespace xgrad::detail {
namespace {

using Kind = Picture::Kind;
std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// Anything that a graph is made of: an op, recorded or only traced, or a tensor that no op made.
struct Item {
  Node* node = nullptr;
  int op = -1;        // in the trace
  Tensor value = {};  // if known
  int box = -1;
  bool is_op() const { return op >= 0 || (node && !node->is_leaf); }
};
struct Link {
  int from, to;
  const Edge* edge;  // null if no gradient flows
  bool cut;
};

/// Everything that a tensor was computed from.
class Graph {
 public:
  std::vector<Item> items;
  std::vector<Link> links;
  std::vector<int> order;          // items, each after what it was computed from
  std::vector<std::string> boxes;  // modules, one for each run of ops inside the same

  Graph(const Tensor& y, const Trace* trace) : trace_(trace) {
    if (trace) {
      for (std::size_t i = 0; i < trace->ops().size(); ++i) {
        const Tensor& output = trace->ops()[i].output;
        if (output.requires_grad()) op_of_[output.node().get()] = static_cast<int>(i);
      }
    }
    item_of(y, trace ? trace->maker_of(y) : -1);
    for (std::size_t next = 0; next < items.size(); ++next) connect(static_cast<int>(next));
    sort();
    find_boxes();
  }
  const TracedOp* traced(const Item& item) const { return item.op < 0 ? nullptr : &trace_->ops()[at(item.op)]; }

 private:
  int item_of(Node* node) {
    const auto [it, fresh] = by_node_.try_emplace(node, static_cast<int>(items.size()));
    if (!fresh) return it->second;
    Item item{.node = node};
    if (const auto op = op_of_.find(node); op != op_of_.end()) item.op = op->second;
    item.value = item.op >= 0 ? traced(item)->output : node->output;
    items.push_back(std::move(item));
    return it->second;
  }
  int item_of(const Tensor& t, int from) {
    int index;
    if (t.requires_grad()) {
      index = item_of(t.node().get());
    } else {
      const void* const key = from >= 0 ? static_cast<const void*>(&trace_->ops()[at(from)]) : t.array().data();
      const auto [it, fresh] = by_key_.try_emplace(key, static_cast<int>(items.size()));
      index = it->second;
      if (fresh) items.push_back({.op = from});
    }
    items[at(index)].value = t;
    return index;
  }

  void connect(int to) {
    Node* const node = items[at(to)].node;
    if (const TracedOp* const op = traced(items[at(to)])) {
      for (std::size_t i = 0; i < op->inputs.size(); ++i) {
        const TracedOp::Argument& argument = op->inputs[i];
        if (!argument.tensor.defined()) continue;
        const Edge* edge = nullptr;
        for (std::uint32_t k = 0; node && k < node->edge_count; ++k)
          if (node->edges()[k].argument == i) edge = &node->edges()[k];
        links.push_back({item_of(argument.tensor, argument.from), to, edge, argument.cut});
      }
    } else if (node) {
      for (std::uint32_t k = 0; k < node->edge_count; ++k)
        links.push_back({item_of(node->edges()[k].input.get()), to, &node->edges()[k], false});
    }
  }

  /// In the order in which the program ran, as far as a trace knows it; a tensor that no op made stands before the
  /// first op that takes it.
  void sort() {
    std::vector<int> waits_for(items.size());
    std::vector<std::vector<int>> inputs(items.size()), users(items.size());
    for (const Link& link : links) {
      inputs[at(link.to)].push_back(link.from);
      users[at(link.from)].push_back(link.to);
      waits_for[at(link.to)] += items[at(link.from)].is_op();
    }
    const auto later = [&](int a, int b) {
      const Item &x = items[at(a)], &y = items[at(b)];
      if (x.op != y.op) return x.op > y.op;
      return x.node && y.node && x.node->id != y.node->id ? x.node->id > y.node->id : a > b;
    };
    std::priority_queue<int, std::vector<int>, decltype(later)> ready(later);
    for (std::size_t i = 0; i < items.size(); ++i)
      if (items[i].is_op() && waits_for[i] == 0) ready.push(static_cast<int>(i));
    std::vector<bool> placed(items.size());
    while (!ready.empty()) {
      const int i = ready.top();
      ready.pop();
      for (const int input : inputs[at(i)]) {
        if (!placed[at(input)]) order.push_back(input);
        placed[at(input)] = true;
      }
      order.push_back(i);
      placed[at(i)] = true;
      for (const int user : users[at(i)])
        if (--waits_for[at(user)] == 0) ready.push(user);
    }
  }

  /// A parameter that only one module uses belongs to it.
  void find_boxes() {
    std::string before;
    for (const int i : order) {
      const TracedOp* const op = traced(items[at(i)]);
      if (!items[at(i)].is_op()) continue;
      const std::string path = op ? op->path : "";
      if (path != before && !path.empty()) boxes.push_back(path);
      if (!path.empty()) items[at(i)].box = static_cast<int>(boxes.size()) - 1;
      before = path;
    }
    std::vector<int> users(items.size(), -2);
    for (const Link& link : links) {
      const int box = items[at(link.to)].box;
      int& only = users[at(link.from)];
      only = only == -2 || only == box ? box : -1;
    }
    for (std::size_t i = 0; i < items.size(); ++i)
      if (!items[i].is_op() && items[i].node) items[i].box = std::max(users[i], -1);
  }

  const Trace* trace_;
  std::unordered_map<const Node*, int> op_of_, by_node_;
  std::unordered_map<const void*, int> by_key_;
};

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

Drawn choose(const Graph& graph, int most) {
  Drawn drawn{std::vector<int>(graph.items.size(), -1)};
  drawn.folded = static_cast<int>(graph.order.size()) > most;
  std::vector<int> of_box(graph.boxes.size(), -1);
  for (const int i : graph.order) {
    const int box = graph.items[at(i)].box;
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
  Describing(const Graph& graph, const PictureOptions& options) : graph_(graph) {
    for (const auto& [name, t] : options.names) {
      if (!t.defined()) continue;
      if (t.requires_grad()) values_[t.node().get()] = t;
      names_[t.requires_grad() ? static_cast<const void*>(t.node().get()) : t.array().data()] = name;
    }
  }

  Picture::Node node_of(const Item& item, const Gradients& gradients) const {
    Picture::Node result;
    const TracedOp* const op = graph_.traced(item);
    const Node* const node = item.node;
    Tensor value = item.value;
    if (const auto it = values_.find(node); it != values_.end()) value = it->second;
    const auto name = names_.find(node ? static_cast<const void*>(node) : value.array().data());
    if (item.is_op()) {
      result.kind = node ? Kind::op : Kind::constant_op;
      result.title = op ? call_of(*op) : node->name;
      const Place place = op ? op->place : node->place();
      if (place.file) result.tip = text(place.file, ":", place.line);
      if (op && !op->path.empty()) result.tip += text("\nin ", op->path);
    } else {
      result.kind = node ? Kind::parameter : Kind::constant;
      result.title = name != names_.end() ? name->second : node ? "leaf" : "constant";
    }
    result.box = item.box;
    result.lines.push_back(value.defined() ? text(value.shape(), " ", name_of(value.dtype()))
                                           : text(node->shape(), " ", name_of(node->dtype)));
    if (value.defined()) result.lines.push_back(in_short(value));
    if (const auto g = gradients.at_leaf.find(node); g != gradients.at_leaf.end())
      result.lines.push_back(text("gradient ", in_short(g->second)));
    return result;
  }

 private:
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

  const Graph& graph_;
  std::unordered_map<const void*, std::string> names_;
  std::unordered_map<const Node*, Tensor> values_;
};

void find_gradients(const Tensor& y, Gradients& gradients, std::vector<std::string>& notes) {
  try {
    const Observing observing(gradients);
    Sweep sweep(false, true);
    sweep.start(y.node(), ones(y.shape(), {.dtype = y.dtype()}));
    sweep.run();
    for (const Sweep::Leaf& leaf : sweep.leaves) gradients.at_leaf[leaf.node.get()] = leaf.g;
    if (y.size() != 1) notes.push_back("Gradients are those of the sum of the result's elements.");
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
  const Graph graph(y, options.trace);
  const Drawn drawn = choose(graph, options.max_nodes);

  Picture picture;
  Gradients gradients;
  for (const Link& link : graph.links)
    if (link.edge && drawn.node[at(link.to)] != drawn.node[at(link.from)]) gradients.along[link.edge];
  if (options.gradients && y.requires_grad()) find_gradients(y, gradients, picture.notes);

  const Describing describing(graph, options);
  picture.nodes.resize(at(drawn.count));
  std::vector<int> held(picture.nodes.size());
  for (const int i : graph.order) ++held[at(drawn.node[at(i)])];
  for (const int i : graph.order) {
    const int n = drawn.node[at(i)];
    const Item& item = graph.items[at(i)];
    Picture::Node& node = picture.nodes[at(n)];
    if (n == 0 && drawn.left_out > 0) {
      node = {Kind::folded, text(held[0], " earlier nodes"), {"not drawn"}, {}};
    } else if (drawn.folded && item.box >= 0) {
      node = {Kind::folded, graph.boxes[at(item.box)], {text(held[at(n)], held[at(n)] == 1 ? " node" : " nodes")}, {}};
      if (item.value.defined()) node.lines.push_back(in_short(item.value));
    } else {
      node = describing.node_of(item, gradients);
    }
  }
  picture.nodes[at(drawn.node[at(graph.order.back())])].is_result = true;
  if (drawn.folded) picture.notes.push_back(text("A graph of ", graph.order.size(), " nodes; modules are folded."));
  if (!drawn.folded) picture.boxes = graph.boxes;

  std::unordered_map<std::uint64_t, std::size_t> merged;
  for (const Link& link : graph.links) {
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
    picture.edges.push_back({from, to, g, link.edge != nullptr, link.cut ? "detached" : ""});
  }
  shorten(picture);
  return picture;
}

}  // namespace xgrad::detail
