#include <doctest/doctest.h>
#include <algorithm>
#include <autograd/functional.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops/table/row.hpp>

// Every op under jvp and vjp.
using namespace xgrad;
using namespace xgrad::op_table;

namespace {

Tensor drawn(const Domain& domain, std::mt19937_64& random, const Shape& shape) {
  return from_values(domain.draw(random, shape), shape).to(domain.dtype);
}
Tensor gaussian(std::mt19937_64& random, const Shape& shape) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  std::normal_distribution<double> normal;
  for (double& v : values) v = normal(random);
  return from_values(values, shape);
}

/// <a, b>, and the sum of the sizes of its terms, which are drawn of size 1.
struct Inner {
  double value = 0, size = 0;
  Inner(const Tensors& a, const Tensors& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      value += sum(a[i] * b[i]).item<double>();
      size += sum(abs(a[i] * b[i])).item<double>();
    }
  }
};
bool equal(const Inner& a, const Inner& b) {
  return std::fabs(a.value - b.value) <= 1e-12 * std::max({a.size, b.size, 1.});
}

struct Counts {
  long jacobians = 0, hessians = 0;
};

/// The two identities of one variant at one tuple of shapes.
void check(const Row& row, const Variant& variant, const std::vector<Shape>& shapes, Counts& counts) {
  std::mt19937_64 random(7);
  Tensors all, x;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    all.push_back(drawn(variant.domains[i], random, shapes[i]));
    if (is_floating(all.back().dtype())) x.push_back(all.back());
  }
  const auto f = [&](const Tensors& floating) {
    Tensors arguments = all;
    std::size_t next = 0;
    for (Tensor& t : arguments)
      if (is_floating(t.dtype())) t = floating[next++];
    return variant.f(arguments);
  };
  if (x.empty() || !is_floating(f(x).dtype())) return;
  const std::string where = text(row.op, " [", variant.label, "] ", shapes[0]);
  CAPTURE(where);
  Tensors u, w;
  for (const Tensor& t : x) {
    u.push_back(gaussian(random, t.shape()));
    w.push_back(gaussian(random, t.shape()));
  }
  const auto [y, pullback] = vjp(f, x);
  const Tensor v = gaussian(random, y.shape());
  CHECK(equal(Inner({v}, {jvp(f, x, u).tangent}), Inner(u, pullback(v))));
  ++counts.jacobians;
  if (variant.order < 2) return;
  const auto projected = [&](const Tensors& at) { return sum(f(at) * v); };
  CHECK(equal(Inner(u, hvp(projected, x, w)), Inner(w, hvp(projected, x, u))));
  ++counts.hessians;
}

}  // namespace

TEST_CASE("for every op <v, J u> = <u, J^T v> and <u, H v> = <v, H u>") {
  Counts counts;
  for (const Row& row : all_rows())
    for (const Variant& variant : row.variants) {
      if (variant.order == 0) continue;
      for (const std::vector<Shape>& shapes : variant.shapes) check(row, variant, shapes, counts);
    }
  MESSAGE(counts.jacobians, " Jacobians, ", counts.hessians, " Hessians");
  CHECK(counts.jacobians > 500);
  CHECK(counts.hessians > 400);
}
