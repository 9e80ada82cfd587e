#pragma once
#include <autograd/factories.hpp>

#pragma GCC visibility push(default)

/// Normalisations, part of ops.hpp, which says what holds for all ops.
namespace xgrad {

// ---- normalisations (ops/normalisation.cpp) ----

/// (x - mean) / sqrt(variance + eps) over the last axes, which must be of shape `normalized`, times weight plus bias of
/// that shape, each where it is defined (Ba, Kiros and Hinton 2016). The variance divides by the count, in two passes
/// with the mean held in double.
Tensor layer_norm(const Operand& x, const Shape& normalized, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);

}  // namespace xgrad
#pragma GCC visibility pop
