#pragma once
#include <autograd/ops/table/values.hpp>

/// References for factorisations of matrices: textbook algorithms in long double, none of which LAPACK uses.
namespace xgrad::op_table {

/// One matrix.
struct Matrix {
  std::int64_t rows = 0, columns = 0;
  std::vector<Real> v;

  Matrix() = default;
  Matrix(std::int64_t m, std::int64_t n) : rows(m), columns(n), v(static_cast<std::size_t>(m * n)) {}
  Real& operator()(std::int64_t i, std::int64_t j) { return v[static_cast<std::size_t>(i * columns + j)]; }
  Real operator()(std::int64_t i, std::int64_t j) const { return v[static_cast<std::size_t>(i * columns + j)]; }
};

Matrix identity(std::int64_t n);
Matrix transposed(const Matrix& a);
Matrix product(const Matrix& a, const Matrix& b);

/// l of a = l l^T, row by row.
Matrix cholesky_of(const Matrix& a);
/// a^-1 b and det a, by Gauss and Jordan's elimination with complete rows for pivots.
Matrix solution_of(Matrix a, Matrix b, Real* det = nullptr);
/// q and r of a tall a by Gram and Schmidt, twice; r has a positive diagonal.
struct Orthogonal {
  Matrix q, r;
};
Orthogonal orthogonal_of(const Matrix& a);
/// a = u diag(s) v^T of a tall a by one-sided rotations (Hestenes 1958), s descending.
struct Singular {
  Matrix u, v;
  std::vector<Real> s;
};
Singular singular_of(const Matrix& a);

/// f of each matrix of a batch; results of one row and column, `as_number`, are numbers.
Values of_each(const Values& x, const std::function<Matrix(const Matrix&)>& f, bool as_number = false);
/// The same of two batches that broadcast.
Values of_pairs(const Values& a, const Values& b, const std::function<Matrix(const Matrix&, const Matrix&)>& f);

}  // namespace xgrad::op_table
