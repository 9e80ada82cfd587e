#pragma once
#include <autograd/kernels/sequences.hpp>
#include <autograd/ops.hpp>

/// What the fused recurrent layers and their form as ops share.
namespace xgrad::detail {

/// The inputs of a recurrent layer, checked and complete: a bias of zeros and a start of zeros where there were none.
struct RecurrentInputs {
  kernels::Recurrent kind;
  Tensor x, w, u, bias, start, cell;  // cell of an LSTM only
  Tensor mask;                        // undefined: none
  bool reversed;

  std::int64_t steps() const { return x.shape()[1]; }
  std::int64_t hidden() const { return u.shape()[0]; }
};

/// The cotangents of x, w, u, bias, start and cell, by ops, which are recorded. `g` is that of the states, `of_cell` of
/// the last cell; one of them may be undefined, for zero.
std::vector<Tensor> recurrent_cotangents(const RecurrentInputs& inputs, const Tensor& g, const Tensor& of_cell);

}  // namespace xgrad::detail
