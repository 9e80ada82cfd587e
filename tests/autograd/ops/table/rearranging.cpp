#include <autograd/ops/table/linear.hpp>

namespace xgrad::op_table {
namespace {

/// An op that picks each element of its result from x: where the element at `to` comes from.
Variant moving(std::string label, Function f, std::function<Shape(const Shape&)> shape_of,
               std::function<Index(const Index& to, const Shape& from)> source, ShapeTuples shapes) {
  const auto reference = [=](const std::vector<Values>& x) {
    return build(shape_of(x[0].shape), [&](const Index& to) { return x[0][source(to, x[0].shape)]; });
  };
  return {.label = std::move(label),
          .f = std::move(f),
          .reference = reference,
          .domains = std::vector<Domain>(shapes.at(0).size(), interval(-2, 2)),
          .shapes = std::move(shapes),
          .ulps = 0};
}

Shape same(const Shape& shape) { return shape; }

Variant rolling(std::int64_t shift, int axis, ShapeTuples shapes) {
  return moving(
      text(shift, " along axis ", axis), [=](const Tensors& x) { return roll(x[0], shift, axis); }, same,
      [=](Index at, const Shape& from) {
        std::int64_t& i = at[static_cast<std::size_t>(axis_of(axis, from))];
        const std::int64_t n = from[axis];
        i = ((i - shift) % n + n) % n;
        return at;
      },
      std::move(shapes));
}

Variant repeating(std::int64_t times, int axis, ShapeTuples shapes) {
  return moving(
      text(times, " times along axis ", axis), [=](const Tensors& x) { return repeat_interleave(x[0], times, axis); },
      [=](Shape shape) {
        shape[axis] *= times;
        return shape;
      },
      [=](Index at, const Shape& from) {
        at[static_cast<std::size_t>(axis_of(axis, from))] /= times;
        return at;
      },
      std::move(shapes));
}

Variant windows(int axis, std::int64_t size, std::int64_t step, ShapeTuples shapes) {
  Variant v = moving(
      text("axis ", axis, ", ", size, " elements, step ", step),
      [=](const Tensors& x) { return unfold(x[0], axis, size, step); },
      [=](Shape shape) {
        std::int64_t count = 0;
        for (std::int64_t first = 0; first + size <= shape[axis]; first += step) ++count;
        shape[axis] = count;
        shape.push_back(size);
        return shape;
      },
      [=](Index at, const Shape& from) {
        const std::int64_t within = at.back();
        at.pop_back();
        std::int64_t& i = at[static_cast<std::size_t>(axis_of(axis, from))];
        i = i * step + within;
        return at;
      },
      std::move(shapes));
  return v;
}

/// Part `which` of the grids, whose axes are the parts'.
Variant grid(std::size_t which, ShapeTuples shapes) {
  const auto reference = [which](const std::vector<Values>& parts) {
    Shape shape;
    for (const Values& part : parts) shape.push_back(part.shape[0]);
    return build(shape, [&](const Index& at) { return parts[which][{at[which]}]; });
  };
  const std::size_t count = shapes.at(0).size();
  return {.label = text("part ", which, " of ", count),
          .f = [which](const Tensors& parts) { return meshgrid(parts).at(which); },
          .reference = reference,
          .domains = std::vector<Domain>(count, interval(-2, 2)),
          .shapes = std::move(shapes),
          .ulps = 0};
}

}  // namespace

std::vector<Row> rows_rearranging() {
  std::vector<Row> rows;
  const ShapeTuples any{{{5}}, {{3}}, {{2, 1}}, {{4, 0}}, {{3, 2, 2}}, {{2, 1, 3, 1, 2}}};
  rows.push_back({"roll",
                  {rolling(1, 0, any), rolling(-2, 0, any), rolling(7, -1, {{{3}}, {{2, 4}}, {{2, 3, 5}}}),
                   rolling(0, 0, {{{3}}, {{2, 2}}}), rolling(2, 1, {{{2, 3, 2}}, {{2, 1}}})},
                  {},
                  scalars});
  rows.push_back({"repeat_interleave",
                  {repeating(2, 0, any), repeating(3, -1, {{{3}}, {{2, 4}}, {{2, 0}}}),
                   repeating(2, 1, {{{2, 3, 2}}, {{1, 1}}}), repeating(1, 0, {{{3}}})},
                  {},
                  scalars});
  rows.push_back({"unfold",
                  {windows(0, 2, 1, {{{5}}, {{2}}, {{3, 2}}, {{4, 0}}, {{2, 1, 3, 1, 2}}}),
                   windows(0, 3, 2, {{{7}}, {{8, 2}}, {{3, 1}}}), windows(-1, 1, 2, {{{4}}, {{2, 5}}, {{1, 1}}}),
                   windows(1, 4, 1, {{{2, 6}}, {{2, 5, 3}}})},
                  {},
                  scalars});
  rows.push_back(
      {"meshgrid",
       {grid(0, {{{3}, {2}}, {{1}, {4}}, {{0}, {2}}}), grid(1, {{{3}, {2}}, {{2}, {1}}, {{2}, {0}}}),
        grid(1, {{{2}, {3}, {2}}, {{1}, {2}, {1}}}), grid(3, {{{2}, {1}, {2}, {3}, {2}}}), grid(0, {{{3}}, {{1}}})},
       {},
       scalars | rank_five});
  return rows;
}

}  // namespace xgrad::op_table
