#pragma once
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

namespace xgrad {

struct GradOptions {
  bool create_graph = false;
  bool allow_unused = false;     // an input that y does not depend on gives an undefined tensor instead of an error
  bool retain_graph = false;     // implied by create_graph
  bool zeros_if_unused = false;  // such an input gives zeros; implies allow_unused
};

/// The gradients dy/d(input) for each input, of that input's shape, in the inputs' order; adds nothing to anyone's
/// grad(). y must hold one element, unless `cotangent` of y's shape is given, which then gives the vjp cotangent^T
/// dy/d(input). Throws GraphError if an input requires no gradient or y does not depend on it, or if the graph was used
/// before.
std::vector<Tensor> grad(const Tensor& y, const std::vector<Tensor>& inputs, GradOptions options = {},
                         Place place = Place::here());
std::vector<Tensor> grad(const Tensor& y, const std::vector<Tensor>& inputs, const Tensor& cotangent,
                         GradOptions options = {}, Place place = Place::here());
/// The same for several outputs at once, in one pass: the sum over k of cotangents[k]^T dys[k]/d(input).
std::vector<Tensor> grad(const std::vector<Tensor>& ys, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& cotangents, GradOptions options = {}, Place place = Place::here());

/// Tensor::backward for several roots at once; a root given twice counts twice. An undefined cotangent, or none for a
/// root, stands for a one and needs a root of one element.
void backward(const std::vector<Tensor>& roots, const std::vector<Tensor>& cotangents = {},
              BackwardOptions options = {}, Place place = Place::here());

}  // namespace xgrad
#pragma GCC visibility pop
