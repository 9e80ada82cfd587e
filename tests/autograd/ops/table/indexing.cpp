#include <autograd/ops/table/row.hpp>

namespace xgrad::op_table {
namespace {

Variant gathering(int axis, Domain indices, ShapeTuples shapes) {
  const auto reference = [axis](const std::vector<Values>& x) {
    return build(x[1].shape, [&](Index index) {
      const int along = axis_of(axis, x[0].shape);
      index[static_cast<std::size_t>(along)] = counted(x[1][index], x[0].shape[along]);
      return x[0][index];
    });
  };
  return {.label = text("axis ", axis),
          .f = [axis](const Tensors& x) { return gather(x[0], axis, x[1]); },
          .reference = reference,
          .domains = {interval(-2, 2), std::move(indices)},
          .shapes = std::move(shapes),
          .ulps = 0};
}

Variant taking(int axis, Domain indices, ShapeTuples shapes) {
  const auto reference = [axis](const std::vector<Values>& x) {
    const int along = axis_of(axis, x[0].shape), added = x[1].shape.ndim();
    Shape shape = x[0].shape;
    shape.erase(along);
    for (int d = 0; d < added; ++d) shape.insert(along + d, x[1].shape[d]);
    return build(shape, [&](const Index& index) {
      const Index at(index.begin() + along, index.begin() + along + added);
      Index from(index.begin(), index.begin() + along);
      from.push_back(counted(x[1][at], x[0].shape[along]));
      from.insert(from.end(), index.begin() + along + added, index.end());
      return x[0][from];
    });
  };
  return {.label = text("axis ", axis),
          .f = [axis](const Tensors& x) { return take(x[0], x[1], axis); },
          .reference = reference,
          .domains = {interval(-2, 2), std::move(indices)},
          .shapes = std::move(shapes),
          .ulps = 0};
}

Variant adding(int axis, Domain indices, ShapeTuples shapes) {
  const auto reference = [axis](const std::vector<Values>& x) {
    Values y = x[0];
    each_index(x[2].shape, [&](Index index) {
      const Real added = x[2][index];
      const int along = axis_of(axis, y.shape);
      std::int64_t& i = index[static_cast<std::size_t>(along)];
      i = counted(x[1][{i}], y.shape[along]);
      y[index] += added;
    });
    return y;
  };
  return {.label = text("axis ", axis),
          .f = [axis](const Tensors& x) { return index_add(x[0], axis, x[1], x[2]); },
          .reference = reference,
          .domains = {interval(-2, 2), std::move(indices), interval(-2, 2)},
          .shapes = std::move(shapes),
          .scale = 8};
}

/// The same with a number that the source is multiplied by.
Variant adding_scaled(double alpha) {
  Variant v = adding(0, integers(-3, 2), {{{3}, {5}, {5}}, {{3, 2}, {4}, {4, 2}}});
  v.label = text("alpha ", alpha);
  v.f = [alpha](const Tensors& x) { return index_add(x[0], 0, x[1], x[2], alpha); };
  v.reference = [alpha, add = v.reference](std::vector<Values> x) {
    for (Real& element : x[2].v) element *= static_cast<Real>(alpha);
    return add(x);
  };
  return v;
}

}  // namespace

std::vector<Row> rows_indexing() {
  std::vector<Row> rows;
  rows.push_back({"gather",
                  {gathering(0, integers(-3, 2),
                             {{{3}, {5}},
                              {{3, 2}, {4, 2}},
                              {{3, 0}, {2, 0}},
                              {{3, 1, 2}, {0, 1, 2}},
                              {{3, 2, 1, 1, 2}, {2, 2, 1, 1, 2}}}),
                   gathering(-1, integers(-1, 0), {{{1}, {3}}, {{2, 1}, {2, 4}}, {{3, 2}, {3, 1}}}),
                   gathering(1, integers(0, 3), {{{2, 4}, {2, 2}}, {{2, 5, 3}, {2, 6, 3}}})},
                  {},
                  scalars});
  rows.push_back({"take",
                  {taking(0, integers(-3, 2),
                          {{{3}, {}},
                           {{3}, {4}},
                           {{3}, {0}},
                           {{3, 2}, {5}},
                           {{3, 0}, {2}},
                           {{3, 1, 2}, {2, 2}},
                           {{3, 1, 2, 1, 2}, {2}}}),
                   taking(-1, integers(0, 2), {{{2, 3}, {}}, {{2, 3}, {4}}, {{1, 4}, {1, 2}}}),
                   taking(1, integers(-1, 0), {{{2, 1, 3}, {2}}, {{2, 3, 2}, {3}}})}});
  rows.push_back({"index_add",
                  {adding(0, integers(-3, 2),
                          {{{3}, {5}, {5}},
                           {{3}, {0}, {0}},
                           {{3, 2}, {4}, {4, 2}},
                           {{3, 0}, {2}, {2, 0}},
                           {{3, 1, 2, 1, 2}, {2}, {2, 1, 2, 1, 2}}}),
                   adding(-1, integers(-1, 0), {{{2, 1}, {3}, {2, 3}}, {{2, 3}, {2}, {2, 2}}}),
                   adding(1, integers(0, 1), {{{2, 2, 3}, {4}, {2, 4, 3}}}), adding_scaled(-0.5)},
                  {},
                  scalars});
  const auto hot = [](const std::vector<Values>& x) {
    Shape shape = x[0].shape;
    shape.push_back(4);
    return build(shape, [&](Index index) {
      const std::int64_t column = index.back();
      index.pop_back();
      return static_cast<Real>(x[0][index] == static_cast<Real>(column));
    });
  };
  rows.push_back({"one_hot",
                  {{.label = "",
                    .f = [](const Tensors& x) { return one_hot(x[0], 4).to(i64); },
                    .reference = hot,
                    .domains = {integers(0, 3)},
                    .shapes = any_shape(),
                    .ulps = 0,
                    .order = 0}}});
  for (Row& row : rows_placing()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace xgrad::op_table
