#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/support/system.hpp>
#include <cmath>
#include <support.hpp>

// What the table of ops does not ask of linear algebra: large matrices and batches, extreme ones, repeated values.
using namespace xgrad;

namespace {

Tensor identity(std::int64_t n) { return eye(n, f64); }
Tensor symmetric(const Tensor& x) { return (x + transpose(x)) / 2; }

/// 1 / (i + j + 1), whose condition number grows like 34^n.
Tensor hilbert(std::int64_t n) {
  const Tensor i = arange(0, n, 1, f64);
  return 1 / (unsqueeze(i, 1) + i + 1);
}

}  // namespace

#define NEEDS_LAPACK \
  if (!linalg::available()) return

#ifdef XGRAD_LAPACK_INSTALLED
TEST_CASE("LAPACK is found where it is installed") { CHECK(linalg::available()); }
#endif

TEST_CASE("large matrices are put together again from their factors") {
  NEEDS_LAPACK;
  manual_seed(1);
  for (const Dtype dtype : {f32, f64})
    for (const auto& [m, n] : {std::pair(90, 90), std::pair(120, 40), std::pair(40, 120)}) {
      const Tensor a = randn({2, m, n}, dtype);
      const double exact = dtype == f32 ? 1e-4 : 1e-12;
      const auto [q, r] = linalg::qr(a);
      const auto [u, s, vh] = linalg::svd(a);
      const Tensor small = eye(std::min(m, n), dtype);
      CHECK(largest(matmul(q, r) - a) < exact);
      CHECK(largest(matmul(q, q, {.transpose_a = true}) - small) < exact);
      CHECK(largest(matmul(u * unsqueeze(s, -2), vh) - a) < exact);
      CHECK(largest(matmul(u, u, {.transpose_a = true}) - small) < exact);
      CHECK(largest(matmul(vh, vh, {.transpose_b = true}) - small) < exact);
      const Tensor square = matmul(a, a, {.transpose_a = true}) + n * eye(n, dtype), b = randn({n, 7}, dtype);
      const auto [w, v] = linalg::eigh(square);
      const Tensor l = linalg::cholesky(square);
      CHECK(largest(matmul(v * unsqueeze(w, -2), v, {.transpose_b = true}) / n - square / n) < exact);
      CHECK(largest(matmul(l, l, {.transpose_b = true}) / n - square / n) < exact);
      CHECK(largest(matmul(square, linalg::solve(square, b)) - b) < 10 * exact);
      CHECK(largest(matmul(square, linalg::inv(square)) - eye(n, dtype)) < 10 * exact);
      CHECK(largest(sum(log(w), -1) / linalg::slogdet(square).logabsdet - 1) < exact);
    }
}

TEST_CASE("a batch has the same bits for any number of threads, and as its matrices one by one") {
  NEEDS_LAPACK;
  manual_seed(2);
  const Tensor a = randn({60, 30, 30}, f64);
  const auto all = [&] {
    const auto [u, s, vh] = linalg::svd(a);
    return std::vector<Tensor>{linalg::inv(a), linalg::qr(a).r, s, vh, linalg::eigh(a).vectors};
  };
  const RestoreThreads restore;
  set_num_threads(1);
  const std::vector<Tensor> one = all();
  set_num_threads(3);
  const std::vector<Tensor> several = all();
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], several[i]));
  for (const std::int64_t i : {0, 17, 59}) CHECK(same_bits(one[0][i].clone(), linalg::inv(a[i])));
}

TEST_CASE("OpenBLAS keeps the number of threads that the program has set") {
  NEEDS_LAPACK;
  void* const blas = system::load_library("libopenblas.so.0");
  if (!blas) return;
  const auto threads = reinterpret_cast<int (*)()>(system::find_function(blas, "openblas_get_num_threads"));
  const auto set = reinterpret_cast<void (*)(int)>(system::find_function(blas, "openblas_set_num_threads"));
  const int before = threads();
  set(2);
  static_cast<void>(linalg::inv(identity(3)));
  CHECK(threads() == 2);
  CHECK_THROWS_AS(linalg::inv(zeros({2, 2})), ValueError);
  CHECK(threads() == 2);
  set(before);
}

TEST_CASE("a matrix with a number that is not finite gives NaN, and the others of the batch what they give alone") {
  NEEDS_LAPACK;
  const Tensor good = tensor({{4., 1.}, {1., 3.}}, f64);
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    const Tensor a = stack({good, full({2, 2}, bad, f64)});
    const auto [q, r] = linalg::qr(a);
    const auto [w, v] = linalg::eigh(a);
    const auto [u, s, vh] = linalg::svd(a);
    const auto [sign, logabsdet] = linalg::slogdet(a);
    for (const Tensor& y : {linalg::cholesky(a), linalg::inv(a), linalg::solve(a, ones({2}, f64)), linalg::det(a), sign,
                            logabsdet, q, r, w, v, u, s, vh, linalg::pinv(a)}) {
      CHECK(all(isfinite(y[0])));
      const Tensor second = y[1].ndim() == 2 ? sum(y[1]) : y[1];
      CHECK(all(isnan(second)));
    }
  }
}

TEST_CASE("gradients of a matrix with NaN are NaN, without an error") {
  NEEDS_LAPACK;
  for (const auto f :
       {+[](const Tensor& a) { return sum(linalg::cholesky(a)); }, +[](const Tensor& a) { return linalg::det(a); },
        +[](const Tensor& a) { return sum(linalg::inv(a)); }, +[](const Tensor& a) { return sum(linalg::qr(a).q); },
        +[](const Tensor& a) { return sum(linalg::eigh(a).vectors); },
        +[](const Tensor& a) { return sum(linalg::svd(a).u); },
        +[](const Tensor& a) { return sum(linalg::pinv(a)); }}) {
    const Tensor a = full({2, 2}, NAN, {.dtype = f64, .requires_grad = true});
    CHECK(any(isnan(grad(f(a), a))));
  }
}

TEST_CASE("the triangle that is not read may hold anything") {
  NEEDS_LAPACK;
  const Tensor a = tensor({{4., 1.}, {1., 3.}}, f64), lower = tensor({{4., NAN}, {1., 3.}}, f64);
  CHECK(same_bits(linalg::cholesky(lower), linalg::cholesky(a)));
  CHECK(same_bits(linalg::eigh(lower).vectors, linalg::eigh(a).vectors));
  const Tensor b = tensor({1., 2.}, f64);
  CHECK(largest(linalg::solve_triangular(lower, b) - tensor({.25, 1.75 / 3}, f64)) < 1e-15);
  CHECK(same_bits(linalg::solve_triangular(transpose(lower), b, {.upper = true, .transpose = true}),
                  linalg::solve_triangular(lower, b)));
}

TEST_CASE("results of a nearly singular system are as wrong as its condition says, and no more") {
  NEEDS_LAPACK;
  for (const std::int64_t n : {4, 8, 12}) {
    const Tensor a = hilbert(n), x = ones({n}, f64);
    const Tensor s = linalg::svd(a).s;
    const double condition = s.at(0).item() / s.at(n - 1).item();
    const Tensor found = linalg::solve(a, matmul(a, x));
    CHECK(largest(found - x) < 10 * condition * 2.2e-16);
    CHECK(largest(matmul(a, found) - matmul(a, x)) < 1e-14);  // while the residual is small
  }
  // Singular values below rcond times the largest are left out of the pseudo-inverse, and so missing in the product.
  const Tensor a = hilbert(16), y = linalg::pinv(a, 1e-6);
  CHECK(largest(y) < 1e6);
  CHECK(largest(matmul(matmul(a, y), a) - a) < 2e-6);
}

TEST_CASE("the determinant is a polynomial, also where it is 0") {
  NEEDS_LAPACK;
  // The cofactors of diag(1, 2, 0), and of matrices of rank 1 and 0.
  const Tensor a = tensor({{1., 0., 0.}, {0., 2., 0.}, {0., 0., 0.}}, {.dtype = f64, .requires_grad = true});
  CHECK(linalg::det(a).item() == 0);
  CHECK(largest(grad(linalg::det(a), a) - tensor({{0., 0., 0.}, {0., 0., 0.}, {0., 0., 2.}}, f64)) < 1e-15);
  const auto det = [](const Tensor& x) { return linalg::det(x); };
  for (const Tensor& x : {ones({3, 3}, f64), zeros({3, 3}, f64)}) {
    // d^2 det / d x[0, 0] d x[1, 1] = x[2, 2], and so on: the Hessian is of the matrix' own elements.
    const Tensor h = reshape(hessian(det, x), {3, 3, 3, 3});
    CHECK(std::fabs(h.at(0, 0, 1, 1).item() - x.at(2, 2).item()) < 1e-13);
    CHECK(std::fabs(h.at(0, 1, 1, 0).item() + x.at(2, 2).item()) < 1e-13);
    CHECK(std::fabs(h.at(0, 0, 0, 1).item()) < 1e-13);
  }
  const Tensor last_row_is_sum = tensor({{1, 2, 3, 4}, {2, 1, 0, 1}, {0, 1, 3, 1}, {3, 4, 6, 6}}, f64);
  CHECK(gradcheck(det, {last_row_is_sum}, {.order = 3}).ok());
}

TEST_CASE("slogdet of a singular matrix") {
  NEEDS_LAPACK;
  const Tensor a = tensor({{1., 2.}, {2., 4.}}, {.dtype = f64, .requires_grad = true});
  const auto [sign, logabsdet] = linalg::slogdet(a);
  CHECK(sign.item() == 0);
  CHECK(logabsdet.item() == -HUGE_VAL);
  CHECK_FALSE(sign.requires_grad());
  CHECK_FALSE(all(isfinite(grad(logabsdet, a))));
  const auto [one, zero] = linalg::slogdet(zeros({0, 0}));
  CHECK(one.item() == 1);
  CHECK(zero.item() == 0);
  // 0.1^400 underflows.
  CHECK(linalg::slogdet(identity(400) / 10).logabsdet.item() == doctest::Approx(-400 * std::log(10.)));
}

TEST_CASE("where values repeat, functions of them that treat them alike have gradients, and vectors have none") {
  NEEDS_LAPACK;
  manual_seed(3);
  const Tensor q = linalg::qr(randn({4, 4}, f64)).q;
  const Tensor repeated = symmetric(matmul(q * tensor({1., 2., 2., 2.}, f64), q, {.transpose_b = true}));
  const auto sum_of_powers = [](const Tensor& x) { return sum(pow(linalg::eigh(symmetric(x)).values, 3)); };
  const auto nuclear = [](const Tensor& x) { return sum(linalg::svd(x).s); };
  const auto vectors = [](const Tensor& x) { return sum(linalg::eigh(x).vectors); };
  const auto left = [](const Tensor& x) { return sum(linalg::svd(x).u); };
  for (const Tensor& a : {repeated, identity(4)}) {
    CHECK(gradcheck(sum_of_powers, {a}).ok());
    CHECK(gradcheck(nuclear, {a}).ok());
    const Tensor x = a.clone().set_requires_grad(true);
    CHECK(all(isnan(grad(vectors(x), x))));
    CHECK(all(isnan(grad(left(x), x))));
  }
  // In a batch the other matrices have theirs.
  const Tensor both = stack({identity(2), tensor({{1., 0.5}, {0.5, 3.}}, f64)}).set_requires_grad(true);
  const Tensor g = grad(vectors(both), both);
  CHECK(all(isnan(g[0])));
  CHECK(all(isfinite(g[1])));
  // A tall matrix of deficient rank: its values have a gradient where they are not zero.
  const Tensor tall = outer(tensor({1., 2., 3.}, f64), tensor({1., -1.}, f64)).set_requires_grad(true);
  CHECK(all(isfinite(grad(linalg::svd(tall).s.at(0), tall))));
  CHECK(any(isnan(grad(left(tall), tall))));
}

TEST_CASE("a pseudo-inverse of deficient rank has the derivative at that rank") {
  NEEDS_LAPACK;
  const auto of_outer = [](const Tensor& u, const Tensor& v) { return linalg::pinv(outer(u, v)); };
  const Tensor u = tensor({1., -2., .5}, f64), v = tensor({.3, 2.}, f64);
  CHECK(largest(of_outer(u, v) - outer(v, u) / (sum(u * u) * sum(v * v))) < 1e-15);
  CHECK(gradcheck(of_outer, {u, v}, {.order = 2}).ok());
}

TEST_CASE("a replay says which matrix has become singular") {
  NEEDS_LAPACK;
  Tensor a = stack({identity(2), identity(2)});
  auto step = capture([&] { return linalg::solve(a, ones({2}, f64)); });
  for (int i = 0; i < 3; ++i) CHECK(largest(step() - 1) == 0);
  a.set(1, zeros({2, 2}, f64));
  CHECK(has(thrown<ValueError>([&] { step(); }), "linalg::solve: the matrix [1] of a is singular"));
}

TEST_CASE("several threads of a program may compute at once") {
  NEEDS_LAPACK;
  manual_seed(4);
  const Tensor a = randn({8, 20, 20}, f64), expected = linalg::inv(a);
  std::vector<Tensor> found(4);
  on_threads(4, [&](int i) {
    for (int k = 0; k < 20; ++k) found[std::size_t(i)] = linalg::inv(a);
  });
  for (const Tensor& mine : found) CHECK(same_bits(mine, expected));
}
