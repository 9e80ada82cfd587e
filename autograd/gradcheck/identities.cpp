// Checks what must hold of any derivative: adjoint products, symmetry of second derivatives, untouched inputs.
#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/gradcheck/rounding.hpp>
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
  const Numbers ga = gradient(ys, a), gb = gradient(ys, b);
  if (all_finite(y) && all_finite(ga) && all_finite(gb)) {
    if (std::any_of(zero.begin(), zero.end(), [](double v) { return v != 0; }))
      problem("a zero cotangent does not give a gradient of exact zeros");
    const auto gap_of = [&](const Tensors& of) {
      const Numbers x = gradient(of, a), z = gradient(of, b), both = gradient(of, mixed);
      Gap gap;
      for (std::size_t i = 0; i < x.size(); ++i) {
        gap.scale = std::max({gap.scale, std::fabs(x[i]), std::fabs(z[i])});
        gap.size = std::max(gap.size, std::fabs(both[i] - (x[i] - 2 * z[i])));
      }
      return gap;
    };
    if (const Gap gap = gap_of(ys); !is_rounding(order, gap, gap_of))
      problem("the vjp is not linear in the cotangent: it is off by ", gap.size, " where gradients reach ", gap.scale);
  }
  // Again, with f used at a neighbouring point before and after: state kept between calls shows.
  const auto elsewhere = [&] {
    Tensors moved;
    for (std::size_t k = 0; k < leaves_.size(); ++k) {
      const Tensor& t = leaves_[k];
      moved.push_back(own(t, t.dtype(), checked_[k]));
      if (checked_[k])
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

}  // namespace

/// Whether an identity that ought to give a gap of 0 misses it by rounding only: what gap_of(outputs) is when f and its
/// rules round otherwise tells.
template <class F>
bool Gradchecker::is_rounding(int order, const Gap& gap, F gap_of) const {
  const double allowed = (narrow_ ? 1e-4 : 1e-12) * gap.scale;
  if (!(std::fabs(gap.size) > allowed)) return true;
  double rounding = 0;
  for (std::uint64_t k = 0; k < rounding_draws; ++k) {
    OtherRounding other(options_.seed + 57 * k);
    const Observing observing(other);
    rounding = std::max(rounding, std::fabs(gap_of(outputs(order, leaves_, true)).size - gap.size));
  }
  return std::fabs(gap.size) <= allowed + 8 * rounding;
}

/// <v, J u> = <u, J^T v>. J u is the gradient of <u, J^T v> by v (Townsend 2017).
void Gradchecker::check_adjoint(const Tensors& ys) {
  const DetachedScope detached;
  const EnableGrad recording;
  Product forward, back;
  const auto gap_of = [&](const Tensors& of) -> Gap {
    Gaussian draw(options_.seed + 5);
    const Tensors by = checked(leaves_, leaves_.size()), us = gaussians(by, draw), vs = gaussians(of, draw);
    const Tensor vy = inner(vs, of);
    if (!vy.defined()) return {};
    const Tensors pulled = grad(vy, by, {.create_graph = true, .zeros_if_unused = true});
    const Tensor upulled = inner(us, pulled);
    if (!upulled.defined()) return {};
    forward = dot(values(vs), values(grad(upulled, vs, {.retain_graph = true, .zeros_if_unused = true})));
    back = dot(values(us), values(pulled));
    return {forward.value - back.value, std::max(forward.terms, back.terms)};
  };
  const Gap gap = gap_of(ys);
  const double was_forward = forward.value, was_back = back.value;
  if (!is_rounding(1, gap, gap_of))
    report_.problems_.push_back(text("order 1: <v, J u> = ", was_forward, ", but <u, J^T v> = ", was_back,
                                     ": a rule is not the same linear function when it is differentiated"));
}

/// <u, H v> = <v, H u> for H, the second derivative of a random sum of all outputs.
void Gradchecker::check_symmetry(const Tensors& ys) {
  const DetachedScope detached;
  const EnableGrad recording;
  Product uhv, vhu;
  const auto gap_of = [&](const Tensors& of) -> Gap {
    Gaussian draw(options_.seed + 6);
    const Tensors by = checked(leaves_, leaves_.size()), us = gaussians(by, draw), vs = gaussians(by, draw);
    Tensors weights;
    for (const Tensor& w : gaussians(of, draw)) weights.push_back(w.detach());
    const Tensor total = inner(weights, of);
    if (!total.defined()) return {};
    const Tensors g = grad(total, by, {.create_graph = true, .zeros_if_unused = true});
    const Tensor ug = inner(us, g), vg = inner(vs, g);
    if (!ug.defined() || !vg.defined()) return {};
    uhv = dot(values(us), values(grad(vg, by, {.retain_graph = true, .zeros_if_unused = true})));
    vhu = dot(values(vs), values(grad(ug, by, {.retain_graph = true, .zeros_if_unused = true})));
    return {uhv.value - vhu.value, std::max(uhv.terms, vhu.terms)};
  };
  const Gap gap = gap_of(ys);
  const double was_uhv = uhv.value, was_vhu = vhu.value;
  if (!is_rounding(1, gap, gap_of))
    report_.problems_.push_back(
        text("order 2: the second derivative is not symmetric: <u, H v> = ", was_uhv, ", but <v, H u> = ", was_vhu));
}

void Gradchecker::check_inputs_unchanged() {
  for (std::size_t i = 0; i < given_; ++i)
    if (!same_bits(leaves_[i], originals_[i])) report_.problems_.push_back(text("f changes input ", i));
}

}  // namespace xgrad
