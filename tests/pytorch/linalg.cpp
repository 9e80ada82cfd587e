// Linear algebra as tests/pytorch/linalg.py asks. Reads lines `OP batch m n k`, then the numbers of a (batch, m, n) and
// of b (batch, m, k), and answers each with the results' numbers and the gradients of their weighted sum by a and b.
// Signs, which are LAPACK's choice, are squared away.
#include <cstdio>
#include <iostream>
#include <map>
#include <xgrad.hpp>

using namespace xgrad;

namespace {

Tensor symmetric(const Tensor& a) { return (a + transpose(a)) / 2; }
Tensor positive(const Tensor& a) { return matmul(a, a, {.transpose_b = true}) + eye(a.shape()[-2], f64); }

using Op = std::vector<Tensor> (*)(const Tensor& a, const Tensor& b);
const std::map<std::string, Op> ops = {
    {"cholesky", [](const Tensor& a, const Tensor&) { return std::vector{linalg::cholesky(positive(a))}; }},
    {"solve", [](const Tensor& a, const Tensor& b) { return std::vector{linalg::solve(a, b)}; }},
    {"solve_triangular",
     [](const Tensor& a, const Tensor& b) {
       return std::vector{linalg::solve_triangular(a, b), linalg::solve_triangular(a, b, {.upper = true})};
     }},
    {"inv", [](const Tensor& a, const Tensor&) { return std::vector{linalg::inv(a)}; }},
    {"det", [](const Tensor& a, const Tensor&) { return std::vector{linalg::det(a)}; }},
    {"slogdet",
     [](const Tensor& a, const Tensor&) {
       const auto [sign, logabsdet] = linalg::slogdet(a);
       return std::vector{sign, logabsdet};
     }},
    {"qr",
     [](const Tensor& a, const Tensor&) {
       const auto [q, r] = linalg::qr(a);
       return std::vector{square(q), square(r)};
     }},
    {"eigh",
     [](const Tensor& a, const Tensor&) {
       const auto [values, vectors] = linalg::eigh(symmetric(a));
       return std::vector{values, square(vectors)};
     }},
    {"svd",
     [](const Tensor& a, const Tensor&) {
       const auto [u, s, vh] = linalg::svd(a);
       return std::vector{square(u), s, square(vh)};
     }},
    {"pinv", [](const Tensor& a, const Tensor&) { return std::vector{linalg::pinv(a)}; }},
    {"lstsq", [](const Tensor& a, const Tensor& b) { return std::vector{linalg::lstsq(a, b)}; }},
    {"matrix_power", [](const Tensor& a, const Tensor&) { return std::vector{linalg::matrix_power(a, 3)}; }},
};

Tensor read(const Shape& shape) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& v : values) std::cin >> v;
  return from_values(values, shape, true);
}

void print(const Tensor& t) {
  for (const double v : to_vector(t)) std::printf("%.17g ", v);
}

}  // namespace

int main() {
  if (!linalg::available()) return 77;
  std::string name;
  std::int64_t batch = 0, m = 0, n = 0, k = 0;
  while (std::cin >> name >> batch >> m >> n >> k) {
    const Tensor a = read({batch, m, n}), b = read({batch, m, k});
    std::vector<Tensor> flat;
    for (const Tensor& y : ops.at(name)(a, b)) flat.push_back(flatten(y));
    const Tensor all = concatenate(flat);
    const auto gradients = grad(sum(all * linspace(.5, 1.5, all.size(), f64)), {a, b}, {.zeros_if_unused = true});
    print(all);
    for (const Tensor& g : gradients) print(g);
    std::printf("\n");
  }
}
