#include <autograd/ops/table/linear.hpp>

namespace xgrad::op_table {
namespace {

/// The same elements in the same order under another shape.
Values relabelled(const Values& x, const Shape& shape) {
  Values y = x;
  y.shape = shape;
  return y;
}

/// x with the axes from `first` on as one.
Values flattened(const Values& x, int first) {
  Shape shape(x.shape.begin(), x.shape.begin() + first);
  std::int64_t rest = 1;
  for (int d = first; d < x.shape.ndim(); ++d) rest *= x.shape[d];
  shape.push_back(rest);
  return relabelled(x, shape);
}

/// Axis d of the result is axis axes[d] of x.
Values permuted(const Values& x, const std::vector<int>& axes) {
  Shape shape = x.shape;
  for (int d = 0; d < shape.ndim(); ++d) shape[d] = x.shape[axes[static_cast<std::size_t>(d)]];
  return build(shape, [&](const Index& to) {
    Index from(to.size());
    for (std::size_t d = 0; d < to.size(); ++d) from[static_cast<std::size_t>(axes[d])] = to[d];
    return x[from];
  });
}

Values transposed(const Values& x) {
  std::vector<int> axes;
  for (int d = 0; d < x.shape.ndim(); ++d) axes.push_back(d);
  std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
  return permuted(x, axes);
}

/// x broadcast under one more leading axis of size 2 and with size-1 axes made 3.
Shape widened(const Shape& shape) {
  Shape wide{2};
  for (const std::int64_t size : shape) wide.push_back(size == 1 ? 3 : size);
  return wide;
}

Values broadcast_reference(const Values& x) {
  return build(widened(x.shape), [&](const Index& index) { return broadcast_element(x, index); });
}

/// The shape that sum_to is asked for: no first axis, and the last one kept with size 1.
Shape narrowed(const Shape& shape) {
  Shape narrow(shape.begin() + 1, shape.end());
  if (narrow.ndim() > 0) narrow[-1] = 1;
  return narrow;
}

Values sum_reference(const Values& x) {
  Values y(narrowed(x.shape));
  each_index(x.shape, [&](const Index& index) {
    Index to(index.begin() + 1, index.end());
    if (!to.empty()) to.back() = 0;
    y[to] += x[index];
  });
  return y;
}

const ShapeTuples& from_two_axes() {
  static const ShapeTuples shapes{{{2, 3}}, {{1, 4}}, {{3, 1}}, {{3, 0}}, {{2, 3, 4}}, {{2, 1, 3, 1, 2}}, {{17, 19}}};
  return shapes;
}

}  // namespace

std::vector<Row> rows_shaping() {
  std::vector<Row> rows;
  rows.push_back({"transpose",
                  {one(
                      "", [](const Tensor& x) { return transpose(x); }, transposed, from_two_axes())},
                  {},
                  scalars});
  rows.push_back({"permute",
                  {one(
                       "back to front",
                       [](const Tensor& x) {
                         std::vector<int> axes;
                         for (int d = x.ndim(); d-- > 0;) axes.push_back(d);
                         return permute(x, axes);
                       },
                       [](const Values& x) {
                         std::vector<int> axes;
                         for (int d = x.shape.ndim(); d-- > 0;) axes.push_back(d);
                         return permuted(x, axes);
                       },
                       any_shape()),
                   one(
                       "rotated",
                       [](const Tensor& x) {
                         return permute(x, {-1, 0, 1});
                       },
                       [](const Values& x) {
                         return permuted(x, {2, 0, 1});
                       },
                       {{{2, 3, 4}}, {{1, 3, 2}}, {{2, 0, 1}}})}});
  rows.push_back({"reshape",
                  {one(
                       "to one axis", [](const Tensor& x) { return reshape(x, {-1}); },
                       [](const Values& x) { return flattened(x, 0); }, any_shape()),
                   one(
                       "inferred",
                       [](const Tensor& x) {
                         return reshape(x, {2, -1, 1});
                       },
                       [](const Values& x) {
                         return relabelled(x, {2, static_cast<std::int64_t>(x.v.size()) / 2, 1});
                       },
                       {{{6}}, {{2, 3}}, {{0}}})}});
  rows.push_back({"flatten",
                  {one(
                       "", [](const Tensor& x) { return flatten(x); }, [](const Values& x) { return flattened(x, 0); },
                       any_shape()),
                   one(
                       "from axis -2", [](const Tensor& x) { return flatten(x, -2); },
                       [](const Values& x) { return flattened(x, x.shape.ndim() - 2); }, from_two_axes()),
                   one(
                       "the first two axes", [](const Tensor& x) { return flatten(x, 0, 1); },
                       [](const Values& x) {
                         Shape shape = x.shape;
                         shape[1] *= shape[0];
                         shape.erase(0);
                         return relabelled(x, shape);
                       },
                       from_two_axes())}});
  rows.push_back({"squeeze",
                  {one(
                       "axis 1", [](const Tensor& x) { return squeeze(x, 1); },
                       [](const Values& x) {
                         Shape shape = x.shape;
                         shape.erase(1);
                         return relabelled(x, shape);
                       },
                       {{{2, 1}}, {{1, 1}}, {{0, 1}}, {{2, 1, 3}}, {{2, 1, 3, 1, 2}}, {{5, 1, 1}}}),
                   one(
                       "two axes",
                       [](const Tensor& x) {
                         return squeeze(x, {1, -2});
                       },
                       [](const Values& x) {
                         Shape shape = x.shape;
                         shape.erase(shape.ndim() - 2);
                         shape.erase(1);
                         return relabelled(x, shape);
                       },
                       {{{2, 1, 1, 3}}, {{2, 1, 3, 1, 2}}}),
                   one(
                       "all", [](const Tensor& x) { return squeeze(x); },
                       [](const Values& x) {
                         Shape shape;
                         for (const std::int64_t size : x.shape)
                           if (size != 1) shape.push_back(size);
                         return relabelled(x, shape);
                       },
                       any_shape())}});
  rows.push_back(
      {"swap_axes",
       {one(
            "the last two", [](const Tensor& x) { return swap_axes(x, -1, -2); }, transposed, from_two_axes()),
        one(
            "the first and the third", [](const Tensor& x) { return swap_axes(x, 0, 2); },
            [](const Values& x) {
              std::vector<int> axes{2, 1, 0};
              for (int d = 3; d < x.shape.ndim(); ++d) axes.push_back(d);
              return permuted(x, axes);
            },
            {{{2, 3, 4}}, {{2, 1, 3, 1, 2}}, {{2, 0, 3}}}),
        one(
            "one with itself", [](const Tensor& x) { return swap_axes(x, 1, 1); }, [](const Values& x) { return x; },
            {{{2, 3}}})},
       {},
       scalars});
  rows.push_back({"unsqueeze",
                  {one(
                       "at the end", [](const Tensor& x) { return unsqueeze(x, -1); },
                       [](const Values& x) {
                         Shape shape = x.shape;
                         shape.push_back(1);
                         return relabelled(x, shape);
                       },
                       any_shape()),
                   one(
                       "in front", [](const Tensor& x) { return unsqueeze(x, 0); },
                       [](const Values& x) {
                         Shape shape = x.shape;
                         shape.insert(0, 1);
                         return relabelled(x, shape);
                       },
                       any_shape())}});
  rows.push_back({"broadcast_to",
                  {one(
                      "", [](const Tensor& x) { return broadcast_to(x, widened(x.shape())); }, broadcast_reference,
                      any_shape())}});
  Variant sums = one(
      "", [](const Tensor& x) { return sum_to(x, narrowed(x.shape())); }, sum_reference, at_least_one_axis());
  sums.ulps = 4;
  sums.scale = 8;
  rows.push_back({"sum_to", {sums}, {}, scalars});
  for (const auto part : {rows_joining, rows_slicing, rows_rearranging, rows_diagonals})
    for (Row& row : part()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace xgrad::op_table
