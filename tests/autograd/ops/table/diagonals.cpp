#include <autograd/ops/table/linear.hpp>

namespace xgrad::op_table {
namespace {

/// x where the distance of column and row, the last two axes, lies in [low, high].
Values band(const Values& x, std::int64_t low, std::int64_t high) {
  return build(x.shape, [&](const Index& at) {
    const std::int64_t distance = at[at.size() - 1] - at[at.size() - 2];
    return distance < low || distance > high ? Real(0) : x[at];
  });
}

Variant triangle(bool lower, std::int64_t diagonal, ShapeTuples shapes) {
  return {.label = text("diagonal ", diagonal),
          .f = [=](const Tensors& x) { return lower ? tril(x[0], diagonal) : triu(x[0], diagonal); },
          .reference =
              [=](const std::vector<Values>& x) {
                return lower ? band(x[0], INT64_MIN, diagonal) : band(x[0], diagonal, INT64_MAX);
              },
          .domains = {interval(-2, 2)},
          .shapes = std::move(shapes),
          .ulps = 0};
}

/// The elements of the diagonal as the last axis.
Values diagonal_of(const Values& x, std::int64_t offset, int axis_a, int axis_b) {
  const int a = axis_of(axis_a, x.shape), b = axis_of(axis_b, x.shape);
  const std::int64_t row = offset < 0 ? -offset : 0, column = offset > 0 ? offset : 0;
  std::int64_t length = 0;
  while (row + length < x.shape[a] && column + length < x.shape[b]) ++length;
  Shape shape;
  for (int d = 0; d < x.shape.ndim(); ++d)
    if (d != a && d != b) shape.push_back(x.shape[d]);
  shape.push_back(length);
  return build(shape, [&](const Index& to) {
    Index from(static_cast<std::size_t>(x.shape.ndim()));
    std::size_t next = 0;
    for (int d = 0; d < x.shape.ndim(); ++d)
      from[static_cast<std::size_t>(d)] = d == a ? row + to.back() : d == b ? column + to.back() : to[next++];
    return x[from];
  });
}

Variant diagonals(std::int64_t offset, int axis_a, int axis_b, ShapeTuples shapes) {
  return {.label = text(offset, " of axes ", axis_a, " and ", axis_b),
          .f = [=](const Tensors& x) { return diagonal(x[0], offset, axis_a, axis_b); },
          .reference = [=](const std::vector<Values>& x) { return diagonal_of(x[0], offset, axis_a, axis_b); },
          .domains = {interval(-2, 2)},
          .shapes = std::move(shapes),
          .ulps = 0};
}

Variant matrices(std::int64_t offset) {
  return {.label = text("to diagonal ", offset),
          .f = [=](const Tensors& x) { return diag(x[0], offset); },
          .reference =
              [=](const std::vector<Values>& x) {
                const std::int64_t n = x[0].shape[0] + std::abs(offset);
                return build({n, n}, [&](const Index& at) {
                  return at[1] - at[0] == offset ? x[0][{std::min(at[0], at[1])}] : Real(0);
                });
              },
          .domains = {interval(-2, 2)},
          .shapes = {{{3}}, {{1}}, {{0}}},
          .ulps = 0};
}

Variant traces(std::int64_t offset, ShapeTuples shapes) {
  return {.label = text("diagonal ", offset),
          .f = [=](const Tensors& x) { return trace(x[0], offset); },
          .reference =
              [=](const std::vector<Values>& x) {
                const Values d = diagonal_of(x[0], offset, 0, 1);
                Shape shape = d.shape;
                shape.erase(shape.ndim() - 1);
                Values y(shape);
                each_index(d.shape, [&](Index at) {
                  const Real element = d[at];
                  at.pop_back();
                  y[at] += element;
                });
                return y;
              },
          .domains = {interval(-2, 2)},
          .shapes = std::move(shapes),
          .scale = 8};
}

}  // namespace

std::vector<Row> rows_diagonals() {
  const ShapeTuples from_two{{{3, 3}}, {{2, 4}}, {{4, 2}},    {{1, 1}},
                             {{0, 3}}, {{3, 0}}, {{2, 3, 4}}, {{2, 1, 3, 2, 2}}};
  std::vector<Row> rows;
  for (const bool lower : {true, false})
    rows.push_back({lower ? "tril" : "triu",
                    {triangle(lower, 0, from_two), triangle(lower, 1, from_two), triangle(lower, -2, from_two),
                     triangle(lower, INT64_MAX, {{{2, 3}}}), triangle(lower, INT64_MIN, {{{2, 3}}})},
                    {},
                    scalars});
  rows.push_back({"diagonal",
                  {diagonals(0, 0, 1, from_two), diagonals(1, 0, 1, from_two), diagonals(-1, 1, 0, from_two),
                   diagonals(0, -1, 0, {{{2, 3, 3}}, {{2, 1, 3, 2, 2}}}), diagonals(9, 0, 1, {{{2, 3}}}),
                   diagonals(-9, 0, 1, {{{2, 3}}})},
                  {},
                  scalars});
  rows.push_back({"diag",
                  {matrices(0),
                   matrices(2),
                   matrices(-1),
                   {.label = "of a matrix",
                    .f = [](const Tensors& x) { return diag(x[0], 1); },
                    .reference = [](const std::vector<Values>& x) { return diagonal_of(x[0], 1, 0, 1); },
                    .domains = {interval(-2, 2)},
                    .shapes = {{{3, 3}}, {{2, 4}}, {{1, 1}}, {{3, 0}}},
                    .ulps = 0}},
                  {},
                  scalars | rank_five});
  rows.push_back({"trace", {traces(0, from_two), traces(-1, from_two)}, {}, scalars});
  return rows;
}

}  // namespace xgrad::op_table
