#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/checking/gradchecker.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops.hpp>
#include <cstring>

namespace xgrad {

using namespace checking;

namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.array().bytes() == 0 || std::memcmp(a.array().data(), b.array().data(), a.array().bytes()) == 0;
}
bool all_finite(const Numbers& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](double v) { return std::isfinite(v); });
}

}  // namespace

/// What must hold whatever the derivative is.
void Gradchecker::check_identities(int order, const Tensors& ys) {
  const auto problem = [&](const auto&... parts) {
    report_.problems_.push_back(text("order ", order, ": ", parts...));
  };
  const Numbers y = values(ys);
  const Numbers zero = gradient(ys, Numbers(y.size()));
  Gaussian draw(options_.seed);
  Numbers a(y.size()), b(y.size()), mixed(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    a[i] = draw();
    b[i] = draw();
    mixed[i] = a[i] - 2 * b[i];
  }
  const Numbers ga = gradient(ys, a), gb = gradient(ys, b), g_mixed = gradient(ys, mixed);
  if (all_finite(y) && all_finite(ga) && all_finite(gb)) {
    if (std::any_of(zero.begin(), zero.end(), [](double v) { return v != 0; }))
      problem("a zero cotangent does not give a gradient of exact zeros");
    double largest = 0, gap = 0;
    for (std::size_t i = 0; i < ga.size(); ++i) {
      largest = std::max({largest, std::fabs(ga[i]), std::fabs(gb[i])});
      gap = std::max(gap, std::fabs(g_mixed[i] - (ga[i] - 2 * gb[i])));
    }
    const bool narrow = std::any_of(leaves_.begin(), leaves_.end(), [](const Tensor& t) { return t.dtype() == f32; });
    if (!(gap <= (narrow ? 1e-4 : 1e-12) * largest + 1e-2 * tolerance_.atol))
      problem("the vjp is not linear in the cotangent: it is off by ", gap, " where gradients reach ", largest);
  }
  // Again, with f used at a neighbouring point before and after: state kept between calls shows.
  const auto elsewhere = [&] {
    Tensors moved;
    for (const Tensor& t : leaves_) {
      moved.push_back(own(t, t.dtype(), is_floating(t.dtype())));
      if (is_floating(t.dtype()))
        for (std::int64_t i = 0; i < t.size(); ++i)
          set(moved.back(), i, get(t, i) + step(get(t, i), tolerance_.single));
    }
    try {
      (void)outputs(order, moved, true);
    } catch (const std::exception&) {
      return;  // outside the domain, which the differences report
    }
  };
  elsewhere();
  const Tensors again = outputs(order, leaves_, true);
  if (!same_bits(values(again), y))
    problem(
        order == 1 ? "f gives other bits when it runs again" : "the lower gradient gives other bits when it runs again",
        "; is it random, or does it keep state?");
  elsewhere();
  if (!same_bits(gradient(again, a), ga))
    problem(
        "the gradient has other bits when f was used elsewhere in between; does a rule use a saved value that later "
        "calls overwrite?");
}

namespace {

struct Product {
  double value = 0, terms = 0;  // the sum of the terms, and of their magnitudes
};
Product dot(const Numbers& a, const Numbers& b) {
  Product p;
  for (std::size_t i = 0; i < a.size(); ++i) {
    p.value += a[i] * b[i];
    p.terms += std::fabs(a[i] * b[i]);
  }
  return p;
}

Tensors gaussians(const Tensors& like, Gaussian& draw) {
  Tensors result;
  for (const Tensor& t : like) {
    Tensor g = zeros(t.shape(), {.dtype = t.dtype()});
    for (std::int64_t i = 0; i < g.size(); ++i) set(g, i, draw());
    result.push_back(g.set_requires_grad(true));
  }
  return result;
}

/// The sum of <a, b>, undefined where no b has a history.
Tensor inner(const Tensors& a, const Tensors& b) {
  Tensor total;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (!b[k].requires_grad()) continue;
    const Tensor part = sum(a[k] * b[k]).to(f64);
    total = total.defined() ? total + part : part;
  }
  return total;
}

bool agree(const Product& a, const Product& b, bool narrow, double slack) {
  const double allowed = (narrow ? 1e-4 : 1e-12) * std::max(a.terms, b.terms) + slack;
  return !(std::fabs(a.value - b.value) > allowed);
}

}  // namespace

/// <v, J u> = <u, J^T v>. J u is the gradient of <u, J^T v> by v (Townsend 2017).
void Gradchecker::check_adjoint(const Tensors& ys) {
  const DetachedScope detached;
  const EnableGrad recording;
  Gaussian draw(options_.seed + 5);
  const Tensors by = floating(leaves_, leaves_.size()), us = gaussians(by, draw), vs = gaussians(ys, draw);
  const Tensor vy = inner(vs, ys);
  if (!vy.defined()) return;
  const Tensors pulled = grad(vy, by, {.create_graph = true, .zeros_if_unused = true});
  const Tensor upulled = inner(us, pulled);
  if (!upulled.defined()) return;
  const Numbers ju = values(grad(upulled, vs, {.retain_graph = true, .zeros_if_unused = true}));
  const Product forward = dot(values(vs), ju), back = dot(values(us), values(pulled));
  if (!agree(forward, back, by[0].dtype() == f32, 1e-2 * tolerance_.atol))
    report_.problems_.push_back(text("order 1: <v, J u> = ", forward.value, ", but <u, J^T v> = ", back.value,
                                     ": a rule is not the same linear function when it is differentiated"));
}

/// <u, H v> = <v, H u> for H, the second derivative of a random sum of all outputs.
void Gradchecker::check_symmetry(const Tensors& ys) {
  const DetachedScope detached;
  const EnableGrad recording;
  Gaussian draw(options_.seed + 6);
  const Tensors by = floating(leaves_, leaves_.size()), us = gaussians(by, draw), vs = gaussians(by, draw);
  Tensors weights;
  for (const Tensor& w : gaussians(ys, draw)) weights.push_back(w.detach());
  const Tensor total = inner(weights, ys);
  if (!total.defined()) return;
  const Tensors g = grad(total, by, {.create_graph = true, .zeros_if_unused = true});
  const Tensor ug = inner(us, g), vg = inner(vs, g);
  if (!ug.defined() || !vg.defined()) return;
  const Numbers hu = values(grad(ug, by, {.retain_graph = true, .zeros_if_unused = true})),
                hv = values(grad(vg, by, {.retain_graph = true, .zeros_if_unused = true}));
  const Product uhv = dot(values(us), hv), vhu = dot(values(vs), hu);
  if (!agree(uhv, vhu, by[0].dtype() == f32, 1e-2 * tolerance_.atol))
    report_.problems_.push_back(text("order 2: the second derivative is not symmetric: <u, H v> = ", uhv.value,
                                     ", but <v, H u> = ", vhu.value));
}

void Gradchecker::check_inputs_unchanged() {
  for (std::size_t i = 0; i < given_; ++i)
    if (!same_bits(leaves_[i], originals_[i])) report_.problems_.push_back(text("f changes input ", i));
}

}  // namespace xgrad
