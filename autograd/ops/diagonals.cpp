#include <algorithm>
#include <autograd/ops.hpp>
#include <autograd/ops/walk.hpp>
#include <autograd/primitive.hpp>
#include <limits>

/// The ops of diagonals and triangles.
namespace xgrad {
namespace {

/// A diagonal of two axes of an array, which become one, the last.
struct Diagonal {
  Shape whole, shape;   // of the array, and of its diagonal
  Shape strides;        // by which the array is walked along its diagonal
  std::int64_t first;   // where that begins
  std::int64_t offset;  // places to the right of the main one
  int axis_a, axis_b;

  Diagonal(const Shape& from, std::int64_t to_the_right, int a, int b)
      : whole(from), offset(to_the_right), axis_a(a), axis_b(b) {
    const Shape steps = detail::strides_of(whole);
    for (int d = 0; d < whole.ndim(); ++d) {
      if (d == a || d == b) continue;
      shape.push_back(whole[d]);
      strides.push_back(steps[d]);
    }
    // The offset is bounded first, so that what follows cannot overflow.
    const std::int64_t right = std::clamp<std::int64_t>(offset, -whole[a], whole[b]);
    shape.push_back(std::max<std::int64_t>(
        std::min(whole[a] + std::min<std::int64_t>(right, 0), whole[b] - std::max<std::int64_t>(right, 0)), 0));
    strides.push_back(steps[a] + steps[b]);
    first = right > 0 ? right * steps[b] : -right * steps[a];
  }
};

Tensor undiagonal(const Tensor& g, const Diagonal& d);

Tensor diagonal_of(const Operand& x, const Diagonal& d) {
  return primitive(
      "diagonal", {x}, [&] { return strided_copy(x.array(), d.shape, d.strides, d.first); },
      [d](const Tensor& g) { return undiagonal(g, d); });
}

/// Zeros with g on the diagonal.
Tensor undiagonal(const Tensor& g, const Diagonal& d) {
  const auto forward = [&] {
    const Array result = zeros(d.whole, {.dtype = g.dtype()}).array();
    if (g.size() > 0)
      kernels::table().copy[int(g.dtype())](g.array().data(), result.viewed({}, d.first).data(),
                                            loop_over(d.shape, d.strides, detail::strides_of(d.shape)));
    return result;
  };
  return primitive("undiagonal", {g}, forward, [d](const Tensor& h) { return diagonal_of(h, d); });
}

/// x where `keep` holds of the distances of its last two axes' places to the diagonal, 0 elsewhere.
Tensor triangle(const char* name, const Operand& x, bool lower, std::int64_t diagonal) {
  const OpScope scope(name, x.place());
  if (x.ndim() < 2) scope.fail("needs at least 2 axes, and the input is ", x.shape());
  const std::int64_t rows = x.shape()[-2], columns = x.shape()[-1];
  // Beyond the matrix one diagonal is as good as another.
  const std::int64_t to_the_right = std::clamp(diagonal, -rows, columns);
  const Tensor row = reshape(arange(to_the_right, rows + to_the_right, 1, {.dtype = i64}), {rows, 1});
  const Tensor column = arange(0, columns, 1, {.dtype = i64});
  return where(lower ? column <= row : column >= row, x, 0);
}

}  // namespace

Tensor tril(const Operand& x, std::int64_t diagonal) { return triangle("tril", x, true, diagonal); }
Tensor triu(const Operand& x, std::int64_t diagonal) { return triangle("triu", x, false, diagonal); }

Tensor diagonal(const Operand& x, std::int64_t offset, int axis_a, int axis_b) {
  const OpScope scope("diagonal", x.place());
  if (x.ndim() < 2) scope.fail("needs at least 2 axes, and the input is ", x.shape());
  const int a = checked_axis(axis_a, x.shape()), b = checked_axis(axis_b, x.shape());
  if (a == b) scope.fail("both axes are ", a, "; a diagonal is one of two");
  return diagonal_of(x, {x.shape(), offset, a, b});
}

Tensor diag(const Operand& x, std::int64_t offset) {
  const OpScope scope("diag", x.place());
  if (x.ndim() == 2) return diagonal(x, offset);
  if (x.ndim() != 1) scope.fail("the input is ", x.shape(), "; expected one axis or two");
  std::int64_t n = x.size();
  if (offset == std::numeric_limits<std::int64_t>::min() || __builtin_add_overflow(n, std::abs(offset), &n))
    scope.fail<ValueError>("diagonal ", offset, " needs a matrix of more elements than can be counted");
  check_sizes({n, n});
  return undiagonal(x.tensor(), {{n, n}, offset, 0, 1});
}

Tensor trace(const Operand& x, std::int64_t offset) {
  const OpScope scope("trace", x.place());
  return sum(diagonal(x, offset), -1);
}

}  // namespace xgrad
