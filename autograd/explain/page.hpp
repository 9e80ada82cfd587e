#pragma once
#include <autograd/explain/scalars.hpp>
#include <unordered_map>

/// Writes what `explain` found as one page of HTML, complete in itself.
namespace xgrad::detail {

/// What a page tells.
struct Explanation {
  const ScalarGraph& graph;
  const std::vector<const TracedOp*>& ops;  // of the traced run, the outermost
  const Tensor& parameter;
  std::int64_t element;
  std::string name;  // of the parameter
  std::vector<ScalarPath> paths;
  double loss, gradient, measured, step;
  std::unordered_map<int, double> measured_arcs;     // local derivatives, by arc
  std::unordered_map<int, double> measured_scalars;  // d loss / d scalar
  std::string picture;                               // an SVG, or empty
};

std::string page_of(const Explanation& explanation);

}  // namespace xgrad::detail
