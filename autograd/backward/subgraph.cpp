#include <autograd/backward/subgraph.hpp>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>
#include <unordered_set>

// Helpers of transforms that differentiate a part of a graph: where it begins, and leaves of its own.
namespace xgrad {

Tensor detail::alias(const Tensor& x) {
  return primitive(
      "alias", {x}, [&] { return Array(x.array()); }, [](const Tensor& g) { return g; });
}

Tensor detail::own_leaf(const Tensor& x, bool requires_grad) {
  Tensor own = x.detach();
  return requires_grad ? own.set_requires_grad(true) : own;
}

std::vector<Tensor> detail::pulled(const std::vector<Tensor>& ys, const std::vector<Tensor>& x,
                                   const std::vector<Tensor>& v, GradOptions options) {
  std::vector<Tensor> roots, cotangents, zero;
  for (std::size_t k = 0; k < ys.size(); ++k) {
    if (!ys[k].requires_grad()) continue;
    roots.push_back(ys[k]);
    if (!v.empty()) cotangents.push_back(v[k]);
  }
  options.zeros_if_unused = true;
  if (!roots.empty()) return grad(roots, x, cotangents, options);
  for (const Tensor& t : x) zero.push_back(zeros(t.shape(), {.dtype = t.dtype()}));
  return zero;
}

std::vector<Edge*> detail::edges_before(const std::vector<Tensor>& ys, std::uint64_t since) {
  std::vector<Edge*> found;
  std::vector<Node*> to_visit;
  std::unordered_set<const Node*> met;
  const auto meet = [&](Node* node) {
    // Only what several refer to can be met twice.
    if (node->references.load(std::memory_order_relaxed) == 1 || met.insert(node).second) to_visit.push_back(node);
  };
  for (const Tensor& y : ys)
    if (y.node() && y.node()->recorded >= since && met.insert(y.node().get()).second)
      to_visit.push_back(y.node().get());
  while (!to_visit.empty()) {
    Node* const node = to_visit.back();
    to_visit.pop_back();
    for (std::uint32_t i = 0; i < node->edge_count; ++i) {
      Edge& edge = node->edges()[i];
      if (edge.input->recorded >= since) {
        meet(edge.input.get());
      } else {
        found.push_back(&edge);
      }
    }
  }
  return found;
}

}  // namespace xgrad
