#include <support.hpp>

using namespace xgrad;

namespace {

/// A batch of 4 identities, of which the last has this in place of one.
Tensor batch_with(const Tensor& matrix) { return concatenate({broadcast_to(eye(2), {3, 2, 2}), unsqueeze(matrix, 0)}); }

}  // namespace

TEST_CASE("shapes and dtypes of matrices") {
  SAYS("a vector", ShapeError, linalg::qr(ones({3})),
       "linalg::qr: a is (3,); a matrix has 2 axes, and those before them are a batch");
  SAYS("an inverse of what is not square", ShapeError, linalg::inv(ones({2, 2, 3})),
       "linalg::inv: a is (2, 2, 3); its last two axes must be equal, for square matrices");
  SAYS("integers", DtypeError, linalg::det(ones({2, 2}, i64)),
       "linalg::det: not defined for i64; convert with .to(f32)");
  SAYS("f32 with f64", DtypeError, linalg::solve(eye(2), ones({2}, f64)),
       "linalg::solve: a is f32, b is f64; convert one with .to(...)");
  SAYS("a single number on the right", ShapeError, linalg::solve(eye(2), ones({})),
       "linalg::solve: b is a single number; make it a vector (n) or a matrix (n, k)");
  SAYS("a vector of another length", ShapeError, linalg::solve_triangular(eye(2), ones({3})),
       "linalg::solve_triangular: rows differ: a is (2, 2), b is (3,); b needs 2 rows, its only axis");
  SAYS("vectors in rows", ShapeError, linalg::lstsq(ones({4, 3, 2}), ones({4, 3})),
       "linalg::lstsq: rows differ: a is (4, 3, 2), b is (4, 3); b needs 3 rows, its second to last axis");
  if (!linalg::available()) return;
  SAYS("other batches", ShapeError, linalg::solve(batch_with(eye(2)), ones({3, 2, 1})),
       "linalg::solve: batch axes do not broadcast: a is (4, 2, 2), b is (3, 2, 1); sizes before the last two must "
       "agree or be 1");
  SAYS("a cut-off that is no number", ValueError, linalg::pinv(eye(2), NAN),
       "linalg::pinv: rcond is nan; expected a number");
}

TEST_CASE("matrices that have no such factors") {
  if (!linalg::available()) return;
  const Tensor indefinite = tensor({{1, 2}, {2, 1}}), flat = tensor({{1, 2}, {2, 4}});
  SAYS("not positive definite", ValueError, linalg::cholesky(batch_with(indefinite)),
       "linalg::cholesky: the matrix [3] of a is not positive definite: its leading minor of order 2 is not positive; "
       "add a small multiple of the identity if rounding alone can be the reason");
  SAYS("the only one", ValueError, linalg::cholesky(-eye(3)),
       "linalg::cholesky: a is not positive definite: its leading minor of order 1 is not positive; add a small "
       "multiple of the identity if rounding alone can be the reason");
  SAYS("a singular system", ValueError, linalg::solve(reshape(batch_with(flat), {2, 2, 2, 2}), ones({2})),
       "linalg::solve: the matrix [1, 1] of a is singular: pivot 1 of its LU factors is 0; use lstsq or pinv, which "
       "need no inverse");
  SAYS("a singular matrix", ValueError, linalg::inv(zeros({2, 2})),
       "linalg::inv: a is singular: pivot 0 of its LU factors is 0; use lstsq or pinv, which need no inverse");
  SAYS("a negative power of one", ValueError, linalg::matrix_power(flat, -2),
       "linalg::matrix_power: a is singular: pivot 1 of its LU factors is 0; use lstsq or pinv, which need no inverse");
  SAYS("a zero on the diagonal", ValueError, linalg::solve_triangular(batch_with(tensor({{1, 0}, {1, 0}})), ones({2})),
       "linalg::solve_triangular: the matrix [3] of a is singular: element 1 of its diagonal is 0; use lstsq, which "
       "needs no inverse");
  const Tensor x = zeros({3, 2}, {.requires_grad = true});
  const int line = __LINE__ + 1;
  const Tensor r = linalg::qr(x).r;
  const std::string told = thrown<ValueError>([&] { sum(r).backward(); });
  CHECK(told == text(__FILE__, ":", line,
                     ": linalg::qr: r is singular: element 0 of its diagonal is 0; use lstsq, which needs no inverse"));
}
