#pragma once
#include <autograd/node.hpp>
#include <autograd/trace.hpp>
#include <vector>

/// Takes a graph of tensors apart into single numbers, among which the chain rule is a sum over paths.
namespace xgrad::detail {

/// A node between a loss and a parameter.
struct ScalarNode {
  Node* node;
  int op = -1;  // among the outermost ones of the trace
};

/// One number: an element of a node's output.
struct Scalar {
  int node;  // in ScalarGraph::nodes
  std::int64_t element;
  std::vector<int> arcs;  // towards the parameter
  double gradient = 0;    // d loss / d this: the sum over all paths from the loss
  double paths = 0;       // how many lead on to the parameter
  int consumers = 0;      // arcs that arrive from the loss's side
};

/// The derivative of one element of an op's output by one element of an input.
struct Arc {
  int output, input;  // scalars
  int argument;
  double local;
};

struct ScalarPath {
  std::vector<int> arcs;  // from the loss on
  double product = 1;
};

/// The numbers between a loss and one element of a parameter, and the derivatives between them that are not zero: the
/// graph whose paths the chain rule sums over.
class ScalarGraph {
 public:
  std::vector<ScalarNode> nodes;  // newest first: the loss, ..., the parameter
  std::vector<Scalar> scalars;    // in the order of their nodes; the loss first
  std::vector<Arc> arcs;
  int parameter = -1;  // the scalar; -1 if the loss does not depend on it

  /// `moves(op, element)` says whether an element of an op's output can depend on the parameter's.
  template <class Moves>
  ScalarGraph(const Tensor& loss, const std::vector<const TracedOp*>& ops, const Tensor& leaf, std::int64_t element,
              const Moves& moves, const OpScope& scope)
      : ScalarGraph(
            loss, ops, leaf, element, &moves,
            [](const void* f, int op, std::int64_t e) { return (*static_cast<const Moves*>(f))(op, e); }, scope) {}

  /// The paths with the largest products, largest first.
  std::vector<ScalarPath> largest(int count) const;

 private:
  using Asks = bool (*)(const void* f, int op, std::int64_t element);
  ScalarGraph(const Tensor& loss, const std::vector<const TracedOp*>& ops, const Tensor& leaf, std::int64_t element,
              const void* moves, Asks asks, const OpScope& scope);
  void find_nodes(Node* loss, const Node* leaf);

  std::vector<int> order_;  // scalars, the parameter first
};

}  // namespace xgrad::detail
