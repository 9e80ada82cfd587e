#include <autograd/linalg/triangular.hpp>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>

/// Triangular matrices: systems of them, and Cholesky's factors.
namespace xgrad::linalg {

System::System(const OpScope& scope, const Operand& a, const Operand& b) {
  const Shape batch_a = batch_of(a.shape()), batch_b = batch_of(b.shape());
  Shape batch;
  if (!broadcast(batch_a, batch_b, batch))
    scope.fail("batch axes do not broadcast: a is ", a.shape(), ", b is ", b.shape(),
               "; sizes before the last two must agree or be 1");
  batches.rank = batch.ndim();
  const Shape strides[] = {broadcast_strides(batch_a, batch), broadcast_strides(batch_b, batch)};
  std::copy(batch.begin(), batch.end(), batches.sizes);
  for (int k = 0; k < 2; ++k) std::copy(strides[k].begin(), strides[k].end(), batches.strides[k]);
  x = with_matrices(batch, b.shape()[-2], b.shape()[-1]);
}

namespace {

template <class T>
void factor_symmetric(const T* a, T* l, const Batch& batch, Size n) {
  const auto& potrf = lapack::functions<T>().potrf;
  First indefinite;
  each_piece(batch.count(), n * n * n / 3, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      const T* const from = a + i * n * n;
      T* const to = l + i * n * n;
      bool finite = true;
      for (Size row = 0; row < n; ++row) {
        finite &= all_finite(from + row * n, row + 1);
        std::copy_n(from + row * n, row + 1, to + row * n);
        std::fill_n(to + row * n + row + 1, n - row - 1, T(0));
      }
      // By columns the lower triangle is the upper one, and l l^T is u^T u.
      const Int fault = finite ? potrf(lapack::by_columns, 'U', Int(n), to, Int(n)) : 0;
      if (fault > 0) indefinite.note(i, fault);
      if (!finite)
        for (Size row = 0; row < n; ++row) fill_nan(to + row * n, row + 1);
    }
  });
  if (const auto& found = indefinite.found())
    xgrad::detail::fail<ValueError>(
        name_in(batch, found->matrix, "a"), " is not positive definite: its leading minor of order ", found->detail,
        " is not positive; add a small multiple of the identity if rounding alone can be the reason");
}

template <class T>
void check_diagonal(const T* a, const Batch& batch, Size n, const char* name) {
  for (Size i = 0; i < batch.count(); ++i)
    for (Size k = 0; k < n; ++k)
      if (a[(i * n + k) * n + k] == 0)
        xgrad::detail::fail<ValueError>(name_in(batch, i, name), " is singular: element ", k,
                                        " of its diagonal is 0; use lstsq, which needs no inverse");
}

template <class T>
void substitute_all(const T* a, const T* b, T* x, const kernels::Loop<2>& batches, Size n, Size k, bool upper,
                    bool transpose) {
  each_piece(batches.count(), n * n * k, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      const T* const from = b + offset(batches, 1, i) * n * k;
      T* const to = x + i * n * k;
      std::copy_n(from, n * k, to);
      substitute(a + offset(batches, 0, i) * n * n, to, n, k, {upper, transpose, false});
    }
  });
}

}  // namespace

Tensor substituted(const Operand& a, const Operand& b, TriangularOptions options, const char* name) {
  const OpScope scope("linalg::solve_triangular", a.place());
  const System system(scope, a, b);
  const auto forward = [&] {
    Array x(a.dtype(), system.x);
    const Size n = system.x[-2], k = system.x[-1];
    if (x.size() == 0) return x;
    for_type(a.dtype(), [&]<class T>() {
      const T* const matrices = a.array().data<T>();
      capturing::repeat(check_diagonal<T>, matrices, Batch(batch_of(a.shape())), n, name);
      capturing::repeat(substitute_all<T>, matrices, b.array().data<T>(), x.data<T>(), system.batches, n, k,
                        options.upper, options.transpose);
    });
    return x;
  };
  const TriangularOptions back{options.upper, !options.transpose};
  auto to_a = [a = Saved(a), options, back, name, of = a.shape()](const Tensor& g, const Tensor& x) {
    const Tensor h = substituted(a, g, back, name);
    const Tensor all =
        sum_to(options.transpose ? matmul(x, h, {.transpose_b = true}) : matmul(h, x, {.transpose_b = true}), of);
    return -(options.upper ? triu(all) : tril(all));
  };
  auto to_b = [a = Saved(a), back, name, of = b.shape()](const Tensor& g) {
    return sum_to(substituted(a, g, back, name), of);
  };
  return primitive("linalg::solve_triangular", {a, b}, forward, std::move(to_a), std::move(to_b));
}

Tensor solve_triangular(const Operand& a, const Operand& b, TriangularOptions options) {
  const OpScope scope("linalg::solve_triangular", a.place());
  check_square(scope, "a", a);
  check_right_side(scope, a, b);
  return with_columns(b, [&](const Operand& columns) { return substituted(a, columns, options); });
}

Tensor cholesky(const Operand& a) {
  const OpScope scope("linalg::cholesky", a.place());
  check_square(scope, "a", a);
  const auto forward = [&] {
    Array l(a.dtype(), a.shape());
    if (l.size() == 0) return l;
    for_type(a.dtype(), [&]<class T>() {
      capturing::repeat(factor_symmetric<T>, a.array().data<T>(), l.data<T>(), Batch(batch_of(a.shape())),
                        a.shape()[-1]);
    });
    return l;
  };
  return primitive("linalg::cholesky", {a}, forward, [](const Tensor& g, const Tensor& l) {
    // da = l^-T P l^-1 with P = l^T g, of which the lower triangle counts, and its diagonal by half.
    const Tensor both = matmul(l, g, {.transpose_a = true}), p = (tril(both) + tril(both, -1)) / 2;
    const Tensor left = substituted(l, p, {.transpose = true});
    return symmetric_part(substituted(l, transpose(left), {.transpose = true}));
  });
}

}  // namespace xgrad::linalg
