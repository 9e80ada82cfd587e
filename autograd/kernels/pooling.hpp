#pragma once
#include <autograd/dtype.hpp>
#include <autograd/kernels/windows.hpp>

/// The derivative of a pooling by the largest elements (Table::max_windows).
namespace xgrad::kernels {

/// dx[n, index[n, p]] += g[n, p] from zeros, for each of the images (in) of c and windows (out).
void spread_maxima(const Convolution& c, Dtype dtype, const void* g, const Size* index, void* dx);

}  // namespace xgrad::kernels
