#include <autograd/ops/reduce.hpp>
#include <autograd/primitive.hpp>

/// The ops of running sums and products.
namespace xgrad {
namespace {

/// Calls kernel(x, y, outer, count, inner) around an axis.
template <class Kernel>
Array scan(const Operand& x, int axis, Kernel kernel) {
  const AxisView view(x.shape(), axis);
  Array y(x.dtype(), x.shape());
  kernel(x.array().data(), y.data(), view.outer, view.count, view.inner);
  return y;
}

Array scan(const Operand& x, int axis, const kernels::Table::ScanFn (&kernels)[dtype_count], bool reverse,
           bool exclusive) {
  return scan(x, axis, [&](auto... args) { kernels[int(x.dtype())](args..., reverse, exclusive); });
}

Tensor running_sum(const Operand& x, int axis, bool reverse) {
  return primitive(
      "cumsum", {x}, [&] { return scan(x, axis, kernels::table().cumsum, reverse, false); },
      [axis, reverse](const Tensor& g) { return running_sum(g, axis, !reverse); });
}

/// y[k] = b[k-1] + x[k-1] y[k-1] from y[0] = 0, or with k+1 for k-1 from the end. With r the recurrence of x and the
/// cotangent in the other direction, d/db is r and d/dx is y r: no division, so a zero in x costs nothing, and the
/// derivatives are recurrences too.
Tensor recurrence(const Operand& x, const Operand& b, int axis, bool reverse) {
  const auto adjoint = [x, axis, reverse](const Tensor& g) { return recurrence(x, g, axis, !reverse); };
  return primitive(
      "recurrence", {x, b},
      [&] {
        return scan(x, axis, [&](const void* from, void* to, auto... sizes) {
          kernels::table().recurrence[int(x.dtype())](from, b.array().data(), to, sizes..., reverse);
        });
      },
      [adjoint](const Tensor& g, const Tensor& y) { return y * adjoint(g); }, adjoint);
}

}  // namespace

Tensor exclusive_cumprod(const Operand& x, int axis, bool reverse) {
  return primitive(
      "cumprod", {x}, [&] { return scan(x, axis, kernels::table().cumprod, reverse, true); },
      [x, axis, reverse](const Tensor& g, const Tensor& y) { return y * recurrence(x, g, axis, !reverse); });
}

Tensor cumsum(const Operand& x, int axis) {
  const OpScope scope("cumsum", x.place());
  if (x.dtype() == boolean) return cumsum(x.tensor().to(i64), axis);
  return running_sum(x, checked_axis(axis, x.shape()), false);
}

Tensor cumprod(const Operand& x, int axis) {
  const OpScope scope("cumprod", x.place());
  if (x.dtype() == boolean) return cumprod(x.tensor().to(i64), axis);
  const int along = checked_axis(axis, x.shape());
  return primitive(
      "cumprod", {x}, [&] { return scan(x, along, kernels::table().cumprod, false, false); },
      // y = x * (exclusive product), by the product rule: exact where x is 0.
      [x, along](const Tensor& g) {
        return exclusive_cumprod(x, along, false) * (g + recurrence(x, g * x, along, true));
      });
}

}  // namespace xgrad
