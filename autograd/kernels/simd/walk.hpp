#pragma once
#include <autograd/kernels/loop.hpp>

/// How elementwise kernels walk several operands.
namespace xgrad::kernels::XGRAD_ISA {

/// Computes n >= 0 elements of a contiguous output. Each operand in[k] is contiguous too if step[k], else one value.
using Row = void (*)(const void* const* in, const bool* step, void* out, Size n);

/// Runs `row` over the output of a loop, whatever the operands' strides. `bytes` are the sizes of an element of each
/// operand and, last, of the output.
void walk(const Loop<2>& loop, const void* const* in, const int* bytes, void* out, Row row);
void walk(const Loop<3>& loop, const void* const* in, const int* bytes, void* out, Row row);

}  // namespace xgrad::kernels::XGRAD_ISA
