#include <autograd/ops/table/row.hpp>
#include <autograd/ops/table/windows.hpp>

/// Rows of normalisations, whose references stand in windows.cpp.
namespace xgrad::op_table {
namespace {

Index channel(const Index& at) { return {at[1]}; }

Variant variant(std::string label, Function f, Reference reference, ShapeTuples shapes) {
  return {.label = std::move(label),
          .f = std::move(f),
          .reference = std::move(reference),
          .domains = std::vector<Domain>(shapes[0].size(), interval(-2, 2)),
          .shapes = std::move(shapes),
          .ulps = 8,
          .scale = 6,
          .order = 2};
}

Tensor input(const Tensors& x, std::size_t i) { return x.size() > i ? x[i] : Tensor(); }

Variant group_variant(std::string label, std::int64_t groups, double eps, ShapeTuples shapes) {
  return variant(
      std::move(label), [=](const Tensors& x) { return group_norm(x[0], groups, input(x, 1), input(x, 2), eps); },
      [=](const std::vector<Values>& x) { return group_normalised(x, groups, eps); }, std::move(shapes));
}

Variant batch_variant(std::string label, double eps, ShapeTuples shapes) {
  return variant(
      std::move(label), [=](const Tensors& x) { return batch_norm(x[0], input(x, 1), input(x, 2), eps); },
      [=](const std::vector<Values>& x) {
        const auto together = [](const Shape&, const Index& a, const Index& b) { return a[1] == b[1]; };
        return normalised(x, together, true, eps, channel);
      },
      std::move(shapes));
}

/// By given moments: the second and third input.
Variant given_variant(ShapeTuples shapes) {
  Variant v = variant(
      "given moments",
      [](const Tensors& x) {
        return batch_norm(x[0], BatchMoments{x[1], x[2]}, input(x, 3), input(x, 4));
      },
      [](const std::vector<Values>& x) {
        return by_moments(x[0], x[1], x[2], x.size() > 3 ? &x[3] : nullptr, x.size() > 4 ? &x[4] : nullptr);
      },
      std::move(shapes));
  v.domains[2] = interval(.5, 2);
  return v;
}

Variant rms_variant(std::string label, int axes, double eps, ShapeTuples shapes) {
  const auto normalized = [axes](const Shape& shape) { return Shape(shape.end() - axes, shape.end()); };
  return variant(
      std::move(label), [=](const Tensors& x) { return rms_norm(x[0], normalized(x[0].shape()), input(x, 1), eps); },
      [=](const std::vector<Values>& x) {
        const auto together = [axes](const Shape&, const Index& a, const Index& b) {
          return std::equal(a.begin(), a.end() - axes, b.begin());
        };
        return normalised(x, together, false, eps,
                          [axes](const Index& at) { return Index(at.end() - axes, at.end()); });
      },
      std::move(shapes));
}

}  // namespace

std::vector<Row> rows_normalisation() {
  return {
      {"group_norm",
       {group_variant("", 2, 1e-5,
                      {{{2, 4, 3}, {4}, {4}},
                       {{1, 2, 5}, {2}, {2}},
                       {{0, 2, 3}, {2}, {2}},
                       {{3, 4}, {4}, {4}},
                       {{1, 4, 2, 1, 2}, {4}, {4}},
                       {{2, 2, 37}, {2}, {2}}}),
        group_variant("alone", 1, .5, {{{2, 3, 2}}}), group_variant("without bias", 3, .5, {{{2, 3, 2}, {3}}})},
       {},
       scalars},
      {"batch_norm",
       {batch_variant("", 1e-5,
                      {{{2, 3, 4}, {3}, {3}},
                       {{5, 2}, {2}, {2}},
                       {{3, 37}, {37}, {37}},
                       {{1, 2, 3, 3}, {2}, {2}},
                       {{0, 2, 3}, {2}, {2}},
                       {{2, 2, 1, 2, 3}, {2}, {2}}}),
        batch_variant("alone", .5, {{{3, 2, 2}}}), batch_variant("without bias", .5, {{{3, 2, 2}, {2}}}),
        given_variant({{{2, 3, 4}, {3}, {3}, {3}, {3}}, {{1, 2}, {2}, {2}, {2}, {2}}}),
        given_variant({{{2, 3, 4}, {3}, {3}}})},
       {{.inputs = {{16777215, 16777213}},
         .value = {1, -1},
         .f =
             [](const Tensors& x) {
               return reshape(batch_norm(reshape(x[0], {2, 1}), {}, {}, 0), {2});
             }}},
       scalars},
      {"rms_norm",
       {rms_variant("", 1, 1e-5,
                    {{{2, 3}, {3}}, {{4}, {4}}, {{0, 3}, {3}}, {{2, 1}, {1}}, {{3, 37}, {37}}, {{2, 1, 2, 1, 3}, {3}}}),
        rms_variant("alone", 1, .5, {{{2, 3}}}), rms_variant("two axes", 2, 1e-5, {{{2, 3, 2}, {3, 2}}})},
       {},
       scalars}};
}

}  // namespace xgrad::op_table
