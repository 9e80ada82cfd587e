#include <algorithm>
#include <autograd/ops/table/matrices.hpp>
#include <cmath>
#include <numeric>

namespace xgrad::op_table {

Matrix identity(std::int64_t n) {
  Matrix a(n, n);
  for (std::int64_t i = 0; i < n; ++i) a(i, i) = 1;
  return a;
}

Matrix transposed(const Matrix& a) {
  Matrix t(a.columns, a.rows);
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.columns; ++j) t(j, i) = a(i, j);
  return t;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.rows, b.columns);
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < b.columns; ++j)
      for (std::int64_t k = 0; k < a.columns; ++k) c(i, j) += a(i, k) * b(k, j);
  return c;
}

Matrix cholesky_of(const Matrix& a) {
  Matrix l(a.rows, a.rows);
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j <= i; ++j) {
      Real s = a(i, j);
      for (std::int64_t k = 0; k < j; ++k) s -= l(i, k) * l(j, k);
      l(i, j) = i == j ? std::sqrt(s) : s / l(j, j);
    }
  return l;
}

Matrix solution_of(Matrix a, Matrix b, Real* det) {
  Real all = 1;
  for (std::int64_t k = 0; k < a.rows; ++k) {
    std::int64_t best = k;
    for (std::int64_t i = k; i < a.rows; ++i)
      if (std::fabs(a(i, k)) > std::fabs(a(best, k))) best = i;
    if (best != k) all = -all;
    all *= a(best, k);
    if (a(best, k) == 0) break;
    const auto exchange = [&](Matrix& m) {
      for (std::int64_t j = 0; j < m.columns; ++j) std::swap(m(k, j), m(best, j));
    };
    exchange(a);
    exchange(b);
    for (std::int64_t i = 0; i < a.rows; ++i) {
      const Real factor = i == k ? 0 : a(i, k) / a(k, k);
      for (std::int64_t j = 0; j < a.columns; ++j) a(i, j) -= factor * a(k, j);
      for (std::int64_t j = 0; j < b.columns; ++j) b(i, j) -= factor * b(k, j);
    }
  }
  for (std::int64_t k = 0; k < a.rows; ++k)
    for (std::int64_t j = 0; j < b.columns; ++j) b(k, j) /= a(k, k);
  if (det) *det = all;
  return b;
}

namespace {

Real inner(const Matrix& a, std::int64_t i, const Matrix& b, std::int64_t j) {
  Real s = 0;
  for (std::int64_t row = 0; row < a.rows; ++row) s += a(row, i) * b(row, j);
  return s;
}

}  // namespace

Orthogonal orthogonal_of(const Matrix& a) {
  Orthogonal f{a, Matrix(a.columns, a.columns)};
  for (std::int64_t j = 0; j < a.columns; ++j) {
    for (int pass = 0; pass < 2; ++pass)
      for (std::int64_t k = 0; k < j; ++k) {
        const Real share = inner(f.q, k, f.q, j);
        f.r(k, j) += share;
        for (std::int64_t row = 0; row < a.rows; ++row) f.q(row, j) -= share * f.q(row, k);
      }
    f.r(j, j) = std::sqrt(inner(f.q, j, f.q, j));
    for (std::int64_t row = 0; row < a.rows; ++row) f.q(row, j) /= f.r(j, j);
  }
  return f;
}

Singular singular_of(const Matrix& a) {
  Matrix u = a, v = identity(a.columns);
  for (int sweep = 0; sweep < 60; ++sweep)
    for (std::int64_t i = 0; i < a.columns; ++i)
      for (std::int64_t j = i + 1; j < a.columns; ++j) {
        const Real p = inner(u, i, u, j);
        if (p == 0) continue;
        const Real zeta = (inner(u, j, u, j) - inner(u, i, u, i)) / (2 * p);
        const Real t = (zeta < 0 ? -1 : 1) / (std::fabs(zeta) + std::sqrt(1 + zeta * zeta));
        const Real c = 1 / std::sqrt(1 + t * t), s = c * t;
        for (Matrix* const m : {&u, &v})
          for (std::int64_t row = 0; row < m->rows; ++row) {
            const Real x = (*m)(row, i), y = (*m)(row, j);
            (*m)(row, i) = c * x - s * y;
            (*m)(row, j) = s * x + c * y;
          }
      }
  std::vector<std::int64_t> order(static_cast<std::size_t>(a.columns));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::int64_t i, std::int64_t j) { return inner(u, i, u, i) > inner(u, j, u, j); });
  Singular f{Matrix(a.rows, a.columns), Matrix(a.columns, a.columns), {}};
  for (std::int64_t j = 0; j < a.columns; ++j) {
    const std::int64_t from = order[static_cast<std::size_t>(j)];
    const Real s = std::sqrt(inner(u, from, u, from));
    f.s.push_back(s);
    for (std::int64_t row = 0; row < a.rows; ++row) f.u(row, j) = u(row, from) / s;
    for (std::int64_t row = 0; row < a.columns; ++row) f.v(row, j) = v(row, from);
  }
  return f;
}

namespace {

/// The matrix of a batch at an index, whose axes before the last two broadcast.
Matrix matrix_at(const Values& x, Index at) {
  Matrix m(x.shape[-2], x.shape[-1]);
  at.resize(at.size() + 2);
  Index own(at.end() - x.shape.ndim(), at.end());
  for (int d = 0; d < x.shape.ndim() - 2; ++d)
    if (x.shape[d] == 1) own[static_cast<std::size_t>(d)] = 0;
  for (std::int64_t i = 0; i < m.rows; ++i)
    for (std::int64_t j = 0; j < m.columns; ++j) {
      own[own.size() - 2] = i;
      own[own.size() - 1] = j;
      m(i, j) = x[own];
    }
  return m;
}

Shape batch_of(const Shape& shape) { return {shape.begin(), shape.end() - 2}; }

}  // namespace

Values of_each(const Values& x, const std::function<Matrix(const Matrix&)>& f, bool as_number) {
  const Matrix sizes = f(Matrix(x.shape[-2], x.shape[-1]));  // of zeros: only the shape counts
  Values y(batch_of(x.shape));
  if (!as_number) {
    y.shape.push_back(sizes.rows);
    y.shape.push_back(sizes.columns);
  }
  y.v.clear();
  each_index(batch_of(x.shape), [&](const Index& at) {
    const Matrix m = f(matrix_at(x, at));
    y.v.insert(y.v.end(), m.v.begin(), m.v.end());
  });
  return y;
}

Values of_pairs(const Values& a, const Values& b, const std::function<Matrix(const Matrix&, const Matrix&)>& f) {
  Values y;
  broadcast(batch_of(a.shape), batch_of(b.shape), y.shape);
  const Matrix sizes = f(Matrix(a.shape[-2], a.shape[-1]), Matrix(b.shape[-2], b.shape[-1]));
  each_index(y.shape, [&](const Index& at) {
    const Matrix m = f(matrix_at(a, at), matrix_at(b, at));
    y.v.insert(y.v.end(), m.v.begin(), m.v.end());
  });
  y.shape.push_back(sizes.rows);
  y.shape.push_back(sizes.columns);
  return y;
}

}  // namespace xgrad::op_table
