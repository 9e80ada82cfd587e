#pragma once
#include <autograd/explain/scalars.hpp>
#include <unordered_map>

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

/// The looks of a page and how one walks through it. Without scripts everything stands there at once.
extern const char* const explain_style;
extern const char* const explain_script;

}  // namespace xgrad::detail
