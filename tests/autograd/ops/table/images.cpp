#include <algorithm>
#include <autograd/ops/table/row.hpp>
#include <autograd/ops/table/windows.hpp>

/// Rows of ops on images, whose references stand in windows.cpp.
namespace xgrad::op_table {
namespace {

Real nearest(std::int64_t i, std::int64_t j, std::int64_t n, std::int64_t size) { return j == i * n / size; }
Real linear(Real at, std::int64_t j, std::int64_t n) {
  at = std::clamp<Real>(at, 0, static_cast<Real>(n - 1));
  return std::max<Real>(0, 1 - std::fabs(at - static_cast<Real>(j)));
}
Real by_edges(std::int64_t i, std::int64_t j, std::int64_t n, std::int64_t size) {
  return linear((static_cast<Real>(i) + .5L) * static_cast<Real>(n) / static_cast<Real>(size) - .5L, j, n);
}
Real by_corners(std::int64_t i, std::int64_t j, std::int64_t n, std::int64_t size) {
  return linear(size > 1 ? static_cast<Real>(i * (n - 1)) / static_cast<Real>(size - 1) : 0, j, n);
}

Variant variant(std::string label, Function f, Reference reference, ShapeTuples shapes, Domain x = interval(-2, 2)) {
  Variant v{.label = std::move(label),
            .f = std::move(f),
            .reference = std::move(reference),
            .domains = std::vector<Domain>(shapes[0].size(), interval(-2, 2)),
            .shapes = std::move(shapes),
            .ulps = 8,
            .scale = 60,
            .order = 2};
  v.domains[0] = std::move(x);
  return v;
}

Variant conv_variant(std::string label, ConvOptions options, Moves m, ShapeTuples shapes) {
  return variant(
      std::move(label), [=](const Tensors& x) { return conv(x[0], x[1], x.size() > 2 ? x[2] : Tensor(), options); },
      [=](const std::vector<Values>& x) { return convolution(x, m); }, std::move(shapes));
}

Row conv_row() {
  return {"conv",
          {conv_variant("with bias", {}, {{1, 1, 1}, {0, 0, 0}, {1, 1, 1}},
                        {{{2, 2, 5}, {3, 2, 3}, {3}},
                         {{1, 1, 4, 5}, {1, 1, 2, 3}, {1}},
                         {{0, 2, 4, 4}, {3, 2, 3, 3}, {3}},
                         {{2, 1, 2, 3, 2}, {2, 1, 2, 1, 2}, {2}}}),
           conv_variant("strides and paddings", {.stride = {2, 3}, .padding = {1, 2}}, {{2, 3}, {1, 2}, {1, 1}},
                        {{{2, 2, 5, 4}, {3, 2, 3, 3}}, {{1, 1, 1, 1}, {1, 1, 3, 5}}, {{1, 2, 3, 3}, {2, 2, 1, 1}}}),
           conv_variant("dilation", {.stride = 1, .padding = 2, .dilation = 2}, {{1, 1}, {2, 2}, {2, 2}},
                        {{{2, 1, 3, 4}, {2, 1, 2, 3}}}),
           conv_variant("groups", {.padding = 1, .groups = 2}, {{1}, {1}, {1}, 2}, {{{2, 4, 4}, {6, 2, 2}, {6}}}),
           conv_variant("depthwise", {.stride = 2, .groups = 3}, {{2, 2}, {0, 0}, {1, 1}, 3},
                        {{{2, 3, 4, 5}, {6, 1, 2, 2}}}),
           conv_variant("same", {.padding = Same{}}, {{1, 1}, {1, 0}, {1, 1}}, {{{2, 2, 4, 3}, {2, 2, 3, 1}}})},
          {},
          scalars};
}

Variant transpose_variant(std::string label, ConvTransposeOptions options, Moves m, Index more, ShapeTuples shapes) {
  return variant(
      std::move(label),
      [=](const Tensors& x) { return conv_transpose(x[0], x[1], x.size() > 2 ? x[2] : Tensor(), options); },
      [=](const std::vector<Values>& x) { return transposed_convolution(x, m, more); }, std::move(shapes));
}

Row conv_transpose_row() {
  return {"conv_transpose",
          {transpose_variant("with bias", {}, {{1, 1, 1}, {0, 0, 0}, {1, 1, 1}}, {0, 0, 0},
                             {{{2, 2, 3}, {2, 3, 3}, {3}},
                              {{1, 1, 1, 2}, {1, 1, 2, 3}, {1}},
                              {{0, 2, 2, 2}, {2, 3, 3, 3}, {3}},
                              {{2, 1, 2, 1, 2}, {1, 2, 2, 1, 2}, {2}}}),
           transpose_variant("strides, paddings and more behind",
                             {.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}}, {{2, 3}, {1, 0}, {1, 1}},
                             {1, 2}, {{{2, 2, 3, 2}, {2, 3, 3, 1}, {3}}}),
           transpose_variant("dilation and groups", {.stride = 2, .padding = 1, .dilation = 3, .groups = 2},
                             {{2}, {1}, {3}, 2}, {0}, {{{2, 4, 3}, {4, 2, 2}}})},
          {},
          scalars};
}

Row max_pool_row() {
  const auto f = [](const Shape& kernel, const MaxPoolOptions& options) {
    return [=](const Tensors& x) { return max_pool(x[0], kernel, options); };
  };
  return {"max_pool",
          {variant("", f({2, 2}, {}), pooled({2, 2}, {{2, 2}, {0, 0}, {1, 1}}, largest_of),
                   {{{2, 2, 4, 6}}, {{1, 1, 3, 5}}, {{0, 2, 2, 2}}, {{1, 2, 5, 37}}}, distinct()),
           variant("strides and padding", f({3}, {.stride = 2, .padding = 1}), pooled({3}, {{2}, {1}, {1}}, largest_of),
                   {{{2, 2, 6}}, {{1, 1, 1}}}, distinct()),
           variant("overlapping", f({1, 2, 3}, {.stride = 1}),
                   pooled({1, 2, 3}, {{1, 1, 1}, {0, 0, 0}, {1, 1, 1}}, largest_of), {{{1, 2, 2, 2, 4}}}, distinct())},
          {{.inputs = {{1, nan, nan, 3}},
            .value = {nan, nan},
            .gradients = {{0, 1, 1, 0}},
            .f =
                [](const Tensors& x) {
                  return reshape(max_pool(reshape(x[0], {1, 1, 4}), 2), {2});
                }},
           {.inputs = {{2, 2, -inf, -inf}},
            .value = {2, -inf},
            .gradients = {{1, 0, 1, 0}},
            .f =
                [](const Tensors& x) {
                  return reshape(max_pool(reshape(x[0], {1, 1, 4}), 2), {2});
                }}},
          scalars};
}

Row avg_pool_row() {
  const auto f = [](const Shape& kernel, const AvgPoolOptions& options) {
    return [=](const Tensors& x) { return avg_pool(x[0], kernel, options); };
  };
  return {"avg_pool",
          {variant("", f({2, 2}, {}), pooled({2, 2}, {{2, 2}, {0, 0}, {1, 1}}, mean_of),
                   {{{2, 2, 4, 6}}, {{1, 1, 3, 5}}, {{0, 2, 2, 2}}}),
           variant("padding counts", f({3}, {.stride = 2, .padding = 1}),
                   pooled(
                       {3}, {{2}, {1}, {1}}, +[](const std::vector<Real>& v) { return sum_of(v) / 3; }),
                   {{{2, 2, 6}}, {{1, 1, 1}}}),
           variant("padding does not count", f({3}, {.stride = 2, .padding = 1, .count_padding = false}),
                   pooled({3}, {{2}, {1}, {1}}, mean_of), {{{2, 2, 6}}}),
           variant("overlapping", f({1, 2, 3}, {.stride = 1}),
                   pooled({1, 2, 3}, {{1, 1, 1}, {0, 0, 0}, {1, 1, 1}}, mean_of), {{{1, 2, 2, 2, 4}}})},
          {},
          scalars};
}

}  // namespace

std::vector<Row> rows_images() {
  std::vector<Row> rows{conv_row(), conv_transpose_row(), max_pool_row(), avg_pool_row()};
  const auto adaptive_to = [](const Shape& size) {
    return [=](const Tensors& x) { return adaptive_avg_pool(x[0], size); };
  };
  rows.push_back({"adaptive_avg_pool",
                  {variant("", adaptive_to({3, 2}), along_axes({3, 2}, adaptive),
                           {{{2, 1, 4, 5}}, {{1, 2, 6, 2}}, {{0, 2, 3, 3}}, {{1, 1, 2, 1}}}),
                   variant("of all", adaptive_to({1}), along_axes({1}, adaptive), {{{2, 3, 4}}}),
                   variant("three axes", adaptive_to({1, 2, 3}), along_axes({1, 2, 3}, adaptive), {{{1, 1, 2, 3, 4}}})},
                  {},
                  scalars});
  const auto to = [](const InterpolateOptions& options) {
    return [=](const Tensors& x) { return interpolate(x[0], options); };
  };
  constexpr auto mode = Interpolation::linear;
  rows.push_back(
      {"interpolate",
       {variant("nearest", to({.size = {3, 4}}), along_axes({3, 4}, nearest),
                {{{2, 1, 2, 7}}, {{1, 2, 3, 1}}, {{0, 1, 2, 2}}}),
        variant("bilinear", to({.size = {3, 4}, .mode = mode}), along_axes({3, 4}, by_edges),
                {{{2, 1, 2, 7}}, {{1, 2, 3, 1}}}),
        variant("corners", to({.size = {5, 1}, .mode = mode, .align_corners = true}), along_axes({5, 1}, by_corners),
                {{{2, 1, 3, 3}}, {{1, 1, 1, 4}}}),
        variant("trilinear", to({.size = 3, .mode = mode}), along_axes({3, 3, 3}, by_edges), {{{1, 1, 2, 3, 4}}})},
       {},
       scalars});
  for (Row& row : rows_normalisation()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace xgrad::op_table
