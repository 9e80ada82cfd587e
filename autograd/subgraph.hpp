#pragma once
#include <autograd/node.hpp>

/// Parts of a graph: what a function recorded between its inputs and its results.
namespace xgrad::detail {

/// The same numbers as a new tensor that depends on x.
Tensor alias(const Tensor& x);
/// A constant of the same numbers, or a leaf that requires a gradient; shares storage.
Tensor own_leaf(const Tensor& x, bool requires_grad);
/// A number as Node::id: what the thread records from now on has higher ones.
std::uint64_t moment();
/// The edges from nodes behind `ys` that were recorded after the moment `since` to older ones.
std::vector<Edge*> edges_before(const std::vector<Tensor>& ys, std::uint64_t since);

}  // namespace xgrad::detail
