#include <algorithm>
#include <autograd/kernels/plain.hpp>

/// Products with a long inner dimension, whose f32 sums are put together in f64.
namespace xgrad::kernels {

void long_product(const Gemm& s, const float* a, const float* b, float* c, GemmFn gemm) {
  // A tile of C at a time, which stays in the caches.
  constexpr Size rows = 256, columns = 512;
  const Size largest = std::min(s.m, rows) * std::min(s.n, columns), lda = s.row_a(), ldb = s.row_b(), ldc = s.row_c();
  const Room<float> part(largest);
  const Room<double> sums(largest);
  Gemm tile = s;
  tile.accumulate = false;
  tile.lda = lda, tile.ldb = ldb, tile.ldc = 0;
  for (Size i = 0; i < s.m; i += rows) {
    tile.m = std::min(rows, s.m - i);
    for (Size j = 0; j < s.n; j += columns) {
      tile.n = std::min(columns, s.n - j);
      const auto for_each = [&](auto body) {
        for (Size row = 0, at = 0; row < tile.m; ++row)
          for (Size column = 0; column < tile.n; ++column, ++at) body(c[(i + row) * ldc + j + column], at);
      };
      for_each([&](float of_c, Size at) { sums.numbers[at] = s.accumulate ? double(of_c) : 0; });
      for (Size p = 0; p < s.k; p += longest_product) {
        tile.k = std::min(longest_product, s.k - p);
        gemm(tile, a + (s.transpose_a ? p * lda + i : i * lda + p), b + (s.transpose_b ? j * ldb + p : p * ldb + j),
             part.numbers);
        for (Size at = 0; at < tile.m * tile.n; ++at) sums.numbers[at] += double(part.numbers[at]);
      }
      for_each([&](float& of_c, Size at) { of_c = float(sums.numbers[at]); });
    }
  }
}

void many_products(const Gemm& each, const Loop<3>& batch, const float* a, const float* b, float* c, GemmFn gemm) {
  const Size size = each.m * each.n;
  Size all = size;
  for (int d = 0; d < batch.rank; ++d) all *= batch.strides[2][d] != 0 ? batch.sizes[d] : 1;
  const Room<float> part(size);
  const Room<double> sums(all);
  for (Size i = 0; i < all; ++i) sums.numbers[i] = each.accumulate ? double(c[i]) : 0;
  Gemm shape = each;
  shape.accumulate = false;
  for_each_product(batch, [&](const Size* at, bool) {
    gemm(shape, a + at[0] * each.m * each.k, b + at[1] * each.k * each.n, part.numbers);
    double* const to = sums.numbers + at[2] * size;
    for (Size i = 0; i < size; ++i) to[i] += double(part.numbers[i]);
  });
  for (Size i = 0; i < all; ++i) c[i] = float(sums.numbers[i]);
}

}  // namespace xgrad::kernels
