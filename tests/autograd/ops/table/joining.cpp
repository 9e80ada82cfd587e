#include <algorithm>
#include <autograd/ops/table/linear.hpp>

namespace xgrad::op_table {
namespace {

/// A joining op of floating inputs, whose reference finds the part that an element comes from.
Variant joining(std::string label, Function f, Reference reference, ShapeTuples shapes) {
  const std::size_t count = shapes.at(0).size();
  return {.label = std::move(label),
          .f = std::move(f),
          .reference = std::move(reference),
          .domains = std::vector<Domain>(count, interval(-2, 2)),
          .shapes = std::move(shapes),
          .ulps = 0};
}

Reference concatenation(int axis) {
  return [axis](const std::vector<Values>& parts) {
    Shape shape = parts[0].shape;
    const int along = axis_of(axis, shape);
    shape[along] = 0;
    for (const Values& part : parts) shape[along] += part.shape[along];
    return build(shape, [&](Index index) {
      std::int64_t& i = index[static_cast<std::size_t>(along)];
      std::size_t part = 0;
      while (i >= parts[part].shape[along]) i -= parts[part++].shape[along];
      return parts[part][index];
    });
  };
}

Reference stacking(int axis) {
  return [axis](const std::vector<Values>& parts) {
    Shape shape = parts[0].shape;
    const int along = axis < 0 ? axis + shape.ndim() + 1 : axis;
    shape.insert(along, static_cast<std::int64_t>(parts.size()));
    return build(shape, [&](Index index) {
      const auto part = static_cast<std::size_t>(index[static_cast<std::size_t>(along)]);
      index.erase(index.begin() + along);
      return parts[part][index];
    });
  };
}

/// The part `which` of `sections`, since a row has one output.
Variant part_of(std::int64_t sections, std::size_t which, int axis, ShapeTuples shapes) {
  const auto reference = [=](const std::vector<Values>& x) {
    Shape shape = x[0].shape;
    const int along = axis_of(axis, shape);
    shape[along] /= sections;
    return build(shape, [&](Index index) {
      index[static_cast<std::size_t>(along)] += static_cast<std::int64_t>(which) * shape[along];
      return x[0][index];
    });
  };
  return joining(
      text("part ", which, " of ", sections), [=](const Tensors& x) { return split(x[0], sections, axis).at(which); },
      reference, std::move(shapes));
}

/// x repeated reps[i] times along axis i, as NumPy's tile.
Variant tiling(std::vector<std::int64_t> reps, ShapeTuples shapes) {
  const auto reference = [reps](const std::vector<Values>& x) {
    Shape whole = x[0].shape;
    std::vector<std::int64_t> times = reps;
    while (whole.ndim() < static_cast<int>(times.size())) whole.insert(0, 1);
    while (static_cast<int>(times.size()) < whole.ndim()) times.insert(times.begin(), 1);
    Shape shape = whole;
    for (int d = 0; d < shape.ndim(); ++d) shape[d] *= times[static_cast<std::size_t>(d)];
    Values source = x[0];
    source.shape = whole;
    return build(shape, [&](Index index) {
      for (int d = 0; d < whole.ndim(); ++d) index[static_cast<std::size_t>(d)] %= whole[d];
      return source[index];
    });
  };
  return joining(
      text(reps.size(), " axes"), [reps](const Tensors& x) { return tile(x[0], reps); }, reference, std::move(shapes));
}

}  // namespace

std::vector<Row> rows_joining() {
  std::vector<Row> rows;
  rows.push_back({"concatenate",
                  {joining("axis 0", [](const Tensors& x) { return concatenate(x); }, concatenation(0),
                           {{{2}, {3}, {1}},
                            {{1}, {0}, {4}},
                            {{2, 3}, {1, 3}, {3, 3}},
                            {{2, 0}, {1, 0}, {1, 0}},
                            {{1, 1, 3, 1, 2}, {2, 1, 3, 1, 2}, {1, 1, 3, 1, 2}}}),
                   joining("last axis", [](const Tensors& x) { return concatenate(x, -1); }, concatenation(-1),
                           {{{2, 3}, {2, 1}}, {{3, 0}, {3, 2}}, {{2, 1, 3}, {2, 1, 4}}}),
                   joining(
                       "the same tensor twice",
                       [](const Tensors& x) {
                         return concatenate({x[0], x[0]}, 1);
                       },
                       [](const std::vector<Values>& x) {
                         return concatenation(1)({x[0], x[0]});
                       },
                       {{{2, 3}}, {{2, 1}}})},
                  {},
                  scalars});
  rows.push_back({"stack",
                  {joining("axis 0", [](const Tensors& x) { return stack(x); }, stacking(0),
                           {{{}, {}, {}}, {{2}, {2}, {2}}, {{0}, {0}, {0}}, {{1, 3}, {1, 3}, {1, 3}}}),
                   joining("last axis", [](const Tensors& x) { return stack(x, -1); }, stacking(-1),
                           {{{}, {}}, {{3}, {3}}, {{2, 3}, {2, 3}}, {{2, 1, 3, 1, 2}, {2, 1, 3, 1, 2}}})}});
  rows.push_back({"split",
                  {part_of(2, 1, 0, {{{4}}, {{2, 3}}, {{0, 2}}, {{2, 1, 3, 1, 2}}}),
                   part_of(3, 1, -1, {{{2, 3}}, {{1, 6}}, {{2, 0}}, {{2, 1, 3}}}), part_of(1, 0, 0, {{{1}}, {{3, 2}}})},
                  {},
                  scalars});
  rows.push_back({"tile",
                  {tiling({3}, any_shape()), tiling({2, 3}, any_shape()),
                   tiling({2, 1, 3}, {{{}}, {{2}}, {{1, 2}}, {{2, 3, 1}}}), tiling({0, 2}, {{{3}}, {{2, 3}}}),
                   tiling({2, 1, 2, 1, 2}, {{{3}}, {{2, 1, 3, 1, 2}}}), tiling({}, {{{}}, {{3}}})}});
  return rows;
}

}  // namespace xgrad::op_table
