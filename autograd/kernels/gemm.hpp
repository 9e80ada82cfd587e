#pragma once
#include <autograd/dtype.hpp>
#include <autograd/kernels/loop.hpp>

#pragma GCC visibility push(default)

/// Matrix products as kernels see them: how the operands are stored, and what computes them.
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

using GemmFn = void (*)(const Gemm& shape, const void* a, const void* b, void* c);
/// Products of f32 along more than this, and sums of more products, are put together in f64, so that they lose no more
/// the longer they are.
inline constexpr Size longest_product = 4096, most_products = 64;
/// Such a product, made of parts that `gemm` computes.
void long_product(const Gemm& shape, const float* a, const float* b, float* c, GemmFn gemm);
/// How many products a batch adds to each matrix of C.
inline Size summed_products(const Loop<3>& batch) {
  Size count = 1;
  for (int d = 0; d < batch.rank; ++d) count *= batch.strides[2][d] == 0 ? batch.sizes[d] : 1;
  return count;
}
/// Such a batch, whose products `gemm` computes.
void many_products(const Gemm& each, const Loop<3>& batch, const float* a, const float* b, float* c, GemmFn gemm);

/// Whether oneDNN is built in and quicker with this product, k > 0, than the kernels here; it has computed it then.
bool library_product(const Gemm& shape, const float* a, const float* b, float* c);

}  // namespace xgrad::kernels
#pragma GCC visibility pop
