#pragma once
#include <autograd/picture.hpp>
#include <autograd/trace.hpp>

/// What the picture of a graph shows, whatever language it is written in.
namespace xgrad::detail {

/// What a picture shows, before anything has a place. Nodes stand in topological order, but for
/// references to earlier ones, which stand at the end.
struct Picture {
  enum class Kind { op, constant_op, parameter, constant, folded, reference };
  struct Node {
    Kind kind;
    std::string title;
    std::vector<std::string> lines;  // shape and dtype, value, gradient
    std::string tip;                 // what a mouse that rests there is told
    int box = -1;
    bool is_result = false;
  };
  struct Edge {
    int from, to;
    std::string gradient;  // what backward sends along it; empty if unknown
    bool flows;            // whether backward sends a gradient along it
    std::string note;      // "detached"
  };
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  struct Box {
    std::string title;
    int parent = -1;  // the box that it lies in, which stands before it
  };
  std::vector<Box> boxes;
  std::vector<std::string> notes;  // about the whole
};

Picture picture_of(const Tensor& y, const PictureOptions& options, const OpScope& scope);

/// The elements as doubles. To be called while nobody observes.
std::vector<double> numbers_of(const Tensor& t);
/// "0.6931", "[1, 2, 3]", or "-1.2 … 3.4" for many.
std::string in_short(const Tensor& t);

}  // namespace xgrad::detail
