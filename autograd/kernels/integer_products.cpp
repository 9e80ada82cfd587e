#include <algorithm>
#include <autograd/kernels/plain.hpp>

/// Matrix products of i64, which wrap around: rows of B times numbers of A, summed in rows of C.
namespace xgrad::kernels {
namespace {

using Bits = std::uint64_t;

void product(const Gemm& s, const Bits* a, const Bits* b, Bits* c) {
  const Size lda = s.row_a(), ldb = s.row_b(), ldc = s.row_c();
  for (Size i = 0; i < s.m; ++i) {
    Bits* const to = c + i * ldc;
    for (Size j = 0; j < s.n && !s.accumulate; ++j) to[j] = 0;
    for (Size p = 0; p < s.k; ++p) {
      const Bits factor = s.transpose_a ? a[p * lda + i] : a[i * lda + p];
      if (s.transpose_b) {
        for (Size j = 0; j < s.n; ++j) to[j] += factor * b[j * ldb + p];
      } else {
        for (Size j = 0; j < s.n; ++j) to[j] += factor * b[p * ldb + j];
      }
    }
  }
}

void gemm(const Gemm& shape, const void* a, const void* b, void* c) {
  product(shape, static_cast<const Bits*>(a), static_cast<const Bits*>(b), static_cast<Bits*>(c));
}

void gemm_batch(const Gemm& each, const Loop<3>& batch, const void* a, const void* b, void* c) {
  Size all = each.m * each.n;
  for (int d = 0; d < batch.rank; ++d) all *= batch.strides[2][d] != 0 ? batch.sizes[d] : 1;
  if (batch.count() == 0 && !each.accumulate) std::fill_n(static_cast<Bits*>(c), all, Bits(0));
  for_each_product(batch, [&](const Size* at, bool accumulate) {
    Gemm shape = each;
    shape.accumulate |= accumulate;
    gemm(shape, static_cast<const Bits*>(a) + at[0] * each.m * each.k,
         static_cast<const Bits*>(b) + at[1] * each.k * each.n, static_cast<Bits*>(c) + at[2] * each.m * each.n);
  });
}

}  // namespace

void fill_integer_products(Table& t) {
  t.gemm[int(i64)] = gemm;
  t.gemm_batch[int(i64)] = gemm_batch;
}

}  // namespace xgrad::kernels
