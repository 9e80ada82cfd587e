#include <algorithm>
#include <autograd/ops/reduce.hpp>
#include <autograd/primitive.hpp>

/// The ops of matrix products.
namespace xgrad {
namespace {

/// A stack of matrices, or of their transposes. Borrowed until it is moved into a rule, as a Saved is.
class Stack {
 public:
  const bool transposed;

  Stack(const Tensor& matrices, bool t) : transposed(t), at_(&matrices) {}
  Stack(Stack&& other) : transposed(other.transposed), held_(*other.at_), at_(&held_) {}
  const Tensor& matrices() const { return *at_; }
  const Shape& shape() const { return at_->shape(); }
  std::int64_t rows() const { return shape()[transposed ? -1 : -2]; }
  std::int64_t columns() const { return shape()[transposed ? -2 : -1]; }
  Stack borrowed() const { return {*at_, transposed}; }
  Stack transpose() const { return {*at_, !transposed}; }

 private:
  Tensor held_;
  const Tensor* at_;
};

/// The axes before the last two.
Shape batch_of(const Shape& shape) { return {shape.begin(), shape.end() - 2}; }

Shape broadcast_batch(const Shape& a, const Shape& b) {
  Shape both;
  broadcast(a, b, both);
  return both;
}

void multiply_all(const Stack& a, const Stack& b, const Shape& whole, Array& c) {
  const kernels::Gemm shape{a.transposed, b.transposed, false, a.rows(), b.columns(), a.columns()};
  const int d = int(c.dtype());
  const void *pa = a.matrices().array().data(), *pb = b.matrices().array().data();
  if (whole.size() == 1) return kernels::table().gemm[d](shape, pa, pb, c.data());
  kernels::Loop<3> batch;
  batch.rank = whole.ndim();
  std::copy(whole.begin(), whole.end(), batch.sizes);
  const Shape shapes[] = {batch_of(a.shape()), batch_of(b.shape()), batch_of(c.shape())};
  for (int k = 0; k < 3; ++k) {
    const Shape strides = broadcast_strides(shapes[k], whole);
    std::copy(strides.begin(), strides.end(), batch.strides[k]);
  }
  kernels::table().gemm_batch[d](shape, batch, pa, pb, c.data());
}

/// C = A B for two matrices. Both vjps have the same form, with the transposes as flags.
Tensor product(const Stack& a, const Stack& b) {
  return primitive(
      "matmul", {a.matrices(), b.matrices()},
      [&] {
        const kernels::Gemm shape{a.transposed, b.transposed, false, a.rows(), b.columns(), a.columns()};
        const Dtype dtype = a.matrices().dtype();
        Array c(dtype, {shape.m, shape.n});
        kernels::table().gemm[int(dtype)](shape, a.matrices().array().data(), b.matrices().array().data(), c.data());
        return c;
      },
      [b = b.borrowed(), transposed = a.transposed](const Tensor& g) {
        return transposed ? product(b, {g, true}) : product({g, false}, b.transpose());
      },
      [a = a.borrowed(), transposed = b.transposed](const Tensor& g) {
        return transposed ? product({g, true}, a) : product(a.transpose(), {g, false});
      });
}

/// C = A B for each matrix of the stacks. Their batches broadcast against each other and against `batch`, that of C;
/// where C has fewer, the products are summed. Both vjps have the same form, with the transposes as flags, so
/// derivatives of any order neither copy a transpose nor hold a broadcast product.
Tensor product(const Stack& a, const Stack& b, const Shape& batch) {
  const Shape batch_a = batch_of(a.shape()), batch_b = batch_of(b.shape());
  return primitive(
      "matmul", {a.matrices(), b.matrices()},
      [&] {
        Shape shape = batch;
        shape.push_back(a.rows());
        shape.push_back(b.columns());
        Array c(a.matrices().dtype(), shape);
        const Shape whole = broadcast_batch(broadcast_batch(batch_a, batch_b), batch);
        multiply_all(a, b, whole, c);
        return c;
      },
      [b = b.borrowed(), batch_a, transposed = a.transposed](const Tensor& g) {
        const Stack h{g, false};
        return transposed ? product(b, h.transpose(), batch_a) : product(h, b.transpose(), batch_a);
      },
      [a = a.borrowed(), batch_b, transposed = b.transposed](const Tensor& g) {
        const Stack h{g, false};
        return transposed ? product(h.transpose(), a, batch_b) : product(a.transpose(), h, batch_b);
      });
}

/// reshape(x, shape), without an op where none is recorded.
Tensor reshaped(const Tensor& x, const Shape& shape) {
  return grad_enabled() ? reshape(x, shape) : Tensor(x.array().viewed(shape));
}
Tensor viewed(Tensor&& x, const Shape& shape) { return x.shape() == shape ? std::move(x) : reshaped(x, shape); }

/// All axes but the last as one: the rows of a single matrix. It lives as long as x and the expression of the call.
const Tensor& as_matrix(const Tensor& x, Tensor&& folded = {}) {
  if (x.ndim() == 2) return x;
  return folded = reshaped(x, {x.shape().product(0, x.ndim() - 1), x.shape()[-1]});
}

void check_operands(const OpScope& scope, const Operand& a, const Operand& b) {
  if (a.is_number() || b.is_number()) scope.fail<ValueError>("an argument is a plain number; multiply by it with *");
  if (a.dtype() != b.dtype())
    scope.fail<DtypeError>("a is ", name_of(a.dtype()), ", b is ", name_of(b.dtype()), "; convert one with .to(...)");
  if (a.dtype() != i64) check_floating(a);
}

}  // namespace

Tensor matmul(const Operand& a, const Operand& b, MatmulOptions options) {
  const OpScope scope("matmul", a.place());
  check_operands(scope, a, b);
  if (a.ndim() == 0 || b.ndim() == 0)
    scope.fail("a 0-d operand: a is ", a.shape(), ", b is ", b.shape(), "; multiply by a single number with *");
  const bool row = a.ndim() == 1, column = b.ndim() == 1;
  const bool transpose_a = options.transpose_a && !row, transpose_b = options.transpose_b && !column;
  if (a.shape()[transpose_a ? -2 : -1] != b.shape()[column ? 0 : transpose_b ? -1 : -2])
    scope.fail("inner dimensions differ: a is ", a.shape(), transpose_a ? " transposed" : "", ", b is ", b.shape(),
               transpose_b ? " transposed" : "");
  if (row && column) return sum(a * b);
  const Tensor from_row = row ? unsqueeze(a, 0) : Tensor(), from_column = column ? unsqueeze(b, 1) : Tensor();
  const Stack p{row ? from_row : a.tensor(), transpose_a}, q{column ? from_column : b.tensor(), transpose_b};
  Shape batch;
  if (!broadcast(batch_of(p.shape()), batch_of(q.shape()), batch))
    scope.fail("batch axes do not broadcast: a is ", a.shape(), ", b is ", b.shape(),
               "; sizes before the last two must agree or be 1");
  Shape shape = batch;
  if (!row) shape.push_back(p.rows());
  if (!column) shape.push_back(q.columns());
  // Against one matrix the rows of all others make one product.
  const bool fold = q.shape().ndim() == 2 && !transpose_a;
  return viewed(fold ? product({as_matrix(p.matrices()), false}, q) : product(p, q, batch), shape);
}

Tensor dot(const Operand& a, const Operand& b) {
  const OpScope scope("dot", a.place());
  check_operands(scope, a, b);
  if (a.ndim() != 1 || b.ndim() != 1 || a.shape() != b.shape())
    scope.fail("needs two vectors of one length, and a is ", a.shape(), ", b is ", b.shape(), "; use matmul otherwise");
  return sum(a * b);
}

Tensor outer(const Operand& a, const Operand& b) {
  const OpScope scope("outer", a.place());
  check_operands(scope, a, b);
  if (a.ndim() != 1 || b.ndim() != 1)
    scope.fail("needs two vectors, and a is ", a.shape(), ", b is ", b.shape(), "; flatten them first");
  return product({unsqueeze(a, 1), false}, {unsqueeze(b, 0), false});
}

namespace {

void check_dense(const OpScope& scope, const Operand& x, const Operand& w, const Tensor& b) {
  if (x.is_number() || w.is_number())
    scope.fail<ValueError>("an argument is a plain number; make it a tensor with tensor(...)");
  if (x.dtype() != w.dtype() || (b.defined() && b.dtype() != x.dtype()))
    scope.fail<DtypeError>("x is ", name_of(x.dtype()), ", w is ", name_of(w.dtype()),
                           b.defined() ? text(", b is ", name_of(b.dtype())) : "", "; convert with .to(...)");
  check_floating(x);
  const auto shapes = [&] {
    return text("x is ", x.shape(), ", w is ", w.shape(), b.defined() ? text(", b is ", b.shape()) : "");
  };
  if (x.ndim() == 0 || w.ndim() != 2) scope.fail("needs x (..., in), w (in, out) and b (out): ", shapes());
  if (x.shape()[-1] != w.shape()[0])
    scope.fail("inner dimensions differ: ", shapes(), "; x needs ", w.shape()[0], " features");
  if (b.defined() && b.shape() != Shape{w.shape()[1]})
    scope.fail("the bias does not fit: ", shapes(), "; b needs shape (", w.shape()[1], ",)");
}

Array affine(const Tensor& x, const Tensor& w, const Tensor& b) {
  Shape shape = x.shape();
  shape[-1] = w.shape()[1];
  Array y(x.dtype(), shape);
  const kernels::Gemm gemm{.m = shape.product(0, shape.ndim() - 1), .n = shape[-1], .k = w.shape()[0]};
  kernels::table().gemm[int(y.dtype())](gemm, x.array().data(), w.array().data(), y.data());
  if (b.defined()) kernels::table().add_row[int(y.dtype())](b.array().data(), y.data(), gemm.m, gemm.n);
  return y;
}

/// sum(g, {0}), which looks at axes for as long as a small sum takes.
Tensor sum_rows(const Tensor& g) {
  if (g.shape()[0] == 1) return reshaped(g, {g.shape()[1]});
  const auto forward = [&g] {
    Array y(g.dtype(), {g.shape()[1]});
    const auto kernel = kernels::table().reduce[int(kernels::Reduce::sum)][int(g.dtype())];
    if (y.size() > 0) kernel(g.array().data(), y.data(), 1, g.shape()[0], y.size());
    return y;
  };
  return primitive("sum", {g}, forward, [shape = g.shape()](const Tensor& h) { return broadcast_to(h, shape); });
}

}  // namespace

Tensor dense(const Operand& x, const Operand& w, const Tensor& b) {
  const OpScope scope("dense", x.place());
  check_dense(scope, x, w, b);
  const auto forward = [&] { return affine(x.tensor(), w.tensor(), b); };
  auto to_x = [w = Stack(w.tensor(), true)](const Tensor& g) {
    Shape shape = g.shape();
    shape[-1] = w.columns();
    return viewed(product({as_matrix(g), false}, w), shape);  // (rows, out) (out, in)
  };
  auto to_w = [x = Stack(x.tensor(), true)](const Tensor& g) {
    return product({as_matrix(x.matrices()), true}, {as_matrix(g), false});  // (in, rows) (rows, out)
  };
  if (!b.defined()) return primitive("dense", {x, w}, forward, std::move(to_x), std::move(to_w));
  return primitive("dense", {x, w, b}, forward, std::move(to_x), std::move(to_w),
                   [](const Tensor& g) { return sum_rows(as_matrix(g)); });
}

}  // namespace xgrad
