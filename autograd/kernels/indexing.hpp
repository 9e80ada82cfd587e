#pragma once
#include <autograd/kernels/table.hpp>

/// Kernels that move or order elements one by one. Arrays are (outer, count, inner) around the axis; indices have been
/// checked by the caller to lie in range.
namespace xgrad::kernels {

/// to[o, j, i] = from[o, index[j], i]: from is (outer, count, inner), to (outer, picks, inner).
void take(Dtype, const void* from, const Size* index, void* to, Size outer, Size count, Size picks, Size inner);
/// to[o, index[j], i] += from[o, j, i], in the order of j.
void index_add(Dtype, void* to, const Size* index, const void* from, Size outer, Size count, Size picks, Size inner);
/// to[o, j, i] = from[o, index[o, j, i], i].
void gather(Dtype, const void* from, const Size* index, void* to, Size outer, Size count, Size picks, Size inner);
/// to[o, index[o, j, i], i] += from[o, j, i].
void scatter_add(Dtype, void* to, const Size* index, const void* from, Size outer, Size count, Size picks, Size inner);

/// The first index of the largest (smallest) element; the first NaN wins over everything.
void argmax(Dtype, const void* x, Size* index, Size outer, Size count, Size inner);
void argmin(Dtype, const void* x, Size* index, Size outer, Size count, Size inner);
/// Stable order along the axis, NaN last (as NumPy); `descending` puts the largest first and NaN first.
void argsort(Dtype, const void* x, Size* index, Size outer, Size count, Size inner, bool descending);

/// Running sums and products along the axis, in double for f32; `reverse` runs from the end, `exclusive` leaves out
/// the element itself.
void cumsum(Dtype, const void* x, void* y, Size outer, Size count, Size inner, bool reverse);
void cumprod(Dtype, const void* x, void* y, Size outer, Size count, Size inner, bool reverse, bool exclusive);
/// The linear recurrence y[k] = b[k-1] + x[k-1] y[k-1] along the axis from y[0] = 0, held in double; `reverse` runs
/// from the end, with k+1 for k-1. f32 and f64 only.
void recurrence(Dtype, const void* x, const void* b, void* y, Size outer, Size count, Size inner, bool reverse);

}  // namespace xgrad::kernels
