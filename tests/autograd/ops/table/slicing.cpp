#include <autograd/ops/table/linear.hpp>

namespace xgrad::op_table {
namespace {

constexpr std::int64_t to_the_end = INT64_MAX, through_the_first = INT64_MIN;

/// slice on one axis; `picked(size)` lists the elements that it keeps.
Variant cut(int axis, std::int64_t start, std::int64_t stop, std::int64_t step,
            std::vector<std::int64_t> (*picked)(std::int64_t), ShapeTuples shapes) {
  const auto reference = [=](const std::vector<Values>& x) {
    Shape shape = x[0].shape;
    const int along = axis_of(axis, shape);
    const std::vector<std::int64_t> from = picked(shape[along]);
    shape[along] = static_cast<std::int64_t>(from.size());
    return build(shape, [&](Index index) {
      std::int64_t& i = index[static_cast<std::size_t>(along)];
      i = from[static_cast<std::size_t>(i)];
      return x[0][index];
    });
  };
  return {.label = text("axis ", axis, ", ", start, ":", stop, ":", step),
          .f = [=](const Tensors& x) { return slice(x[0], axis, start, stop, step); },
          .reference = reference,
          .domains = {interval(-2, 2)},
          .shapes = std::move(shapes),
          .ulps = 0};
}

/// What f picks: the slice at position i of an axis, counted from the end if negative.
Variant picking(Tensor (*f)(const Tensor& x, int axis, std::int64_t i), int axis, std::int64_t i, ShapeTuples shapes) {
  const auto reference = [=](const std::vector<Values>& x) {
    Shape shape = x[0].shape;
    const int along = axis_of(axis, shape);
    const std::int64_t at = i < 0 ? i + shape[along] : i;
    shape.erase(along);
    return build(shape, [&](Index index) {
      index.insert(index.begin() + along, at);
      return x[0][index];
    });
  };
  return {.label = text(i, " of axis ", axis),
          .f = [=](const Tensors& x) { return f(x[0], axis, i); },
          .reference = reference,
          .domains = {interval(-2, 2)},
          .shapes = std::move(shapes),
          .ulps = 0};
}
Tensor select_one(const Tensor& x, int axis, std::int64_t i) { return select(x, axis, i); }
Tensor unbind_one(const Tensor& x, int axis, std::int64_t i) {
  const std::vector<Tensor> all = unbind(x, axis);
  return all.at(static_cast<std::size_t>(i < 0 ? i + std::ssize(all) : i));
}

Variant padding(std::string label, std::vector<std::pair<int, int>> widths, double value, ShapeTuples shapes) {
  const auto reference = [=](const std::vector<Values>& x) {
    Shape shape = x[0].shape;
    for (int d = 0; d < shape.ndim(); ++d)
      shape[d] += widths[static_cast<std::size_t>(d)].first + widths[static_cast<std::size_t>(d)].second;
    return build(shape, [&](Index index) {
      for (int d = 0; d < shape.ndim(); ++d) {
        std::int64_t& i = index[static_cast<std::size_t>(d)];
        i -= widths[static_cast<std::size_t>(d)].first;
        if (i < 0 || i >= x[0].shape[d]) return static_cast<Real>(value);
      }
      return x[0][index];
    });
  };
  return {.label = std::move(label),
          .f = [=](const Tensors& x) { return pad(x[0], widths, value); },
          .reference = reference,
          .domains = {interval(-2, 2)},
          .shapes = std::move(shapes),
          .ulps = 0};
}

/// Each element where numpy.pad finds it, one step back into the axis after the other.
Variant padding(std::string label, std::vector<std::pair<int, int>> widths, PadMode mode, ShapeTuples shapes) {
  const auto reference = [=](const std::vector<Values>& x) {
    Shape shape = x[0].shape;
    for (int d = 0; d < shape.ndim(); ++d)
      shape[d] += widths[static_cast<std::size_t>(d)].first + widths[static_cast<std::size_t>(d)].second;
    return build(shape, [&](Index index) {
      for (int d = 0; d < shape.ndim(); ++d) {
        std::int64_t& i = index[static_cast<std::size_t>(d)];
        const std::int64_t n = x[0].shape[d];
        i -= widths[static_cast<std::size_t>(d)].first;
        while (i < 0) i = mode == PadMode::circular ? i + n : mode == PadMode::reflect ? -i : i + 1;
        while (i >= n) i = mode == PadMode::circular ? i - n : mode == PadMode::reflect ? 2 * (n - 1) - i : i - 1;
      }
      return x[0][index];
    });
  };
  return {.label = std::move(label),
          .f = [=](const Tensors& x) { return pad(x[0], widths, mode); },
          .reference = reference,
          .domains = {interval(-2, 2)},
          .shapes = std::move(shapes),
          .ulps = 0};
}

/// x with the order along `axes` reversed.
Values reversed(const Values& x, const std::vector<int>& axes) {
  return build(x.shape, [&](Index index) {
    for (int axis : axes) {
      std::int64_t& i = index[static_cast<std::size_t>(axis_of(axis, x.shape))];
      i = x.shape[axis] - 1 - i;
    }
    return x[index];
  });
}

}  // namespace

std::vector<Row> rows_slicing() {
  std::vector<Row> rows;
  using Picked = std::vector<std::int64_t>;
  const ShapeTuples matrices{{{5}}, {{5, 2}}, {{5, 0}}, {{5, 1, 2}}, {{5, 1, 3, 1, 2}}};
  rows.push_back({"slice",
                  {cut(
                       0, 1, 3, 1,
                       [](std::int64_t) {
                         return Picked{1, 2};
                       },
                       matrices),
                   cut(
                       0, 0, to_the_end, 2,
                       [](std::int64_t) {
                         return Picked{0, 2, 4};
                       },
                       matrices),
                   cut(
                       0, -1, through_the_first, -1,
                       [](std::int64_t) {
                         return Picked{4, 3, 2, 1, 0};
                       },
                       matrices),
                   cut(
                       0, -2, 0, -2,
                       [](std::int64_t) {
                         return Picked{3, 1};
                       },
                       matrices),
                   cut(
                       0, 3, 3, 1, [](std::int64_t) { return Picked{}; }, matrices),
                   cut(0, 9, 12, 1, [](std::int64_t) { return Picked{}; }, {{{3}}, {{0}}, {{1, 2}}}),
                   cut(-1, -2, to_the_end, 1,
                       [](std::int64_t n) {
                         return Picked{n - 2, n - 1};
                       },
                       {{{3}}, {{4, 2}}, {{2, 3, 5}}, {{1, 0, 2}}}),
                   cut(1, 3, 0, -2,
                       [](std::int64_t) {
                         return Picked{3, 1};
                       },
                       {{{2, 4}}, {{2, 5, 3}}, {{1, 4, 1}}})},
                  {},
                  scalars});
  for (const auto& [name, f] : {std::pair{"select", &select_one}, {"unbind", &unbind_one}})
    rows.push_back(
        {name,
         {picking(f, 0, 1, {{{2}}, {{3, 2}}, {{2, 0}}, {{2, 1, 3, 1, 2}}}),
          picking(f, 0, 0, {{{1}}, {{1, 3}}, {{4, 1, 2}}}), picking(f, 1, -1, {{{3, 2}}, {{0, 1}}, {{2, 1, 3, 1, 2}}}),
          picking(f, -1, -2, {{{2}}, {{1, 3}}, {{2, 1, 2}}})},
         {},
         scalars});
  rows.push_back({"pad",
                  {padding("one axis", {{2, 1}}, 0, {{{3}}, {{1}}, {{0}}}),
                   padding("two axes", {{1, 0}, {0, 2}}, 1.5, {{{2, 3}}, {{1, 1}}, {{3, 0}}}),
                   padding("nothing", {}, 7, {{{}}}), padding("no widths", {{0, 0}}, 7, {{{3}}}),
                   padding("five axes", {{0, 1}, {1, 0}, {0, 0}, {1, 1}, {2, 0}}, -1, {{{2, 1, 3, 1, 2}}}),
                   padding("reflect", {{2, 1}}, PadMode::reflect, {{{3}}, {{5}}}),
                   padding("reflect two axes", {{0, 0}, {1, 2}}, PadMode::reflect, {{{2, 3}}, {{0, 4}}}),
                   padding("replicate", {{2, 4}}, PadMode::replicate, {{{3}}, {{1}}}),
                   padding("replicate two axes", {{1, 0}, {0, 2}}, PadMode::replicate, {{{2, 3}}, {{1, 1}}}),
                   padding("circular", {{3, 2}}, PadMode::circular, {{{3}}, {{5}}}),
                   padding("circular two axes", {{1, 2}, {2, 0}}, PadMode::circular, {{{2, 3}}, {{3, 2}}})}});
  rows.push_back({"flip",
                  {one(
                       "all axes", [](const Tensor& x) { return flip(x, {}); },
                       [](const Values& x) {
                         std::vector<int> axes;
                         for (int d = 0; d < x.shape.ndim(); ++d) axes.push_back(d);
                         return reversed(x, axes);
                       },
                       any_shape()),
                   one(
                       "the last axis", [](const Tensor& x) { return flip(x, {-1}); },
                       [](const Values& x) { return reversed(x, {-1}); }, at_least_one_axis()),
                   one(
                       "the outer axes",
                       [](const Tensor& x) {
                         return flip(x, {0, 2});
                       },
                       [](const Values& x) {
                         return reversed(x, {0, 2});
                       },
                       {{{2, 3, 4}}, {{2, 1, 3, 1, 2}}, {{2, 0, 2}}})}});
  return rows;
}

}  // namespace xgrad::op_table
