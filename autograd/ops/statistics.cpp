#include <autograd/core/capturing.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/primitive.hpp>
#include <autograd/support/limits.hpp>
#include <cmath>

/// The reductions that are made of others: variance, stddev and norm.
namespace xgrad {

using kernels::Reduce;

namespace {

using detail::infinity, detail::nan;

/// x - mean(x) over neighbouring axes, which AxisView sees as one.
Array centred(const Array& x, const std::vector<int>& axes) {
  Array y(x.dtype(), x.shape());
  const AxisView view = axes.empty() ? AxisView(x.shape(), 0, -1) : AxisView(x.shape(), axes.front(), axes.back());
  if (y.size() > 0) kernels::table().centre[int(x.dtype())](x.data(), y.data(), view.outer, view.count, view.inner);
  return y;
}

}  // namespace

Tensor centre(const Operand& x, const Axes& axes) {
  const OpScope scope("centre", x.place());
  check_floating(x);
  std::vector<int> along = checked_axes(axes, x.shape());
  if (axis_runs(along).size() > 1) {
    const AxesLast last(x.ndim(), along);
    for (std::size_t i = 0; i < along.size(); ++i) along[i] = x.ndim() - static_cast<int>(along.size() - i);
    return permute(centre(permute(x, last.order), along), last.back);
  }
  // The projection onto deviations is symmetric: it is its own vjp.
  return primitive(
      "centre", {x}, [&] { return centred(x.array(), along); }, [along](const Tensor& g) { return centre(g, along); });
}

namespace {

/// Over axes that are neighbours in one pass.
Array squared_deviations(const Operand& x, const Reduction& r) {
  const std::vector<int> axes = r.axes();
  if (axis_runs(axes).size() > 1) return r.run(Reduce::sum, square(centre(x.tensor().detach(), axes)).array());
  Array y(x.dtype(), r.result);
  const AxisView view = axes.empty() ? AxisView(x.shape(), 0, -1) : AxisView(x.shape(), axes.front(), axes.back());
  if (y.size() > 0)
    kernels::table().squared_deviations[int(x.dtype())](x.array().data(), y.data(), view.outer, view.count, view.inner);
  return y;
}

double freedom_of(const Reduction& r, int ddof) { return r.count > ddof ? static_cast<double>(r.count - ddof) : nan; }

}  // namespace

Tensor variance(const Operand& x, const Axes& axes, bool keepdims, int ddof) {
  const OpScope scope("variance", x.place());
  check_floating(x);
  const Reduction r(x, axes, keepdims);
  const double freedom = freedom_of(r, ddof);
  return primitive(
      "variance", {x}, [&] { return (Tensor(squared_deviations(x, r)) / freedom).array(); },
      [x, axes = r.axes(), kept = r.kept, freedom](const Tensor& g) {
        return with_axes(g * (2 / freedom), kept) * centre(x, axes);
      });
}

namespace {

/// 1 where y is 0, so that dividing by it does no harm where the quotient is not used.
Tensor divisor(const Tensor& y) { return where(y == 0, 1, y); }

/// The root of the variance, and where that may have over- or underflowed the norm of the deviations, which does not.
Array root_mean_square(const Operand& x, const Reduction& r, double freedom) {
  const Tensor v = Tensor(squared_deviations(x, r)) / freedom;
  const Tensor sound = logical_and(v > (x.dtype() == f32 ? 0x1p-126 : 0x1p-960), isfinite(v));
  // A replay may meet other numbers.
  if (!capturing::active() && all(sound).item<bool>()) return sqrt(v).array();
  const Tensor deviations = centre(x.tensor().detach(), r.axes());
  const Tensor safe = reshape(norm(deviations, r.axes()), r.result) / std::sqrt(freedom);
  return where(sound, sqrt(v), safe).array();
}

}  // namespace

Tensor stddev(const Operand& x, const Axes& axes, bool keepdims, int ddof) {
  const OpScope scope("stddev", x.place());
  check_floating(x);
  const Reduction r(x, axes, keepdims);
  const double freedom = freedom_of(r, ddof);
  return primitive(
      "stddev", {x}, [&] { return root_mean_square(x, r, freedom); },
      // By (x - mean) / y before g, as this quotient cannot overflow.
      [x, axes = r.axes(), kept = r.kept, freedom](const Tensor& g, const Tensor& y) {
        return with_axes(where(y == 0, 0, g / freedom), kept) * (centre(x, axes) / with_axes(divisor(y), kept));
      });
}

namespace {

Tensor euclidean_norm(const Operand& x, const Reduction& r) {
  return primitive(
      "norm", {x}, [&] { return r.run(Reduce::norm2, x.array()); },
      // By x / y before g, since x / y cannot overflow.
      [x, kept = r.kept](const Tensor& g, const Tensor& y) {
        return with_axes(where(y == 0, 0, g), kept) * (x / with_axes(divisor(y), kept));
      });
}

/// (a / b)^p for b > 0. Powers below 1 raise what a / b has lost in underflowing, and are taken of a quotient of roots.
Tensor power_of_ratio(const Tensor& a, const Tensor& b, double p) {
  return p < 1 ? pow(sqrt(a) / sqrt(b), 2 * p) : pow(a / b, p);
}

Tensor p_norm(const Operand& x, const Reduction& r, double p) {
  return primitive(
      "norm", {x},
      [&] {
        const Tensor magnitude = abs(x.tensor().detach()), largest = max(magnitude, r.axes(), true);
        const Tensor scale = where(logical_and(largest > 0, isfinite(largest)), largest, 1);
        const Tensor scaled = pow(sum(power_of_ratio(magnitude, scale, p), r.axes(), true), 1 / p);
        return (scaled * scale).array().viewed(r.result);
      },
      // sign(x) (|x| / y)^(p-1): sign gives the 0 where x is 0, and the mask keeps a power below 1 from its infinite
      // slope there.
      [x, kept = r.kept, p](const Tensor& g, const Tensor& y) {
        const Tensor size = with_axes(divisor(y), kept);
        return with_axes(g, kept) * (sign(x) * power_of_ratio(where(x == 0, size, abs(x)), size, p - 1));
      });
}

}  // namespace

Tensor norm(const Operand& x, const Axes& axes, bool keepdims, double p) {
  const OpScope scope("norm", x.place());
  check_floating(x);
  if (!(p > 0)) scope.fail<ValueError>("p is ", p, "; expected p > 0, or infinity");
  if (p == infinity) return max(abs(x), axes, keepdims);
  if (p == 1) return sum(abs(x), axes, keepdims);
  const Reduction r(x, axes, keepdims);
  return p == 2 || x.size() == 0 ? euclidean_norm(x, r) : p_norm(x, r, p);
}

Tensor logsumexp(const Operand& x, const Axes& axes, bool keepdims) {
  const OpScope scope("logsumexp", x.place());
  check_floating(x);
  if (x.size() == 0) return sum(x, axes, keepdims) - infinity;  // -inf of none, and no derivative
  const Reduction r(x, axes, keepdims);
  return primitive(
      "logsumexp", {x}, [&] { return r.run(Reduce::logsumexp, x.array()); },
      // exp(x - y), and divided by its sum, which takes off the rounding of a large y. Where y is inf, its infinite
      // terms share the gradient; where it is -inf, there is none.
      [x, axes = r.axes(), kept = r.kept](const Tensor& g, const Tensor& y) {
        const Tensor total = with_axes(y.detach(), kept), infinite = total == infinity;
        Tensor terms = x - where(abs(total) == infinity, 0, total);
        // A captured step's replays may meet some.
        if (capturing::active() || any(infinite).item<bool>()) {
          terms = where(infinite, (x == infinity).to(x.dtype()), exp(where(infinite, 0, terms)));
        } else {
          terms = exp(terms);
        }
        return with_axes(g, kept) / divisor(sum(terms, axes, true)) * terms;
      });
}

}  // namespace xgrad
