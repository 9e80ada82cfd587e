#pragma once
#include <autograd/kernels/loop.hpp>

#pragma GCC visibility push(default)

namespace xgrad::kernels {

/// What a normalisation takes together: of x (outer, slices, inner) each slice, outer * inner elements. A kernel works
/// on those from `first` on.
struct Slices {
  Size outer, slices, inner, first, count;
  Size centred;  // whether means are taken off, which the other statistics then are about
};

}  // namespace xgrad::kernels
#pragma GCC visibility pop
