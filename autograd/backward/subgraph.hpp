#pragma once
#include <autograd/backward.hpp>
#include <autograd/node.hpp>

/// Parts of a graph: what a function recorded between its inputs and its results.
namespace xgrad::detail {

/// The same numbers as a new tensor that depends on x.
Tensor alias(const Tensor& x);
/// A constant of the same numbers, or a leaf that requires a gradient; shares storage.
Tensor own_leaf(const Tensor& x, bool requires_grad);
/// The sum over k of v[k]^T dys[k]/dx; zeros where nothing depends on x. No v: ones.
std::vector<Tensor> pulled(const std::vector<Tensor>& ys, const std::vector<Tensor>& x, const std::vector<Tensor>& v,
                           GradOptions options);
/// The edges from nodes behind `ys` that were recorded at the time `since` or later to older ones. What `tick` returns
/// is such a time (autograd/array.hpp): unlike Node::id it is comparable between threads.
std::vector<Edge*> edges_before(const std::vector<Tensor>& ys, std::uint64_t since);

}  // namespace xgrad::detail
