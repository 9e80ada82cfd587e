#pragma once
#include <autograd/core/program.hpp>
#include <utility>

#pragma GCC visibility push(default)

/// Pictures of graphs: what a tensor was computed from, what each op gave, and the gradient along every edge.
///
///   write_file_atomically("loss.svg", to_svg([&] { return nn::mse_loss(model(x), t); },
///                                            {.names = model.named_parameters()}));
namespace xgrad {

class Trace;

struct PictureOptions {
  /// What the leaves are called, such as `model.named_parameters()`.
  std::vector<std::pair<std::string, Tensor>> names = {};
  /// A trace (autograd/trace.hpp) of the program that made the tensor. The graph itself knows shapes, dtypes and lines;
  /// values, constants and modules are known from a trace only.
  const Trace* trace = nullptr;
  /// Whether to show gradients: of the tensor, or of the sum of its elements if it has several. Nobody's grad()
  /// changes.
  bool gradients = true;
  /// A larger graph has its modules folded, and is cut to so many of its newest nodes if that does not suffice.
  int max_nodes = 200;
  /// Whether to draw all steps of a loop that ran alike, as those of a recurrent network. Otherwise the last stands for
  /// all, if there are many, in a box that says how many times it ran.
  bool unfold = false;
};

/// The graph behind y as an SVG picture, which any browser shows: inputs above, y below, ops of one module in a box. An
/// edge past very many nodes ends at a small one that names where it comes from.
/// Throws GraphError if y was computed from nothing that requires a gradient and no trace knows it, or if a backward
/// pass has freed its graph.
std::string to_svg(const Tensor& y, const PictureOptions& options = {}, Place place = Place::here());
/// The same for what `program()` returns, under a trace: with all values and modules.
std::string to_svg(detail::Program program, PictureOptions options = {}, Place place = Place::here());

/// The same graph in the language of Graphviz: `dot -Tpdf`.
std::string to_dot(const Tensor& y, const PictureOptions& options = {}, Place place = Place::here());
std::string to_dot(detail::Program program, PictureOptions options = {}, Place place = Place::here());

}  // namespace xgrad
#pragma GCC visibility pop
