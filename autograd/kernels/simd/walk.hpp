#pragma once
#include <autograd/kernels/loop.hpp>

namespace xgrad::kernels::XGRAD_ISA {

/// Elements that a broadcast operand is repeated for, and that a Row may read of it: no batch is longer.
inline constexpr Size splat_length = 16;

/// Computes n elements of a contiguous output from contiguous operands; an operand whose step is 0 is instead one
/// value repeated `splat_length` times. Short operands, an `in` each: `inputs` of the Row's kernel.
using Row = void (*)(const void* const* in, const bool* step, void* out, Size n);

/// Runs `row` over the output of a loop, whatever the operands' strides. `bytes` are the sizes of an element of each
/// operand and, last, of the output.
void walk(const Loop<2>& loop, const void* const* in, const int* bytes, void* out, Row row);
void walk(const Loop<3>& loop, const void* const* in, const int* bytes, void* out, Row row);

}  // namespace xgrad::kernels::XGRAD_ISA
