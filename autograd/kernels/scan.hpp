#pragma once
#include <autograd/dtype.hpp>
#include <autograd/kernels/loop.hpp>

/// Kernels whose elements follow from the one before. Arrays are (outer, count, inner) around the axis; y may be x.
namespace xgrad::kernels {

/// Running sums and products along the axis, in double for f32; `reverse` runs from the end, `exclusive` leaves out
/// the element itself.
void cumsum(Dtype, const void* x, void* y, Size outer, Size count, Size inner, bool reverse);
void cumprod(Dtype, const void* x, void* y, Size outer, Size count, Size inner, bool reverse, bool exclusive);
/// The linear recurrence y[k] = b[k-1] + x[k-1] y[k-1] along the axis from y[0] = 0, held in double; `reverse` runs
/// from the end, with k+1 for k-1. f32 and f64 only.
void recurrence(Dtype, const void* x, const void* b, void* y, Size outer, Size count, Size inner, bool reverse);

}  // namespace xgrad::kernels
