#pragma once
#include <algorithm>
#include <autograd/kernels/loop.hpp>

/// How the pieces of a variance become one.
namespace xgrad::kernels {

/// The sums of squared deviations of `count` rows from those of pieces of `rows`, and from their means (Chan, Golub and
/// LeVeque, "Algorithms for computing the sample variance", 1983). Overwrites the first piece.
template <class T>
void join_pieces(double* squares, double* means, Size count, Size rows, Size width, T* y) {
  for (Size before = rows, p = width; before < count; before += rows, p += width) {
    const double more = double(std::min(rows, count - before)), share = more / (double(before) + more);
    for (Size i = 0; i < width; ++i) {
      const double apart = means[p + i] - means[i];
      squares[i] += squares[p + i] + apart * apart * (double(before) * share);
      means[i] += apart * share;
    }
  }
  for (Size i = 0; i < width; ++i) y[i] = T(squares[i] + means[i] * 0);  // a mean that is not finite makes a NaN
}

}  // namespace xgrad::kernels
