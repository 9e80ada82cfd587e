#pragma once
#include <autograd/linalg.hpp>
#include <autograd/linalg/matrices.hpp>
#include <autograd/ops.hpp>

namespace xgrad::linalg {

/// The shapes of a system a x = b, in which both are batches of matrices that broadcast.
struct System {
  Shape x;                   // of the result
  kernels::Loop<2> batches;  // over the result's batch; strides count the matrices of a and of b

  /// Throws where they do not fit.
  System(const OpScope& scope, const Operand& a, const Operand& b);
};

/// solve_triangular for matrices b; a message calls a `name`.
Tensor substituted(const Operand& a, const Operand& b, TriangularOptions options, const char* name = "a");

/// How triangular matrices of (n, n) elements, stored by rows, are to be used: op(a) x = b.
struct Triangle {
  bool upper, transpose, ones_on_diagonal;
};
/// Overwrites b (n, k), stored by rows, with op(a)^-1 b.
template <class T>
void substitute(const T* a, T* b, Size n, Size k, Triangle how) {
  // By columns a row-major a is a^T and b is b^T, so that x^T op(a)^T = b^T is solved from the right.
  const Int rows = Int(k), columns = Int(n);
  const T one = 1;
  lapack::functions<T>().trsm("R", how.upper ? "L" : "U", how.transpose ? "T" : "N", how.ones_on_diagonal ? "U" : "N",
                              &rows, &columns, &one, a, &columns, b, &rows, 1, 1, 1, 1);
}

/// Where the matrices of a batch's position lie in array `k` of a loop, counted in matrices.
template <int N>
Size offset(const kernels::Loop<N>& loop, int k, Size position) {
  Size at = 0;
  for (int d = loop.rank - 1; d >= 0; --d) {
    at += position % loop.sizes[d] * loop.strides[k][d];
    position /= loop.sizes[d];
  }
  return at;
}

/// f(a, matrices) where b may be one vector, which is a matrix of one column then.
template <class F>
Tensor with_columns(const Operand& b, const F& f) {
  if (b.ndim() != 1) return f(b);
  return squeeze(f(Operand(unsqueeze(b, 1), b.place())), -1);
}

}  // namespace xgrad::linalg
