#include <autograd/ops/table/row.hpp>

namespace xgrad::op_table {
namespace {

Values transposed(const Values& x) {
  Shape shape = x.shape;
  std::swap(shape[-1], shape[-2]);
  return build(shape, [&](Index at) {
    std::swap(at[at.size() - 1], at[at.size() - 2]);
    return x[at];
  });
}

Shape without(Shape shape, int axis) {
  shape.erase(axis_of(axis, shape));
  return shape;
}

/// NumPy's matmul, one element after another.
Values product(Values a, Values b) {
  const bool row = a.shape.ndim() == 1, column = b.shape.ndim() == 1;
  if (row) a.shape.insert(0, 1);
  if (column) b.shape.push_back(1);
  const std::int64_t k = a.shape[-1];
  Shape inner_a = a.shape, inner_b = b.shape, shape;
  inner_a[-1] = inner_a[-2] = inner_b[-1] = inner_b[-2] = 1;
  broadcast(inner_a, inner_b, shape);
  shape[-2] = a.shape[-2];
  shape[-1] = b.shape[-1];
  const auto element = [](const Values& x, const Index& at, std::int64_t i, std::int64_t j) {
    Index index(at.end() - x.shape.ndim(), at.end());
    for (int d = 0; d < x.shape.ndim(); ++d)
      if (x.shape[d] == 1) index[static_cast<std::size_t>(d)] = 0;
    index[index.size() - 2] = i;
    index[index.size() - 1] = j;
    return x[index];
  };
  Values c = build(shape, [&](const Index& at) {
    Real s = 0;
    for (std::int64_t i = 0; i < k; ++i)
      s += element(a, at, at[at.size() - 2], i) * element(b, at, i, at[at.size() - 1]);
    return s;
  });
  if (row) c.shape = without(c.shape, -2);
  if (column) c.shape = without(c.shape, -1);
  return c;
}

Variant matrices(const std::string& label, const Function& f, const Reference& reference, const ShapeTuples& shapes) {
  return {.label = label,
          .f = f,
          .reference = reference,
          .domains = std::vector<Domain>(shapes[0].size(), interval(-2, 2)),
          .shapes = shapes,
          .ulps = 8,
          .scale = 12};
}

Variant with_transposes(bool a, bool b, const ShapeTuples& shapes) {
  return matrices(
      text(a ? "transposed a " : "", b ? "transposed b" : ""),
      [=](const Tensors& x) { return matmul(x[0], x[1], {.transpose_a = a, .transpose_b = b}); },
      [=](const std::vector<Values>& x) {
        return product(a && x[0].shape.ndim() > 1 ? transposed(x[0]) : x[0],
                       b && x[1].shape.ndim() > 1 ? transposed(x[1]) : x[1]);
      },
      shapes);
}

}  // namespace

std::vector<Row> rows_matmul() {
  std::vector<Row> rows;
  const ShapeTuples ranks{{{3}, {3}},
                          {{0}, {0}},
                          {{2, 3}, {3}},
                          {{3}, {3, 2}},
                          {{2, 3}, {3, 4}},
                          {{1, 1}, {1, 1}},
                          {{2, 0}, {0, 3}},
                          {{0, 2}, {2, 3}},
                          {{2, 3}, {3, 0}},
                          {{2, 2, 3}, {3}},
                          {{3}, {2, 3, 2}},
                          {{2, 2, 3}, {3, 2}},
                          {{2, 3}, {2, 3, 2}},
                          {{2, 2, 3}, {2, 3, 2}},
                          {{1, 2, 3}, {2, 3, 2}},
                          {{2, 2, 3}, {1, 3, 2}},
                          {{0, 2, 3}, {3, 2}},
                          {{2, 3}, {0, 3, 2}},
                          {{0, 2, 3}, {1, 3, 2}},
                          {{2, 2, 0}, {2, 0, 2}},
                          {{2, 1, 2, 3}, {3, 3, 2}},
                          {{2, 1, 1, 2, 2}, {1, 2, 2, 1}},
                          {{2, 2}, {2, 1, 2, 2, 1}}};
  rows.push_back(
      {"matmul",
       {with_transposes(false, false, ranks),
        with_transposes(true, false, {{{3}, {3, 2}}, {{3, 2}, {3}}, {{3, 2}, {3, 4}}, {{2, 3, 2}, {3, 2}}}),
        with_transposes(false, true, {{{2, 3}, {4, 3}}, {{3}, {2, 3}}, {{2, 2, 3}, {2, 3}}, {{2, 3}, {2, 2, 3}}}),
        with_transposes(true, true, {{{3, 2}, {4, 3}}, {{2, 1, 3, 2}, {3, 2, 3}}, {{0, 2}, {3, 0}}}),
        matrices(
            "with itself", [](const Tensors& x) { return matmul(x[0], matmul(x[0], x[0])); },
            [](const std::vector<Values>& x) { return product(x[0], product(x[0], x[0])); }, {{{2, 2}}, {{2, 2, 2}}})},
       {},
       scalars});
  rows.push_back({"dot",
                  {matrices(
                      "", [](const Tensors& x) { return dot(x[0], x[1]); },
                      [](const std::vector<Values>& x) { return product(x[0], x[1]); },
                      {{{1}, {1}}, {{0}, {0}}, {{2}, {2}}, {{3}, {3}}, {{4}, {4}}, {{9}, {9}}})},
                  {},
                  scalars | rank_five});
  rows.push_back({"outer",
                  {matrices(
                      "", [](const Tensors& x) { return outer(x[0], x[1]); },
                      [](const std::vector<Values>& x) {
                        return build({x[0].shape[0], x[1].shape[0]},
                                     [&](const Index& at) { return x[0][{at[0]}] * x[1][{at[1]}]; });
                      },
                      {{{1}, {1}}, {{0}, {3}}, {{3}, {0}}, {{2}, {3}}, {{3}, {2}}, {{1}, {4}}})},
                  {},
                  scalars | rank_five});
  const auto affine = [](const std::vector<Values>& x) {
    Values y = product(x[0], x[1]);
    each_index(y.shape, [&](const Index& at) { y[at] += x.size() > 2 ? x[2][{at.back()}] : 0; });
    return y;
  };
  rows.push_back({"dense",
                  {matrices("with bias", [](const Tensors& x) { return dense(x[0], x[1], x[2]); }, affine,
                            {{{2, 3}, {3, 2}, {2}},
                             {{3}, {3, 2}, {2}},
                             {{1, 1}, {1, 1}, {1}},
                             {{0, 3}, {3, 2}, {2}},
                             {{2, 0}, {0, 2}, {2}},
                             {{2, 3}, {3, 0}, {0}},
                             {{2, 2, 3}, {3, 2}, {2}},
                             {{1, 2, 1, 2, 3}, {3, 2}, {2}}}),
                   matrices("without bias", [](const Tensors& x) { return dense(x[0], x[1]); }, affine,
                            {{{2, 3}, {3, 2}}, {{3}, {3, 2}}, {{2, 2, 3}, {3, 2}}})},
                  {},
                  scalars});
  return rows;
}

}  // namespace xgrad::op_table
