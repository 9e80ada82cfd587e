#include <autograd/linalg.hpp>
#include <autograd/ops/table/matrices.hpp>
#include <autograd/ops/table/row.hpp>

namespace xgrad::op_table {
namespace {

/// Uniform on [-1, 1], with 3 (and 1 more from row to row) added to an element of each row: to the diagonal, or beside
/// it, so that rows have to change places. Such matrices are far from singular ones, and their values from each other.
Domain regular(bool beside = false) {
  return {[beside](std::mt19937_64& random, const Shape& shape) {
    std::vector<double> x = interval(-1, 1).draw(random, shape);
    const std::int64_t m = shape[-2], n = shape[-1];
    for (std::int64_t i = 0; i < shape.size(); ++i) {
      const std::int64_t row = i / n % m, column = i % n;
      if (column == (row + beside) % n) x[static_cast<std::size_t>(i)] += 3 + double(row);
    }
    return x;
  }};
}

const ShapeTuples squares{{{3, 3}}, {{1, 1}}, {{0, 0}}, {{2, 2, 2}}, {{0, 2, 2}}, {{1, 2, 1, 2, 2}}, {{4, 4}}};
const ShapeTuples right_sides{
    {{3, 3}, {3, 2}}, {{1, 1}, {1, 1}},    {{3, 3}, {3}},       {{0, 0}, {0, 2}},          {{2, 2}, {2, 0}},
    {{2, 2, 2}, {2}}, {{2, 2, 2}, {2, 1}}, {{2, 2}, {3, 2, 1}}, {{2, 1, 2, 2}, {3, 2, 2}}, {{1, 2, 1, 2, 2}, {2, 1}}};
const ShapeTuples rectangles{{{3, 3}}, {{4, 2}}, {{2, 4}},    {{1, 1}},
                             {{0, 2}}, {{2, 0}}, {{2, 3, 2}}, {{1, 2, 1, 2, 3}}};

Variant of_matrices(const std::string& label, const Function& f, const Reference& reference,
                    const ShapeTuples& shapes = squares, Domain domain = regular()) {
  return {.label = label,
          .f = f,
          .reference = reference,
          .domains = {std::move(domain)},
          .shapes = shapes,
          .ulps = 30,
          .scale = 12,
          .f32_grad = 1e-4};
}

Variant of_each_matrix(const std::string& label, const Function& f,
                       const std::function<Matrix(const Matrix&)>& reference, const ShapeTuples& shapes = squares,
                       Domain domain = regular()) {
  return of_matrices(
      label, f, [reference](const std::vector<Values>& x) { return of_each(x[0], reference); }, shapes,
      std::move(domain));
}

Tensor symmetric(const Tensor& x) { return (x + transpose(x)) / 2; }
Matrix symmetric(const Matrix& x) {
  Matrix s = x;
  for (std::int64_t i = 0; i < s.rows; ++i)
    for (std::int64_t j = 0; j < s.columns; ++j) s(i, j) = (x(i, j) + x(j, i)) / 2;
  return s;
}

/// What of a triangle, or of all, an op reads; as it was written otherwise.
Matrix triangle_of(const Matrix& a, bool upper) {
  Matrix t = a;
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.columns; ++j)
      if (upper ? j < i : j > i) t(i, j) = 0;
  return t;
}

Reference systems(const std::function<Matrix(const Matrix&)>& prepared) {
  return [=](const std::vector<Values>& x) {
    Values b = x[1];
    const bool vector = b.shape.ndim() == 1;
    if (vector) b.shape.push_back(1);
    Values y = of_pairs(x[0], b, [&](const Matrix& p, const Matrix& q) { return solution_of(prepared(p), q); });
    if (vector) y.shape.erase(y.shape.ndim() - 1);
    return y;
  };
}

Variant system(const std::string& label, const Function& f, const std::function<Matrix(const Matrix&)>& prepared,
               bool beside, const ShapeTuples& shapes = right_sides) {
  return {.label = label,
          .f = f,
          .reference = systems(prepared),
          .domains = {regular(beside), interval(-2, 2)},
          .shapes = shapes,
          .ulps = 16,
          .scale = 4,
          .f32_grad = 1e-4};
}

Variant triangular(bool upper, bool transpose, const ShapeTuples& shapes) {
  return system(
      text(upper ? "upper " : "", transpose ? "transposed" : ""),
      [=](const Tensors& x) { return linalg::solve_triangular(x[0], x[1], {.upper = upper, .transpose = transpose}); },
      [=](const Matrix& a) {
        const Matrix t = triangle_of(a, upper);
        return transpose ? transposed(t) : t;
      },
      false, shapes);
}

/// x with columns multiplied by 1, 2, ...
Tensor weighted(const Tensor& x) { return x * arange(1, x.shape()[-1] + 1, 1, {.dtype = x.dtype()}); }

/// Of a symmetric matrix whose eigenvalues are larger than -2: ascending, and the sum of j v_j v_j^T.
Matrix eigenvalues(const Matrix& x) {
  Matrix a = symmetric(x), w(1, x.rows);
  for (std::int64_t i = 0; i < x.rows; ++i) a(i, i) += 2;
  const Singular f = singular_of(a);
  for (std::int64_t j = 0; j < x.rows; ++j) w(0, j) = f.s[static_cast<std::size_t>(x.rows - 1 - j)] - 2;
  return w;
}
Matrix eigenprojections(const Matrix& x) {
  Matrix a = symmetric(x), y(x.rows, x.rows);
  for (std::int64_t i = 0; i < x.rows; ++i) a(i, i) += 2;
  const Matrix v = singular_of(a).v;
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.rows; ++j)
      for (std::int64_t k = 0; k < x.rows; ++k) y(i, j) += Real(x.rows - k) * v(i, k) * v(j, k);
  return y;
}

/// The singular values, and u diag(1, 2, ...) vh.
Matrix singular_values(const Matrix& a) {
  const Singular f = singular_of(a.rows < a.columns ? transposed(a) : a);
  Matrix s(1, std::min(a.rows, a.columns));
  s.v = f.s;
  return s;
}
Matrix weighted_product(const Matrix& a) {
  if (a.rows < a.columns) return transposed(weighted_product(transposed(a)));
  const Singular f = singular_of(a);
  Matrix u = f.u;
  for (std::int64_t i = 0; i < u.rows; ++i)
    for (std::int64_t j = 0; j < u.columns; ++j) u(i, j) *= Real(j + 1);
  return product(u, transposed(f.v));
}

/// Without the axis of size 1 before the last that a reference of one row has.
Reference rows_as_vectors(const std::function<Matrix(const Matrix&)>& f) {
  return [f](const std::vector<Values>& x) {
    Values y = of_each(x[0], f);
    y.shape.erase(y.shape.ndim() - 2);
    return y;
  };
}
Reference numbers(const std::function<Real(Real)>& of_det) {
  return [of_det](const std::vector<Values>& x) {
    return of_each(
        x[0],
        [&](const Matrix& a) {
          Matrix y(1, 1);
          solution_of(a, Matrix(a.rows, 0), &y.v[0]);
          y.v[0] = of_det(y.v[0]);
          return y;
        },
        true);
  };
}

/// 1, or -1 where the diagonal of r is negative: LAPACK's choice of signs, undone.
Tensor signs_of(const Tensor& r) {
  const std::int64_t k = r.shape()[-2];
  const Tensor square = slice(r, -1, 0, k);
  return sign(sum(square * eye(k, {.dtype = r.dtype()}), -1));
}

Matrix pseudo_inverse(const Matrix& a) {
  if (a.rows < a.columns) return transposed(pseudo_inverse(transposed(a)));
  return solution_of(product(transposed(a), a), transposed(a));
}

}  // namespace

std::vector<Row> rows_linalg() {
  using namespace linalg;
  std::vector<Row> rows;
  if (!available()) return rows;
  const auto add = [&](const char* op, std::vector<Variant> variants) {
    rows.push_back({op, std::move(variants), {}, scalars});
  };
  Variant factor = of_each_matrix(
      "", [](const Tensors& x) { return cholesky(symmetric(x[0])); },
      [](const Matrix& x) { return cholesky_of(symmetric(x)); });
  factor.reads_triangle = true;
  add("linalg::cholesky", {factor});
  const auto as_is = [](const Matrix& a) { return a; };
  add("linalg::solve", {system(
                           "", [](const Tensors& x) { return solve(x[0], x[1]); }, as_is, true)});
  const ShapeTuples few{{{3, 3}, {3, 2}}, {{2, 2, 2}, {2}}};
  add("linalg::solve_triangular", {triangular(false, false, right_sides), triangular(true, false, few),
                                   triangular(false, true, few), triangular(true, true, few)});
  add("linalg::inv", {of_each_matrix(
                         "", [](const Tensors& x) { return inv(x[0]); },
                         [](const Matrix& a) { return solution_of(a, identity(a.rows)); }, squares, regular(true))});
  Variant determinant = of_matrices(
      "", [](const Tensors& x) { return det(x[0]); }, numbers([](Real d) { return d; }), squares, regular(true));
  determinant.scale = 400;
  Variant singular = of_matrices(
      "singular", [](const Tensors& x) { return det(x[0]); }, numbers([](Real d) { return d; }),
      {{{3, 3}}, {{2, 3, 3}}}, fixed({1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 0, 1, 1, 3, 0, 0, 1, 1}));
  singular.scale = 400;
  add("linalg::det", {determinant, singular});
  Variant sign_alone = of_matrices(
      "sign", [](const Tensors& x) { return slogdet(x[0]).sign; }, numbers([](Real d) { return Real(d < 0 ? -1 : 1); }),
      {{{3, 3}}, {{2, 2, 2}}}, regular(true));
  sign_alone.order = 0;
  add("linalg::slogdet", {of_matrices(
                              "logarithm", [](const Tensors& x) { return slogdet(x[0]).logabsdet; },
                              numbers([](Real d) { return std::log(std::fabs(d)); }), squares, regular(true)),
                          sign_alone});
  add("linalg::qr", {of_each_matrix(
                         "q",
                         [](const Tensors& x) {
                           const auto [q, r] = qr(x[0]);
                           return q * unsqueeze(signs_of(r), -2);
                         },
                         [](const Matrix& a) { return orthogonal_of(a).q; },
                         {{{3, 3}}, {{4, 2}}, {{1, 1}}, {{2, 0}}, {{2, 3, 2}}, {{1, 2, 1, 3, 2}}}),
                     of_each_matrix(
                         "r",
                         [](const Tensors& x) {
                           const Tensor r = qr(x[0]).r;
                           return r * unsqueeze(signs_of(r), -1);
                         },
                         [](const Matrix& a) {
                           if (a.rows >= a.columns) return orthogonal_of(a).r;
                           Matrix square(a.rows, a.rows);
                           for (std::int64_t i = 0; i < a.rows; ++i)
                             for (std::int64_t j = 0; j < a.rows; ++j) square(i, j) = a(i, j);
                           return product(transposed(orthogonal_of(square).q), a);
                         },
                         {{{3, 3}}, {{4, 2}}, {{2, 4}}, {{0, 2}}, {{2, 0}}, {{2, 3, 2}}, {{1, 2, 1, 2, 3}}})});
  Variant values = of_matrices(
      "values", [](const Tensors& x) { return eigh(symmetric(x[0])).values; }, rows_as_vectors(eigenvalues));
  Variant vectors = of_each_matrix(
      "vectors",
      [](const Tensors& x) {
        const Tensor v = eigh(symmetric(x[0])).vectors;
        return matmul(weighted(v), v, {.transpose_b = true});
      },
      eigenprojections);
  values.reads_triangle = vectors.reads_triangle = true;
  add("linalg::eigh", {values, vectors});
  add("linalg::svd",
      {of_matrices(
           "values", [](const Tensors& x) { return svd(x[0]).s; }, rows_as_vectors(singular_values), rectangles),
       of_each_matrix(
           "vectors",
           [](const Tensors& x) {
             const auto [u, s, vh] = svd(x[0]);
             return matmul(weighted(u), vh);
           },
           weighted_product, rectangles)});
  add("linalg::pinv", {of_each_matrix(
                          "", [](const Tensors& x) { return pinv(x[0]); }, pseudo_inverse, rectangles)});
  add("linalg::lstsq", {{.label = "",
                         .f = [](const Tensors& x) { return lstsq(x[0], x[1]); },
                         .reference =
                             [](const std::vector<Values>& x) {
                               Values b = x[1];
                               if (b.shape.ndim() == 1) b.shape.push_back(1);
                               Values y = of_pairs(x[0], b, [](const Matrix& p, const Matrix& q) {
                                 return product(pseudo_inverse(p), q);
                               });
                               if (x[1].shape.ndim() == 1) y.shape.erase(y.shape.ndim() - 1);
                               return y;
                             },
                         .domains = {regular(), interval(-2, 2)},
                         .shapes = {{{3, 2}, {3}},
                                    {{3, 2}, {3, 2}},
                                    {{2, 3}, {2, 1}},
                                    {{1, 1}, {1}},
                                    {{2, 0}, {2, 1}},
                                    {{1, 2, 1, 3, 2}, {3, 1}}},
                         .ulps = 30,
                         .scale = 12,
                         .f32_grad = 1e-4}});
  const auto power = [](std::int64_t n) {
    Variant v = of_each_matrix(
        text("to the ", n), [=](const Tensors& x) { return matrix_power(x[0], n); },
        [=](const Matrix& a) {
          Matrix y = identity(a.rows);
          for (std::int64_t i = 0; i < std::abs(n); ++i) y = product(y, a);
          return n < 0 ? solution_of(y, identity(a.rows)) : y;
        },
        n == 3 ? squares : ShapeTuples{{{3, 3}}});
    v.scale = 600;
    return v;
  };
  add("linalg::matrix_power", {power(3), power(5), power(-2), power(1)});
  return rows;
}

}  // namespace xgrad::op_table
