#include <autograd/linalg/triangular.hpp>
#include <autograd/ops.hpp>
#include <autograd/outputs.hpp>
#include <autograd/primitive.hpp>

/// Factors with orthonormal columns.
namespace xgrad::linalg {
namespace {

/// a = q r for each a (m, n), stored by rows. By columns that is a^T = r^T q^T, LAPACK's LQ factorisation.
template <class T>
void factor_orthogonal(const T* a, T* q, T* r, Size count, Size m, Size n) {
  const lapack::Functions<T>& f = lapack::functions<T>();
  const Size k = std::min(m, n);
  const Int rows = Int(n), columns = Int(m), rank = Int(k);
  each_piece(count, 4 * m * n * k, [&](Size begin, Size end) {
    std::vector<T> copy(static_cast<std::size_t>(m * n)), tau(static_cast<std::size_t>(k));
    std::vector<T> work = workspace<T>(
        [&](T* at, Int size) { f.gelqf(lapack::by_columns, rows, columns, copy.data(), rows, tau.data(), at, size); });
    std::vector<T> more = workspace<T>([&](T* at, Int size) {
      f.orglq(lapack::by_columns, rank, columns, rank, copy.data(), rank, tau.data(), at, size);
    });
    for (Size i = begin; i < end; ++i) {
      T *const qi = q + i * m * k, *const ri = r + i * k * n;
      std::copy_n(a + i * m * n, m * n, copy.data());
      if (!all_finite(copy.data(), m * n)) {
        fill_nan(qi, m * k);
        fill_nan(ri, k * n);
        continue;
      }
      f.gelqf(lapack::by_columns, rows, columns, copy.data(), rows, tau.data(), work.data(), Int(work.size()));
      for (Size row = 0; row < k; ++row) {
        std::fill_n(ri + row * n, row, T(0));
        std::copy(copy.data() + row * n + row, copy.data() + (row + 1) * n, ri + row * n + row);
      }
      for (Size row = 0; row < m; ++row) std::copy_n(copy.data() + row * n, k, qi + row * k);
      f.orglq(lapack::by_columns, rank, columns, rank, qi, rank, tau.data(), more.data(), Int(more.size()));
    }
  });
}

/// The factors of a tall or square a.
QR factored(const Operand& a) {
  const Size m = a.shape()[-2], n = a.shape()[-1];
  const auto forward = [&] {
    const Size k = std::min(m, n);
    const Shape batch = batch_of(a.shape());
    std::array<Array, 2> result{Array(a.dtype(), with_matrices(batch, m, k)),
                                Array(a.dtype(), with_matrices(batch, k, n))};
    if (a.size() == 0) return result;
    for_type(a.dtype(), [&]<class T>() {
      capturing::repeat(factor_orthogonal<T>, a.array().data<T>(), result[0].data<T>(), result[1].data<T>(),
                        Batch(batch).count(), m, n);
    });
    return result;
  };
  const auto rule = [](const std::array<Tensor, 2>& g, const std::array<Tensor, 2>& y) {
    const auto& [q, r] = y;
    const Tensor both = matmul(r, g[1], {.transpose_b = true}) - matmul(g[0], q, {.transpose_a = true});
    const Tensor mirrored = tril(both) + transpose(tril(both, -1));
    return transpose(substituted(r, transpose(g[0] + matmul(q, mirrored)), {.upper = true}, "r"));
  };
  auto [q, r] = primitive("linalg::qr", {a}, forward, rule);
  return {q, r};
}

}  // namespace

QR qr(const Operand& a) {
  const OpScope scope("linalg::qr", a.place());
  check_matrices(scope, "a", a);
  const Size m = a.shape()[-2], n = a.shape()[-1];
  if (m >= n) return factored(a);
  // The first columns decide on q; those after them are only seen from it.
  const auto [q, r] = factored(slice(a, -1, 0, m));
  return {q, concatenate({r, matmul(q, slice(a, -1, m, n), {.transpose_a = true})}, -1)};
}

}  // namespace xgrad::linalg
