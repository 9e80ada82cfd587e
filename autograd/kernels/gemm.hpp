#pragma once
#include <autograd/dtype.hpp>
#include <autograd/kernels/loop.hpp>

namespace xgrad::kernels {

/// C = A B, or C += A B with `accumulate`, row-major: A is (m, k) or, transposed, stored as (k, m); B is (k, n) or,
/// transposed, stored as (n, k); C is (m, n) contiguous. k = 0 gives zeros.
struct Gemm {
  bool transpose_a = false, transpose_b = false, accumulate = false;
  Size m, n, k;
};

/// Whether the library that serves this dtype can count the rows and columns: CBLAS counts in int. No product may be
/// asked for otherwise.
bool gemm_takes(Dtype dtype, const Gemm& shape);

/// Threads that kernels and matrix products may use; n >= 1.
void set_threads(int n);
int threads();

}  // namespace xgrad::kernels
