#include <autograd/linalg.hpp>
#include <autograd/linalg/matrices.hpp>
#include <autograd/ops.hpp>
#include <autograd/outputs.hpp>
#include <autograd/primitive.hpp>

/// Eigenvalues, singular values, and what is made with them.
namespace xgrad::linalg {
namespace {

template <class T>
void eigen_all(const T* a, T* values, T* vectors, Size count, Size n) {
  const auto& syevd = lapack::functions<T>().syevd;
  each_piece(count, 9 * n * n * n, [&](Size begin, Size end) {
    std::vector<T> copy(static_cast<std::size_t>(n * n));
    std::vector<Int> integers(static_cast<std::size_t>(5 * n + 3));
    std::vector<T> work = workspace<T>([&](T* at, Int size) {
      syevd(lapack::by_columns, 'V', 'U', Int(n), copy.data(), Int(n), values, at, size, integers.data(), size);
    });
    for (Size i = begin; i < end; ++i) {
      const T* const from = a + i * n * n;
      bool fine = true;
      for (Size row = 0; row < n; ++row) {
        fine &= all_finite(from + row * n, row + 1);
        std::copy_n(from + row * n, row + 1, copy.data() + row * n);
      }
      T *const w = values + i * n, *const v = vectors + i * n * n;
      // By columns the lower triangle is the upper one.
      fine = fine && syevd(lapack::by_columns, 'V', 'U', Int(n), copy.data(), Int(n), w, work.data(), Int(work.size()),
                           integers.data(), Int(integers.size())) == 0;
      if (!fine) {
        fill_nan(w, n);
        fill_nan(copy.data(), n * n);
      }
      for (Size row = 0; row < n; ++row)
        for (Size column = 0; column < n; ++column)
          v[row * n + column] = copy[static_cast<std::size_t>(column * n + row)];
    }
  });
}

/// a = u diag(s) vh for each a (m, n), stored by rows. By columns that is a^T = vh^T diag(s) u^T, whose factors LAPACK
/// leaves where, by rows, vh and u are.
template <class T>
void singular_all(const T* a, T* u, T* s, T* vh, Size count, Size m, Size n) {
  const auto& gesdd = lapack::functions<T>().gesdd;
  const Size k = std::min(m, n);
  const Int rows = Int(n), columns = Int(m), rank = Int(k);
  each_piece(count, 20 * m * n * k, [&](Size begin, Size end) {
    std::vector<T> copy(static_cast<std::size_t>(m * n));
    std::vector<Int> integers(static_cast<std::size_t>(8 * k));
    const auto decompose = [&](Size i, T* at, Int size) {
      return gesdd(lapack::by_columns, 'S', rows, columns, copy.data(), rows, s + i * k, vh + i * k * n, rows,
                   u + i * m * k, rank, at, size, integers.data());
    };
    std::vector<T> work = workspace<T>([&](T* at, Int size) { decompose(begin, at, size); });
    for (Size i = begin; i < end; ++i) {
      std::copy_n(a + i * m * n, m * n, copy.data());
      if (all_finite(copy.data(), m * n) && decompose(i, work.data(), Int(work.size())) == 0) continue;
      fill_nan(u + i * m * k, m * k);
      fill_nan(s + i * k, k);
      fill_nan(vh + i * k * n, k * n);
    }
  });
}

/// What rounding may make of a zero among values whose largest magnitude leads, (..., 1).
Tensor rounding_of(const Tensor& values, std::int64_t n) {
  const double epsilon = values.dtype() == f32 ? 0x1p-23 : 0x1p-52;
  return max(abs(values.detach()), -1, true) * (static_cast<double>(n) * epsilon);
}

/// x[..., i, j] - x[..., j, i].
Tensor skew(const Tensor& x) { return x - transpose(x); }

/// Numbers (..., k) as the diagonals of matrices.
Tensor diagonal_of(const Tensor& x) { return unsqueeze(x, -2) * eye(x.shape()[-1], {.dtype = x.dtype()}); }

/// Where i differs from j.
Tensor off_diagonal(std::int64_t n) { return eye(n) == 0; }

/// x[..., j] - x[..., i] at (i, j).
Tensor differences(const Tensor& x) { return unsqueeze(x, -2) - unsqueeze(x, -1); }

}  // namespace

Eigh eigh(const Operand& a) {
  const OpScope scope("linalg::eigh", a.place());
  check_square(scope, "a", a);
  const auto forward = [&] {
    const Shape& shape = a.shape();
    std::array<Array, 2> result{Array(a.dtype(), Shape(shape.begin(), shape.end() - 1)), Array(a.dtype(), shape)};
    if (a.size() == 0) return result;
    for_type(a.dtype(), [&]<class T>() {
      capturing::repeat(eigen_all<T>, a.array().data<T>(), result[0].data<T>(), result[1].data<T>(),
                        Batch(batch_of(shape)).count(), shape[-1]);
    });
    return result;
  };
  const auto rule = [](const std::array<Tensor, 2>& g, const std::array<Tensor, 2>& y) {
    const auto& [values, vectors] = y;
    if (vectors.size() == 0) return zeros_like(vectors);
    const Tensor rounding = unsqueeze(rounding_of(values, values.shape()[-1]), -1);
    const Tensor wanted = matrices_used(g[1]) && off_diagonal(values.shape()[-1]);
    const Tensor turning =
        matmul(vectors, g[1], {.transpose_a = true}) * guarded_reciprocal(differences(values), rounding, wanted);
    return symmetric_part(matmul(matmul(vectors, diagonal_of(g[0]) + turning), vectors, {.transpose_b = true}));
  };
  auto [values, vectors] = primitive("linalg::eigh", {a}, forward, rule);
  return {values, vectors};
}

SVD svd(const Operand& a) {
  const OpScope scope("linalg::svd", a.place());
  check_matrices(scope, "a", a);
  const Size m = a.shape()[-2], n = a.shape()[-1], k = std::min(m, n);
  const auto forward = [&] {
    const Shape batch = batch_of(a.shape());
    Shape values = batch;
    values.push_back(k);
    std::array<Array, 3> result{Array(a.dtype(), with_matrices(batch, m, k)), Array(a.dtype(), values),
                                Array(a.dtype(), with_matrices(batch, k, n))};
    if (a.size() == 0) return result;
    for_type(a.dtype(), [&]<class T>() {
      capturing::repeat(singular_all<T>, a.array().data<T>(), result[0].data<T>(), result[1].data<T>(),
                        result[2].data<T>(), Batch(batch).count(), m, n);
    });
    return result;
  };
  const auto rule = [m, n, k, of = a.shape()](const std::array<Tensor, 3>& g, const std::array<Tensor, 3>& y) {
    const auto& [u, s, vh] = y;
    if (of.size() == 0) return zeros(of, {.dtype = u.dtype()});
    const Tensor rounding = unsqueeze(rounding_of(s, std::max(m, n)), -1);
    const Tensor used_u = matrices_used(g[0]), used_v = matrices_used(g[2]);
    const Tensor turned_u = matmul(u, g[0], {.transpose_a = true}), turned_v = matmul(vh, g[2], {.transpose_b = true});
    const Tensor columns = unsqueeze(s, -2), rows = unsqueeze(s, -1);
    // 1 / (s_j^2 - s_i^2).
    const Tensor between = guarded_reciprocal(differences(s), rounding, (used_u || used_v) && off_diagonal(k)) *
                           guarded_reciprocal(columns + rows, rounding, nowhere());
    const Tensor inner = skew(turned_u) * between * columns + rows * (skew(turned_v) * between) + diagonal_of(g[1]);
    Tensor result = matmul(matmul(u, inner), vh);
    // What leaves the space of the columns of u, or of the rows of vh, where that is not all.
    const auto inverse = [&](const Tensor& used) { return guarded_reciprocal(columns, rounding, used); };
    if (m > k) result += matmul((g[0] - matmul(u, turned_u)) * inverse(used_u), vh);
    if (n > k) result += matmul(u * inverse(used_v), g[2] - matmul(turned_v, vh, {.transpose_a = true}));
    return result;
  };
  auto [u, s, vh] = primitive("linalg::svd", {a}, forward, rule);
  return {u, s, vh};
}

Tensor pinv(const Operand& a, double rcond) {
  const OpScope scope("linalg::pinv", a.place());
  check_matrices(scope, "a", a);
  if (std::isnan(rcond)) scope.fail<ValueError>("rcond is nan; expected a number");
  const auto forward = [&] {
    const auto [u, s, vh] = svd(a.tensor().detach());
    const std::int64_t larger = std::max(a.shape()[-2], a.shape()[-1]);
    if (s.size() == 0)
      return zeros(with_matrices(batch_of(a.shape()), a.shape()[-1], a.shape()[-2]), {.dtype = a.dtype()}).array();
    const Tensor least = rcond < 0 ? rounding_of(s, larger) : rcond * max(s, -1, true);
    const Tensor inverse = unsqueeze(guarded_reciprocal(s, least, nowhere()), -2);
    return matmul(transpose(vh) * inverse, u, {.transpose_b = true}).array();
  };
  return primitive("linalg::pinv", {a}, forward, [a = Saved(a)](const Tensor& g, const Tensor& y) {
    const Tensor h = transpose(g);  // (m, n), as a
    const Tensor left = matmul(h, matmul(y, y, {.transpose_b = true}));
    const Tensor right = matmul(matmul(y, y, {.transpose_a = true}), h);
    return left - matmul(a, matmul(y, left)) + right - matmul(matmul(right, y), a) -
           matmul(matmul(y, g, {.transpose_a = true}), y, {.transpose_b = true});
  });
}

Tensor lstsq(const Operand& a, const Operand& b, double rcond) {
  const OpScope scope("linalg::lstsq", a.place());
  check_matrices(scope, "a", a);
  check_right_side(scope, a, b);
  return matmul(pinv(a, rcond), b);
}

}  // namespace xgrad::linalg
