#pragma once
#include <autograd/dtype.hpp>
#include <autograd/kernels/loop.hpp>

namespace xgrad::kernels {

/// C = A B, or C += A B with `accumulate`, row-major: A is (m, k) or, transposed, stored as (k, m); B is (k, n) or,
/// transposed, stored as (n, k); C is (m, n). k = 0 gives zeros. The rows of A, B and C as they are stored begin lda,
/// ldb and ldc elements apart; 0 stands for rows without a gap.
struct Gemm {
  bool transpose_a = false, transpose_b = false, accumulate = false;
  Size m, n, k;
  Size lda = 0, ldb = 0, ldc = 0;

  Size row_a() const { return lda ? lda : transpose_a ? m : k; }
  Size row_b() const { return ldb ? ldb : transpose_b ? k : n; }
  Size row_c() const { return ldc ? ldc : n; }
};

/// Calls body(at, accumulate) for each position of a batch: `at` says how many matrices of A, B and C lie before it,
/// `accumulate` whether another product has been put there already.
template <class Body>
void for_each_product(const Loop<3>& batch, Body body) {
  const Size count = batch.count();
  for (Size i = 0; i < count; ++i) {
    Size at[3] = {};
    bool accumulate = false;
    for (Size d = batch.rank - 1, rest = i; d >= 0; --d) {
      const Size index = rest % batch.sizes[d];
      rest /= batch.sizes[d];
      for (int k = 0; k < 3; ++k) at[k] += index * batch.strides[k][d];
      accumulate |= batch.strides[2][d] == 0 && index > 0;
    }
    body(at, accumulate);
  }
}

/// Whether oneDNN is built in and quicker with this product, k > 0, than the kernels here; it has computed it then.
bool library_product(const Gemm& shape, const float* a, const float* b, float* c);

}  // namespace xgrad::kernels
