#pragma once
#include <autograd/dtype.hpp>
#include <autograd/kernels/loop.hpp>

/// Kernels that move elements one by one. Arrays are (outer, count, inner) around the axis; indices have been checked
/// by the caller to lie in range.
namespace xgrad::kernels {

/// to[o, j, i] = from[o, index[j], i]: from is (outer, count, inner), to (outer, picks, inner).
void take(Dtype, const void* from, const Size* index, void* to, Size outer, Size count, Size picks, Size inner);
/// to[o, index[j], i] += from[o, j, i], in the order of j.
void index_add(Dtype, void* to, const Size* index, const void* from, Size outer, Size count, Size picks, Size inner);
/// to[o, j, i] = from[o, index[o, j, i], i].
void gather(Dtype, const void* from, const Size* index, void* to, Size outer, Size count, Size picks, Size inner);
/// to[o, index[o, j, i], i] += from[o, j, i].
void scatter_add(Dtype, void* to, const Size* index, const void* from, Size outer, Size count, Size picks, Size inner);

}  // namespace xgrad::kernels
