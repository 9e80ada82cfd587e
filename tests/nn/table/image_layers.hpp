#pragma once
#include <autograd/ops/table/windows.hpp>

#include "nn/table/layers.hpp"

/// The rows of layers on images, and of those that normalise channels.
namespace xgrad::nn_table {

using op_table::Moves;

inline const std::string plain_argument = "an argument is a plain number; make it a tensor with tensor(...)";

inline Reference convolves(const Moves& m) {
  return [=](const std::vector<Values>& x) { return op_table::convolution(x, m); };
}
inline Reference transposes(const Moves& m, const Index& more) {
  return [=](const std::vector<Values>& x) { return op_table::transposed_convolution(x, m, more); };
}

inline std::vector<LayerRow> convolution_rows() {
  // One zero behind, as two taps keep an axis' size with.
  const Reference convolves_same = [](const std::vector<Values>& x) {
    Shape shape = x[0].shape;
    ++shape[2];
    const Values padded = build(shape, [&](const Index& at) { return at[2] + 1 < shape[2] ? x[0][at] : 0; });
    return op_table::convolution({padded, x[1]}, {{1}, {0}, {1}, 2});
  };
  const Moves plain{{1, 1, 1}, {0, 0, 0}, {1, 1, 1}};
  return {
      {"Conv1d",
       {layer("", nn::Conv1d{2, 3, 3}, convolves(plain), {{{2, 2, 5}}, {{1, 2, 3}}, {{0, 2, 4}}}),
        layer("same, groups", nn::Conv1d{2, 4, 2, {.padding = nn::same, .groups = 2, .bias = false}}, convolves_same,
              {{{1, 2, 3}}, {{0, 2, 3}}})},
       {BAD(ShapeError, (nn::Conv1d{2, 3, 3}(ones({2, 5}))),
            "in Conv1d 2 -> 3, 3: conv: x is (2, 5); it needs axes (n, channels) and 1 to 3 more"),
        BAD(ShapeError, (nn::Conv1d{2, 3, {3, 3}}), "Conv1d: the kernel is (3, 3); give one number")}},
      {"Conv2d",
       {layer("", nn::Conv2d{2, 3, {3, 2}}, convolves(plain), {{{2, 2, 4, 3}}, {{1, 2, 3, 2}}, {{0, 2, 4, 4}}}),
        layer("moved", nn::Conv2d{1, 2, 3, {.stride = 2, .padding = {1, 0}, .dilation = {1, 2}}},
              convolves({{2, 2}, {1, 0}, {1, 2}}), {{{1, 1, 3, 6}}, {{0, 1, 3, 6}}})},
       {BAD(ShapeError, (nn::Conv2d{3, 4, 3}(ones({1, 2, 5, 5}))),
            "in Conv2d 3 -> 4, 3 x 3: conv: x is (1, 2, 5, 5), w is (4, 3, 3, 3) with groups 1; x needs 3 channels"),
        BAD(ShapeError, (nn::Conv2d{3, 4, 3}(ones({1, 3, 5}))),
            "in Conv2d 3 -> 4, 3 x 3: conv: x is (1, 3, 5), w is (4, 3, 3, 3); they must have equally many axes"),
        BAD(ShapeError, (nn::Conv2d{1, 1, 5, {.padding = 1}}(ones({1, 1, 7, 2}))),
            "in Conv2d 1 -> 1, 5 x 5, padding 1: conv: x is (1, 1, 7, 2), 4 elements with padding along axis 3, and "
            "the "
            "kernel takes 5; pad more, or take a smaller kernel"),
        BAD(ValueError, (nn::Conv2d{1, 1, 3, {.stride = {1, 0}}}),
            "Conv2d: the stride is (1, 0); it must be at least 1"),
        BAD(ValueError, (nn::Conv2d{1, 1, 3, {.padding = -1}}), "Conv2d: the padding is (-1,); it must be at least 0"),
        BAD(ValueError, (nn::Conv2d{1, 1, 3, {.dilation = 0}}), "Conv2d: the dilation is (0,); it must be at least 1"),
        BAD(ValueError, (nn::Conv2d{1, 1, 0}), "Conv2d: the kernel is (0,); it must be at least 1"),
        BAD(ShapeError, (nn::Conv2d{1, 1, 3, {.stride = {1, 2, 3}}}),
            "Conv2d: the stride is (1, 2, 3); give one number, or one for each of 2 axes"),
        BAD(ShapeError, (nn::Conv2d{1, 1, 3, {.padding = {1, 2, 3}}}),
            "Conv2d: the padding is (1, 2, 3); give one number, or one for each of 2 axes"),
        BAD(ShapeError, (nn::Conv2d{1, 1, 3, {.dilation = {1, 2, 3}}}),
            "Conv2d: the dilation is (1, 2, 3); give one number, or one for each of 2 axes"),
        BAD(ValueError, (nn::Conv2d{3, 4, 3, {.groups = 2}}),
            "Conv2d: there are 2 groups, for 3 input and 4 output channels; they must divide both"),
        BAD(ValueError, (nn::Conv2d{0, 4, 3}),
            "Conv2d: there are 0 input and 4 output channels; both must be at least 1"),
        BAD(ValueError, (nn::Conv2d{1, 1, 3}(1.)), "in Conv2d 1 -> 1, 3 x 3: conv: " + plain_argument)}},
      {"Conv3d",
       {layer("", nn::Conv3d{1, 2, {1, 2, 2}}, convolves(plain), {{{1, 1, 2, 2, 3}}, {{0, 1, 2, 2, 2}}})},
       {BAD(ValueError, (nn::Conv3d{1, 1, 2}(1.)), "in Conv3d 1 -> 1, 2 x 2 x 2: conv: " + plain_argument),
        BAD(ShapeError, (nn::Conv3d{1, 1, {2, 2}}),
            "Conv3d: the kernel is (2, 2); give one number, or one for each of 3 axes")}},
      {"ConvTranspose1d",
       {layer("", nn::ConvTranspose1d{2, 3, 3, {.stride = 2, .padding = 1, .output_padding = 1}},
              transposes({{2}, {1}, {1}}, {1}), {{{2, 2, 3}}, {{1, 2, 1}}, {{0, 2, 3}}})},
       {BAD(ValueError, (nn::ConvTranspose1d{1, 1, 3, {.output_padding = 1}}),
            "ConvTranspose1d: the output_padding is (1,); it must be less than the stride or the dilation"),
        BAD(ShapeError, (nn::ConvTranspose1d{1, 1, 3, {.output_padding = {0, 0}}}),
            "ConvTranspose1d: the output_padding is (0, 0); give one number"),
        BAD(ValueError, (nn::ConvTranspose1d{1, 1, 3, {.padding = nn::same}}),
            "ConvTranspose1d: the padding Same has no transposed form; give it as a number"),
        BAD(ShapeError, (nn::ConvTranspose1d{1, 1, 1, {.padding = 2}}(ones({1, 1, 4}))),
            "in ConvTranspose1d 1 -> 1, 1, padding 2: conv_transpose: x is (1, 1, 4), and axis 2 of the result would "
            "have 0 elements; pad less")}},
      {"ConvTranspose2d",
       {layer("", nn::ConvTranspose2d{2, 2, 2, {.groups = 2}}, transposes({{1, 1}, {0, 0}, {1, 1}, 2}, {0, 0}),
              {{{2, 2, 2, 3}}, {{1, 2, 1, 1}}, {{0, 2, 2, 2}}})},
       {BAD(ValueError, (nn::ConvTranspose2d{2, 2, 2, {.padding = nn::same}}),
            "ConvTranspose2d: the padding Same has no transposed form; give it as a number"),
        BAD(ShapeError, (nn::ConvTranspose2d{2, 2, 2, {.stride = {1, 2, 3}}}),
            "ConvTranspose2d: the stride is (1, 2, 3); give one number, or one for each of 2 axes"),
        BAD(ShapeError, (nn::ConvTranspose2d{2, 2, 2}(ones({1, 3, 4, 4}))),
            "in ConvTranspose2d 2 -> 2, 2 x 2: conv_transpose: x is (1, 3, 4, 4), w is (2, 2, 2, 2); x needs 2 "
            "channels")}}};
}

inline std::vector<LayerRow> pooling_rows() {
  const Moves by_two{{2, 2}, {0, 0}, {1, 1}};
  const std::vector<std::vector<Shape>> lines{{{2, 2, 5}}, {{1, 1, 2}}, {{0, 2, 4}}},
      images{{{2, 1, 4, 5}}, {{1, 2, 2, 3}}, {{0, 2, 4, 4}}};
  const Domain distinct = op_table::distinct();
  return {{"MaxPool1d",
           {layer("", nn::MaxPool1d{2}, op_table::pooled({2}, by_two, op_table::largest_of), lines, distinct)},
           {BAD(ShapeError, (nn::MaxPool1d{2}(ones({1, 1, 4, 4}))),
                "in MaxPool1d 2: max_pool: x is (1, 1, 4, 4); it needs axes (n, channels, length)"),
            BAD(ShapeError, (nn::MaxPool1d{{2, 2}}), "MaxPool1d: the kernel is (2, 2); give one number")}},
          {"MaxPool2d",
           {layer("", nn::MaxPool2d{2}, op_table::pooled({2, 2}, by_two, op_table::largest_of), images, distinct),
            layer("padded", nn::MaxPool2d{{3, 2}, {.stride = 1, .padding = 1}},
                  op_table::pooled({3, 2}, {{1, 1}, {1, 1}, {1, 1}}, op_table::largest_of), images, distinct)},
           {BAD(ShapeError, (nn::MaxPool2d{2}(ones({1, 4, 4}))),
                "in MaxPool2d 2: max_pool: x is (1, 4, 4); it needs axes (n, channels, height, width)"),
            BAD(ValueError, (nn::MaxPool2d{2, {.padding = 2}}),
                "MaxPool2d: the padding is (2,), the kernel (2,); it must be at most half the kernel"),
            BAD(ShapeError, (nn::MaxPool2d{2}(ones({1, 1, 0, 4}))),
                "in MaxPool2d 2: max_pool: x is (1, 1, 0, 4), and axis 2 has no elements to pool")}},
          {"AvgPool1d",
           {layer("", nn::AvgPool1d{2}, op_table::pooled({2}, by_two, op_table::mean_of), lines)},
           {BAD(ShapeError, (nn::AvgPool1d{2}(ones({1, 1, 1}))),
                "in AvgPool1d 2: avg_pool: x is (1, 1, 1), 1 elements with padding along axis 2, and the kernel takes "
                "2; pad more, or take a smaller kernel")}},
          {"AvgPool2d",
           {layer("", nn::AvgPool2d{2}, op_table::pooled({2, 2}, by_two, op_table::mean_of), images),
            layer("padded", nn::AvgPool2d{2, {.padding = 1, .count_padding = false}},
                  op_table::pooled({2, 2}, {{2, 2}, {1, 1}, {1, 1}}, op_table::mean_of), images)},
           {BAD(ValueError, (nn::AvgPool2d{0}), "AvgPool2d: the kernel is (0,); it must be at least 1"),
            BAD(ShapeError, (nn::AvgPool2d{2, {.stride = {1, 2, 3}}}),
                "AvgPool2d: the stride is (1, 2, 3); give one number, or one for each of 2 axes"),
            BAD(ValueError, (nn::AvgPool2d{2, {.stride = 0}}), "AvgPool2d: the stride is (0,); it must be at least 1"),
            BAD(ShapeError, (nn::AvgPool2d{2, {.padding = {0, 0, 0}}}),
                "AvgPool2d: the padding is (0, 0, 0); give one number, or one for each of 2 axes")}},
          {"AdaptiveAvgPool2d",
           {layer("", nn::AdaptiveAvgPool2d{1}, op_table::along_axes({1, 1}, op_table::adaptive), images),
            layer("uneven", nn::AdaptiveAvgPool2d{{3, 2}}, op_table::along_axes({3, 2}, op_table::adaptive), images)},
           {BAD(ShapeError, (nn::AdaptiveAvgPool2d{{1, 1, 1}}),
                "AdaptiveAvgPool2d: the size is (1, 1, 1); give one number, or one for each of 2 axes")}}};
}

inline LayerRow dropout2d_row() {
  const Reference same = [](const std::vector<Values>& x) { return x[0]; };
  const std::vector<std::vector<Shape>> shapes{{{3, 4, 2}}, {{1, 2, 2, 2}}, {{0, 3, 2}}, {{2, 3}}};
  LayerRow row{"Dropout2d",
               {layer("", nn::Dropout2d{}, same, shapes), layer("p = 1", nn::Dropout2d{1}, same, shapes),
                layer("p = 0", nn::Dropout2d{0}, same, shapes)},
               {BAD(ValueError, nn::Dropout2d{1.5}, "Dropout2d: the probability is 1.5; it must be between 0 and 1"),
                BAD(ShapeError, nn::Dropout2d{}(ones({3})),
                    "in Dropout2d 0.5: dropout: x is (3,); it needs axes (n, channels) and perhaps more")}};
  row.cases[0].draws = row.cases[1].draws = true;
  return row;
}

inline std::vector<LayerRow> normalisation_rows() {
  const Reference running = [](const std::vector<Values>& x) {
    return op_table::by_moments(x[0], x[x.size() - 2], x[x.size() - 1], x.size() > 3 ? &x[1] : nullptr,
                                x.size() > 3 ? &x[2] : nullptr);
  };
  const auto rms = [](int axes, Real eps) {
    return [=](const std::vector<Values>& x) {
      const auto together = [axes](const Shape&, const Index& a, const Index& b) {
        return std::equal(a.begin(), a.end() - axes, b.begin());
      };
      return op_table::normalised(x, together, false, eps,
                                  [axes](const Index& at) { return Index(at.end() - axes, at.end()); });
    };
  };
  const auto grouped = [](std::int64_t groups, Real eps) {
    return [=](const std::vector<Values>& x) { return op_table::group_normalised(x, groups, eps); };
  };
  std::vector<LayerRow> rows{
      {"BatchNorm1d",
       {layer("", nn::BatchNorm1d{3}, running, {{{4, 3}}, {{1, 3, 5}}, {{0, 3}}, {{2, 3, 2}}}),
        layer("alone", nn::BatchNorm1d{3, {.affine = false}}, running, {{{4, 3}}, {{1, 3, 5}}, {{0, 3}}})},
       {BAD(ValueError, (nn::BatchNorm1d{3}(ones({1, 3}))),
            "in BatchNorm1d 3: batch_norm: x is (1, 3), a single element for each channel, of which nothing would be "
            "left; take a larger batch, or given moments"),
        BAD(ShapeError, (nn::BatchNorm1d{3}(ones({4, 2}))),
            "in BatchNorm1d 3: batch_norm: x is (4, 2); it needs axes (n, 3) or one more"),
        BAD(ValueError, nn::BatchNorm1d{-1}, "BatchNorm: there are -1 channels; there must be at least 0"),
        BAD(ValueError, (nn::BatchNorm1d{1, {.momentum = 2}}),
            "BatchNorm: the momentum is 2; it must be between 0 and 1")}},
      {"BatchNorm2d",
       {layer("", nn::BatchNorm2d{2}, running, {{{3, 2, 2, 2}}, {{1, 2, 2, 2}}, {{0, 2, 2, 2}}})},
       {BAD(ShapeError, (nn::BatchNorm2d{2}(ones({4, 2}))),
            "in BatchNorm2d 2: batch_norm: x is (4, 2); it needs axes (n, 2, height, width)"),
        BAD(ValueError, (nn::BatchNorm2d{1, {.eps = -1}}), "BatchNorm: eps is -1; it must be at least 0")}},
      {"GroupNorm",
       {layer("", nn::GroupNorm{2, 4}, grouped(2, 1e-5L), {{{2, 4, 3}}, {{1, 4}}, {{0, 4, 2}}}),
        layer("alone", nn::GroupNorm{1, 2, {.eps = .5, .affine = false}}, grouped(1, .5L), {{{1, 2, 2}}, {{0, 2}}})},
       {BAD(ValueError, (nn::GroupNorm{2, 3}),
            "GroupNorm: there are 2 groups and 3 channels; the groups must divide the channels"),
        BAD(ShapeError, (nn::GroupNorm{2, 4}(ones({1, 3}))),
            "in GroupNorm 2 groups of 4 channels: group_norm: x is (1, 3); it needs axes (n, 4) and perhaps more")}},
      {"RMSNorm",
       {layer("", nn::RMSNorm{3}, rms(1, 1e-5L), {{{4, 3}}, {{1, 3}}, {{0, 3}}, {{2, 2, 3}}}),
        layer("two axes, alone", nn::RMSNorm{{2, 3}, {.eps = .5, .affine = false}}, rms(2, .5L),
              {{{4, 2, 3}}, {{1, 2, 3}}, {{0, 2, 3}}})},
       {BAD(ShapeError, (nn::RMSNorm{4}(zeros({2, 5}))),
            "in RMSNorm 4: rms_norm: x is (2, 5), the axes to normalise are (4,); they must be its last ones"),
        BAD(ValueError, (nn::RMSNorm{4, {.eps = -1}}), "RMSNorm: eps is -1; it must be at least 0")}}};
  for (std::size_t i = 0; i < 2; ++i)
    for (LayerCase& c : rows[i].cases) c.draws = true;  // of the batch in training mode
  return rows;
}

inline std::vector<LayerRow> image_rows() {
  std::vector<LayerRow> rows = convolution_rows();
  for (LayerRow& row : pooling_rows()) rows.push_back(std::move(row));
  for (LayerRow& row : normalisation_rows()) rows.push_back(std::move(row));
  rows.push_back(dropout2d_row());
  return rows;
}

}  // namespace xgrad::nn_table
