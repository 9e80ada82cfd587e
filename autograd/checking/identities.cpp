#include <algorithm>
#include <autograd/checking/gradchecker.hpp>
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

void Gradchecker::check_inputs_unchanged() {
  for (std::size_t i = 0; i < given_; ++i)
    if (!same_bits(leaves_[i], originals_[i])) report_.problems_.push_back(text("f changes input ", i));
}

}  // namespace xgrad
