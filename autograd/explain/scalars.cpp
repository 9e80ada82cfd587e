// Finds the single numbers between a loss and a parameter, and the paths with the largest products.
#include <algorithm>
#include <autograd/backward/sweep.hpp>
#include <autograd/explain/scalars.hpp>
#include <autograd/ops.hpp>
#include <autograd/picture/graph.hpp>
#include <autograd/primitive.hpp>
#include <autograd/support/index.hpp>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

namespace xgrad::detail {
namespace {

constexpr std::int64_t most_rows = 200000, most_numbers = 1000000000;

/// d y[element] / d input for all elements of the input: one rule, called with a one at that element.
Tensor row_of(Node& node, const Edge& edge, std::int64_t element) {
  const NoGrad guard;
  const Tensor g = zeros(node.shape(), {.dtype = node.dtype});
  Number(1).store(node.dtype,
                  static_cast<std::byte*>(g.array().data()) + static_cast<std::size_t>(element) * size_of(node.dtype));
  return apply_rule(node, edge, g, node.output);
}

}  // namespace

/// The nodes on ways from the loss to the leaf, newest first.
void ScalarGraph::find_nodes(Node* loss, const Node* leaf) {
  std::vector<Node*> all{loss};
  std::unordered_set<const Node*> seen{loss};
  for (std::size_t i = 0; i < all.size(); ++i) {
    Node* const node = all[i];
    for (std::uint32_t k = 0; k < node->edge_count; ++k) {
      Node* const input = node->edges()[k].input.get();
      if (seen.insert(input).second) all.push_back(input);
    }
  }
  std::sort(all.begin(), all.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
  std::unordered_set<const Node*> leads{leaf};
  for (Node* const node : all) {
    bool on = node == leaf;
    for (std::uint32_t k = 0; k < node->edge_count; ++k) on |= leads.contains(node->edges()[k].input.get());
    if (!on) continue;
    leads.insert(node);
    nodes.push_back({node});
  }
  std::reverse(nodes.begin(), nodes.end());
}

ScalarGraph::ScalarGraph(const Tensor& loss, const std::vector<const TracedOp*>& ops, const Tensor& leaf,
                         std::int64_t element, const void* moves, Asks asks, const OpScope& scope) {
  find_nodes(loss.node().get(), leaf.node().get());
  std::unordered_map<const Node*, int> index;
  for (std::size_t i = 0; i < nodes.size(); ++i) index[nodes[i].node] = static_cast<int>(i);
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const Tensor& output = ops[i]->output;
    if (!output.requires_grad()) continue;
    if (const auto it = index.find(output.node().get()); it != index.end())
      nodes[at(it->second)].op = static_cast<int>(i);
  }

  std::vector<std::vector<int>> found(nodes.size());  // scalars of each node
  std::vector<std::unordered_map<std::int64_t, int>> scalar_of(nodes.size());
  const auto scalar = [&](int node, std::int64_t e) {
    const auto [it, fresh] = scalar_of[at(node)].try_emplace(e, static_cast<int>(scalars.size()));
    if (fresh) {
      found[at(node)].push_back(it->second);
      scalars.push_back({node, e, {}});
    }
    return it->second;
  };
  if (nodes.empty() || nodes[0].node != loss.node().get()) return;
  scalar(0, 0);
  std::int64_t rows = 0, numbers = 0;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    Node& node = *nodes[n].node;
    for (const int s : std::vector<int>(found[n])) {
      for (std::uint32_t k = 0; k < node.edge_count; ++k) {
        const Edge& edge = node.edges()[k];
        const auto input = index.find(edge.input.get());
        if (input == index.end()) continue;
        const int to = input->second;
        numbers += node.shape().size() + edge.input->shape().size();
        if (++rows > most_rows || numbers > most_numbers)
          scope.fail<ValueError>("too many single numbers lie between the loss and the parameter of shape ",
                                 leaf.shape(), "; explain a smaller network, or a batch of a few examples");
        const Tensor row = row_of(node, edge, scalars[at(s)].element);
        if (!row.defined()) continue;
        const std::vector<double> local = numbers_of(row);
        for (std::size_t e = 0; e < local.size(); ++e) {
          const auto from = static_cast<std::int64_t>(e);
          if (local[e] == 0) continue;
          const bool is_leaf = nodes[at(to)].node == leaf.node().get();
          if (is_leaf ? from != element : nodes[at(to)].op >= 0 && !asks(moves, nodes[at(to)].op, from)) continue;
          scalars[at(s)].arcs.push_back(static_cast<int>(arcs.size()));
          arcs.push_back({s, scalar(to, from), static_cast<int>(edge.argument), local[e]});
        }
      }
    }
  }
  // Scalars were numbered as they were found; a node's are all known before it is visited, so going through the nodes
  // in order meets every arc after those that arrive at its output.
  scalars[0].gradient = 1;
  for (const std::vector<int>& of_node : found) {
    for (const int s : of_node) {
      for (const int a : scalars[at(s)].arcs) {
        Scalar& input = scalars[at(arcs[at(a)].input)];
        input.gradient += scalars[at(s)].gradient * arcs[at(a)].local;
        ++input.consumers;
      }
    }
  }
  if (!found.back().empty()) parameter = found.back()[0];
  if (parameter < 0) return;
  scalars[at(parameter)].paths = 1;
  for (std::size_t n = nodes.size(); n-- > 0;) {
    for (const int s : found[n])
      for (const int a : scalars[at(s)].arcs) scalars[at(s)].paths += scalars[at(arcs[at(a)].input)].paths;
    order_.insert(order_.end(), found[n].begin(), found[n].end());
  }
}

std::vector<ScalarPath> ScalarGraph::largest(int count) const {
  // The best ways on from each scalar, of those that are the best ways on from its inputs.
  struct Way {
    double product;
    int arc, rank;  // the first step, and which of its input's ways follows
  };
  const auto larger = [](const Way& a, const Way& b) {
    const auto size = [](double p) { return std::isnan(p) ? INFINITY : std::fabs(p); };
    return size(a.product) > size(b.product);
  };
  std::vector<std::vector<Way>> ways(scalars.size());
  if (parameter < 0) return {};
  for (const int s : order_) {
    std::vector<Way>& best = ways[at(s)];
    if (s == parameter) best.push_back({1, -1, 0});
    for (const int a : scalars[at(s)].arcs) {
      const std::vector<Way>& on = ways[at(arcs[at(a)].input)];
      for (std::size_t r = 0; r < on.size(); ++r)
        best.push_back({arcs[at(a)].local * on[r].product, a, static_cast<int>(r)});
    }
    std::stable_sort(best.begin(), best.end(), larger);
    if (best.size() > at(count)) best.resize(at(count));
  }
  std::vector<ScalarPath> paths;
  for (const Way& first : ways[0]) {
    ScalarPath path;
    for (Way way = first; way.arc >= 0;) {
      path.arcs.push_back(way.arc);
      path.product *= arcs[at(way.arc)].local;
      way = ways[at(arcs[at(way.arc)].input)][at(way.rank)];
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace xgrad::detail
