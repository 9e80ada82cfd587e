#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/primitive.hpp>
#include <cmath>

/// The ops that look for places in an order: quantiles, running extremes, searchsorted.
namespace xgrad {
namespace {

/// Whether a comes before b, NaN being behind all numbers.
template <class T>
bool before(T a, T b) {
  return a < b || (b != b && a == a);
}

/// Calls body(T{}) for the element type.
template <class Body>
void with_type(Dtype dtype, Body body) {
  switch (dtype) {
    case f32:
      return body(float{});
    case f64:
      return body(double{});
    case i64:
      return body(std::int64_t{});
    case boolean:
      return body(bool{});
  }
}

/// Where the largest (smallest) element up to each place along the axis stands; a NaN stays.
template <class T, bool largest>
void running_extreme(const void* from, std::int64_t* at, std::int64_t outer, std::int64_t count, std::int64_t inner) {
  const T* x = static_cast<const T*>(from);
  for (std::int64_t o = 0; o < outer; ++o, x += count * inner, at += count * inner)
    for (std::int64_t i = 0; i < inner; ++i) {
      std::int64_t best = 0;
      for (std::int64_t r = 0; r < count; ++r) {
        const T held = x[best * inner + i], next = x[r * inner + i];
        if (held == held && (next != next || (largest ? next >= held : next <= held))) best = r;
        at[r * inner + i] = best;
      }
    }
}

template <bool largest>
Tensor running(const char* name, const Operand& x, int axis) {
  const OpScope scope(name, x.place());
  axis = checked_axis(axis, x.shape());
  const auto forward = [&] {
    const Array at(i64, x.shape());
    const AxisView view(x.shape(), axis);
    with_type(x.dtype(), [&]<class T>(T) {
      capturing::repeat(running_extreme<T, largest>, x.array().data(), at.data<std::int64_t>(), view.outer, view.count,
                        view.inner);
    });
    return at;
  };
  const Tensor at = primitive(name, {x}, forward, not_differentiable);
  return gather(x, axis, at);
}

/// What lies a share of the way from each low to its high: std::lerp, which never falls as the share grows and gives
/// what is equal as it is. But it makes NaN of infinities that the weighted sum carries on.
template <class T>
void interpolate(const void* low, const void* high, void* to, std::int64_t n, double share) {
  const T *a = static_cast<const T*>(low), *b = static_cast<const T*>(high);
  T* const y = static_cast<T*>(to);
  for (std::int64_t i = 0; i < n; ++i) {
    const bool finite = std::isfinite(a[i]) && std::isfinite(b[i]);
    y[i] = finite ? std::lerp(a[i], b[i], static_cast<T>(share)) : static_cast<T>((1 - share) * a[i] + share * b[i]);
  }
}

/// The same of tensors, for 0 < share < 1.
Tensor between(const Tensor& low, const Tensor& high, double share) {
  const auto forward = [&] {
    const Array y(low.dtype(), low.shape());
    capturing::repeat(low.dtype() == f32 ? interpolate<float> : interpolate<double>, low.array().data(),
                      high.array().data(), y.data(), y.size(), share);
    return y;
  };
  return primitive(
      "quantile", {low, high}, forward, [share](const Tensor& g) { return g * (1 - share); },
      [share](const Tensor& g) { return g * share; });
}

/// to[i]: how many of the n in order come before (for `right`, not behind) values[i]; `per_line` values to a line.
template <class T>
void search(const void* sorted, const void* values, std::int64_t* to, std::int64_t lines, std::int64_t n,
            std::int64_t per_line, bool right) {
  const T *line = static_cast<const T*>(sorted), *value = static_cast<const T*>(values);
  for (std::int64_t k = 0; k < lines; ++k, line += n)
    for (std::int64_t i = 0; i < per_line; ++i, ++value)
      *to++ = (right ? std::upper_bound(line, line + n, *value, before<T>)
                     : std::lower_bound(line, line + n, *value, before<T>)) -
              line;
}

}  // namespace

Tensor cummax(const Operand& x, int axis) { return running<true>("cummax", x, axis); }
Tensor cummin(const Operand& x, int axis) { return running<false>("cummin", x, axis); }

Tensor diff(const Operand& x, int n, int axis) {
  const OpScope scope("diff", x.place());
  axis = checked_axis(axis, x.shape());
  if (n < 0) scope.fail<ValueError>("differences are to be taken ", n, " times; expected at least 0");
  Tensor y = x.tensor();
  for (int i = 0; i < n; ++i) {
    const std::int64_t size = y.shape()[axis];
    y = slice(y, axis, 1, size) - slice(y, axis, 0, std::max<std::int64_t>(size - 1, 0));
  }
  return y;
}

Tensor quantile(const Operand& x, double q, const Axes& axes, bool keepdims) {
  const OpScope scope("quantile", x.place());
  check_floating(x);
  if (!(q >= 0 && q <= 1)) scope.fail<ValueError>("q is ", q, "; expected a share, 0 <= q <= 1");
  const Reduction r(x, axes, keepdims);
  if (r.count == 0)
    scope.fail<ValueError>("no elements to choose from: the input is ", r.from, "; check its size first");
  const std::vector<int> order = AxesLast(x.ndim(), r.axes()).order;
  const Tensor together = std::is_sorted(order.begin(), order.end()) ? x.tensor() : permute(x, order);
  const Tensor sorted = sort(reshape(together, {x.size() / r.count, r.count}), 1).values;
  const double at = q * static_cast<double>(r.count - 1), low = std::floor(at), share = at - low;
  const auto place = static_cast<std::int64_t>(low);
  Tensor y = select(sorted, 1, place);
  if (share > 0) y = between(y, select(sorted, 1, place + 1), share);
  const Tensor last = select(sorted, 1, -1);
  return reshape(where(isnan(last), last, y), r.result);
}

Tensor median(const Operand& x, const Axes& axes, bool keepdims) {
  const OpScope scope("median", x.place());
  return quantile(x, 0.5, axes, keepdims);
}

Tensor searchsorted(const Operand& sorted, const Operand& values, bool right) {
  const OpScope scope("searchsorted", sorted.place());
  if (sorted.ndim() < 1) scope.fail("the sorted numbers are ", sorted.shape(), "; expected at least one axis");
  const Tensor v = values.tensor(sorted.dtype());
  if (v.dtype() != sorted.dtype())
    scope.fail<DtypeError>("the sorted numbers are ", name_of(sorted.dtype()), ", the values are ", name_of(v.dtype()),
                           "; convert one with .to(...)");
  const std::int64_t n = sorted.shape()[-1], lines = sorted.shape().product(0, sorted.ndim() - 1);
  if (sorted.ndim() > 1 && (v.ndim() != sorted.ndim() || v.shape().product(0, v.ndim() - 1) != lines ||
                            !std::equal(v.shape().begin(), v.shape().end() - 1, sorted.shape().begin())))
    scope.fail("the sorted numbers are ", sorted.shape(), ", the values are ", v.shape(),
               "; they must agree except in the last axis");
  const auto forward = [&] {
    const Array to(i64, v.shape());
    with_type(v.dtype(), [&]<class T>(T) {
      if (to.size() > 0)
        capturing::repeat(search<T>, sorted.array().data(), v.array().data(), to.data<std::int64_t>(), lines, n,
                          v.size() / lines, right);
    });
    return to;
  };
  return primitive("searchsorted", {sorted, v}, forward, not_differentiable, not_differentiable);
}

}  // namespace xgrad
