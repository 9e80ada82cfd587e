#include <autograd/linalg.hpp>
#include <autograd/linalg/matrices.hpp>
#include <autograd/ops.hpp>
#include <autograd/ops/reduce.hpp>

/// Batches of matrices: checks, names in messages, and small matrices that rules are made of.
namespace xgrad::linalg {

bool available() { return lapack::found(); }

void check_matrices(const OpScope& scope, const char* name, const Operand& x) {
  check_floating(x);
  if (x.ndim() < 2) scope.fail(name, " is ", x.shape(), "; a matrix has 2 axes, and those before them are a batch");
}

void check_square(const OpScope& scope, const char* name, const Operand& x) {
  check_matrices(scope, name, x);
  if (x.shape()[-1] != x.shape()[-2])
    scope.fail(name, " is ", x.shape(), "; its last two axes must be equal, for square matrices");
}

void check_right_side(const OpScope& scope, const Operand& a, const Operand& b) {
  if (a.dtype() != b.dtype())
    scope.fail<DtypeError>("a is ", name_of(a.dtype()), ", b is ", name_of(b.dtype()), "; convert one with .to(...)");
  if (b.ndim() == 0) scope.fail("b is a single number; make it a vector (n) or a matrix (n, k)");
  if (b.shape()[b.ndim() == 1 ? 0 : -2] != a.shape()[-2])
    scope.fail("rows differ: a is ", a.shape(), ", b is ", b.shape(), "; b needs ", a.shape()[-2], " rows, ",
               b.ndim() == 1 ? "its only axis" : "its second to last axis");
}

Shape with_matrices(Shape batch, std::int64_t rows, std::int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

Batch::Batch(const Shape& batch) : rank(batch.ndim()) { std::copy(batch.begin(), batch.end(), sizes); }

Size Batch::count() const {
  Size n = 1;
  for (int d = 0; d < rank; ++d) n *= sizes[d];
  return n;
}

std::string name_in(const Batch& batch, Size position, const char* of) {
  if (batch.rank == 0) return of;
  std::string index;
  for (int d = batch.rank - 1; d >= 0; --d) {
    index = text(position % batch.sizes[d], index.empty() ? "" : ", ", index);
    position /= batch.sizes[d];
  }
  return text("the matrix [", index, "] of ", of);
}

Tensor symmetric_part(const Tensor& x) { return (x + transpose(x)) / 2; }

Tensor guarded_reciprocal(const Tensor& x, const Tensor& rounding, const Tensor& wanted) {
  const Tensor differs = abs(x.detach()) > rounding;
  const Tensor otherwise = where(wanted, full({}, NAN, {.dtype = x.dtype()}), 0);
  return where(differs, 1 / where(differs, x, 1), otherwise);
}

Tensor nowhere() { return zeros({}, boolean); }

Tensor matrices_used(const Tensor& x) { return any(x.detach() != 0, {-2, -1}, true); }

}  // namespace xgrad::linalg
