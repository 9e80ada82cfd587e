#pragma once
#include <autograd/dtype.hpp>
#include <autograd/kernels/loop.hpp>

/// Kernels that compare elements. Arrays are (outer, count, inner) around the axis.
namespace xgrad::kernels {

/// The first index of the largest (smallest) element; the first NaN wins over everything.
void argmax(Dtype, const void* x, Size* index, Size outer, Size count, Size inner);
void argmin(Dtype, const void* x, Size* index, Size outer, Size count, Size inner);
/// Where the first `picks` <= count elements of the axis' stable order stand, as (outer, picks, inner). NaN is last (as
/// NumPy has it); `descending` puts the largest first and NaN first.
void argsort(Dtype, const void* x, Size* index, Size outer, Size count, Size picks, Size inner, bool descending);

}  // namespace xgrad::kernels
