#include <algorithm>
#include <autograd/ops/table/row.hpp>
#include <numeric>

namespace xgrad::op_table {
namespace {

using Line = std::vector<Real>;
using Order = std::vector<std::size_t>;

/// Maps each line of x along the axis; the result's lines may have another length.
Reference along(int axis, const std::function<Line(const Line&)>& f) {
  return [=](const std::vector<Values>& inputs) {
    const Values& x = inputs[0];
    const auto a = static_cast<std::size_t>(axis_of(axis, x.shape));
    const auto line_at = [&](Index at) {
      Line line;
      for (at[a] = 0; at[a] < x.shape[axis]; ++at[a]) line.push_back(x[at]);
      return f(line);
    };
    Shape shape = x.shape;
    shape[axis] = static_cast<std::int64_t>(f(Line(static_cast<std::size_t>(x.shape[axis]))).size());
    return build(shape, [&](const Index& at) { return line_at(at)[static_cast<std::size_t>(at[a])]; });
  };
}

/// The same with the axis, then of size 1, removed.
Reference without_axis(int axis, const Reference& f) {
  return [=](const std::vector<Values>& inputs) {
    Values y = f(inputs);
    y.shape.erase(axis_of(axis, y.shape));
    return y;
  };
}

/// The positions in stable order.
Order order_of(const Line& x, bool descending) {
  Order order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 1; i < order.size(); ++i)
    for (std::size_t j = i; j > 0 && (descending ? x[order[j - 1]] < x[order[j]] : x[order[j]] < x[order[j - 1]]); --j)
      std::swap(order[j - 1], order[j]);
  return order;
}

Line values_of(const Line& x, const Order& order, std::size_t count) {
  Line y;
  for (std::size_t i = 0; i < count; ++i) y.push_back(x[order[i]]);
  return y;
}

Line indices_of(const Order& order, std::size_t count) {
  return {order.begin(), order.begin() + std::ptrdiff_t(count)};
}

const ShapeTuples& axis_with_elements() {
  static const ShapeTuples shapes{{{1}}, {{6}}, {{2, 3}}, {{3, 1, 2}}, {{0, 3}}, {{2, 1, 3, 1, 2}}};
  return shapes;
}

using AxisOp = Tensor (*)(const Operand&, int);

Variant scan(AxisOp f, int axis, const std::function<Line(const Line&)>& reference, const Domain& domain,
             const ShapeTuples& shapes, const std::string& label) {
  return {.label = text(label, " axis ", axis),
          .f = [=](const Tensors& x) { return f(x[0], axis); },
          .reference = along(axis, reference),
          .domains = {domain},
          .shapes = shapes,
          .ulps = 8,
          .scale = 4};
}

std::vector<Variant> scans(AxisOp f, const std::function<Line(const Line&)>& reference) {
  const ShapeTuples middle{{{2, 3, 2}}};
  return {scan(f, -1, reference, interval(-2, 2), at_least_one_axis(), "numbers"),
          scan(f, 0, reference, interval(-2, 2), at_least_one_axis(), "numbers"),
          scan(f, 1, reference, interval(-2, 2), middle, "numbers"),
          scan(f, 1, reference, whole_numbers(-1, 1), middle, "zeros")};
}

/// The running extreme, and of numbers with ties its gradient at the special points.
std::vector<Variant> extremes(AxisOp f, bool largest) {
  const auto reference = [largest](Line x) {
    for (std::size_t i = 1; i < x.size(); ++i) x[i] = largest ? std::max(x[i], x[i - 1]) : std::min(x[i], x[i - 1]);
    return x;
  };
  std::vector<Variant> variants;
  for (const int axis : {-1, 0}) {
    variants.push_back(scan(f, axis, reference, distinct(), at_least_one_axis(), "numbers"));
    variants.back().ulps = variants.back().scale = 0;
  }
  return variants;
}

std::vector<Variant> differences() {
  std::vector<Variant> variants;
  for (const int axis : {-1, 0})
    for (const int n : {0, 1, 2}) {
      const auto reference = [n](Line x) {
        for (int k = 0; k < n && !x.empty(); ++k) {
          for (std::size_t i = 0; i + 1 < x.size(); ++i) x[i] = x[i + 1] - x[i];
          x.pop_back();
        }
        return x;
      };
      variants.push_back({.label = text(n, " times along axis ", axis),
                          .f = [=](const Tensors& x) { return diff(x[0], n, axis); },
                          .reference = along(axis, reference),
                          .domains = {interval(-2, 2)},
                          .shapes = at_least_one_axis(),
                          .scale = 4});
    }
  return variants;
}

/// The element at place q (n - 1) of the order, or one between two.
Line quantile_of(Line x, double q) {
  const Line sorted = values_of(x, order_of(x, false), x.size());
  const Real at = Real(q) * Real(x.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const Real share = at - Real(low);
  return {share > 0 ? sorted[low] * (1 - share) + sorted[low + 1] * share : sorted[low]};
}

std::vector<Variant> quantiles(const char* name, double q,
                               const std::function<Tensor(const Tensor&, const Axes&, bool)>& f) {
  std::vector<Variant> variants;
  for (const int axis : {-1, 0}) {
    const ShapeTuples shapes =
        axis == 0 ? ShapeTuples{{{6}}, {{3, 0}}, {{3, 2}}, {{2, 1, 3, 1, 2}}} : axis_with_elements();
    variants.push_back({.label = text(name, " along axis ", axis),
                        .f = [=](const Tensors& x) { return f(x[0], axis, true); },
                        .reference = along(axis, [q](const Line& x) { return quantile_of(x, q); }),
                        .domains = {distinct()},
                        .shapes = shapes,
                        .scale = 4});
    variants.push_back({.label = text(name, " along axis ", axis, " without it"),
                        .f = [=](const Tensors& x) { return f(x[0], axis, false); },
                        .reference = without_axis(axis, along(axis, [q](const Line& x) { return quantile_of(x, q); })),
                        .domains = {distinct()},
                        .shapes = shapes,
                        .scale = 4});
  }
  variants.push_back({.label = text(name, " of all"),
                      .f = [=](const Tensors& x) { return f(x[0], {}, false); },
                      .reference =
                          [q](const std::vector<Values>& x) {
                            Values y{Shape()};
                            y.v = quantile_of(x[0].v, q);
                            return y;
                          },
                      .domains = {distinct()},
                      .shapes = {{{}}, {{1}}, {{7}}, {{2, 3}}, {{2, 1, 3, 1, 2}}},
                      .scale = 4});
  return variants;
}

std::vector<Variant> arg_extremum(Tensor (*f)(const Operand&, int, bool), Tensor (*of_all)(const Operand&),
                                  bool descending) {
  std::vector<Variant> variants;
  const auto first = [descending](const Line& x) { return indices_of(order_of(x, descending), 1); };
  for (const int axis : {-1, 0}) {
    const ShapeTuples shapes =
        axis == 0 ? ShapeTuples{{{6}}, {{3, 0}}, {{3, 2}}, {{2, 1, 3, 1, 2}}} : axis_with_elements();
    for (const bool keepdims : {false, true}) {
      const Reference kept = along(axis, first);
      variants.push_back({.label = text("axis ", axis, keepdims ? " keepdims" : ""),
                          .f = [=](const Tensors& x) { return f(x[0], axis, keepdims); },
                          .reference = keepdims ? kept : without_axis(axis, kept),
                          .domains = {whole_numbers(0, 3)},
                          .shapes = shapes});
    }
  }
  Variant all = unary(
      "of all", [of_all](const Tensors& x) { return of_all(x[0]); },
      [first](const std::vector<Values>& x) { return Values(Shape(), first(x[0].v)[0]); }, whole_numbers(0, 3));
  all.shapes = {{{}}, {{1}}, {{7}}, {{3, 4}}, {{2, 1, 3, 1, 2}}};
  all.order = 0;
  variants.push_back(std::move(all));
  return variants;
}

std::vector<Variant> sorts() {
  std::vector<Variant> variants;
  for (const bool descending : {false, true}) {
    for (const int axis : {-1, 0}) {
      const std::string label = text(descending ? "descending " : "", "axis ", axis);
      variants.push_back(
          {.label = label,
           .f = [=](const Tensors& x) { return sort(x[0], axis, descending).values; },
           .reference = along(axis, [=](const Line& x) { return values_of(x, order_of(x, descending), x.size()); }),
           .domains = {distinct()},
           .shapes = at_least_one_axis(),
           .ulps = 0});
      variants.push_back(
          {.label = label + " indices of ties",
           .f = [=](const Tensors& x) { return sort(x[0], axis, descending).indices; },
           .reference = along(axis, [=](const Line& x) { return indices_of(order_of(x, descending), x.size()); }),
           .domains = {whole_numbers(0, 2)},
           .shapes = at_least_one_axis()});
    }
  }
  return variants;
}

std::vector<Variant> top() {
  std::vector<Variant> variants;
  for (const int axis : {-1, 0}) {
    const ShapeTuples shapes{{{2}}, {{6}}, {{2, 3}}, {{2, 1, 2}}, {{3, 0, 2}}, {{2, 1, 3, 1, 2}}};
    variants.push_back({.label = text("axis ", axis),
                        .f = [=](const Tensors& x) { return topk(x[0], 2, axis).values; },
                        .reference = along(axis, [](const Line& x) { return values_of(x, order_of(x, true), 2); }),
                        .domains = {distinct()},
                        .shapes = shapes,
                        .ulps = 0});
    variants.push_back({.label = text("indices of ties, axis ", axis),
                        .f = [=](const Tensors& x) { return topk(x[0], 2, axis).indices; },
                        .reference = along(axis, [](const Line& x) { return indices_of(order_of(x, true), 2); }),
                        .domains = {whole_numbers(0, 2)},
                        .shapes = shapes});
  }
  return variants;
}

/// (x - mean) / sqrt(variance + eps) over the last axes, as many as the second input has, or `axes`; times the second
/// input plus the third.
Variant layer_norm_variant(const std::string& label, int axes, double eps, const ShapeTuples& shapes) {
  const std::size_t inputs = shapes.at(0).size();
  const auto normalized = [axes](const Shape& shape) { return Shape(shape.end() - axes, shape.end()); };
  return {.label = label,
          .f =
              [=](const Tensors& x) {
                return layer_norm(x[0], normalized(x[0].shape()), inputs > 1 ? x[1] : Tensor(),
                                  inputs > 2 ? x[2] : Tensor(), eps);
              },
          .reference =
              [=](const std::vector<Values>& x) {
                return build(x[0].shape, [&](const Index& at) {
                  const Index own(at.end() - axes, at.end());
                  Real total = 0, squares = 0, count = 0;
                  Index other = at;
                  const auto each_other = [&](const std::function<void(Real)>& visit) {
                    each_index(normalized(x[0].shape), [&](const Index& in) {
                      std::copy(in.begin(), in.end(), other.end() - axes);
                      visit(x[0][other]);
                    });
                  };
                  each_other([&](Real e) { total += e, ++count; });
                  each_other([&](Real e) { squares += (e - total / count) * (e - total / count); });
                  const Real y = (x[0][at] - total / count) / std::sqrt(squares / count + Real(eps));
                  return y * (inputs > 1 ? x[1][own] : 1) + (inputs > 2 ? x[2][own] : 0);
                });
              },
          .domains = std::vector<Domain>(inputs, interval(-2, 2)),
          .shapes = shapes,
          .ulps = 8,
          .scale = 4};
}

Row layer_norm_row() {
  const auto alone = [](const Tensors& x) { return layer_norm(x[0], x[0].shape(), {}, {}, 0); };
  return {"layer_norm",
          {layer_norm_variant("", 1, 1e-5,
                              {{{2, 3}, {3}, {3}},
                               {{4}, {4}, {4}},
                               {{0, 3}, {3}, {3}},
                               {{2, 1}, {1}, {1}},
                               {{2, 0}, {0}, {0}},
                               {{3, 37}, {37}, {37}},
                               {{2, 1, 2, 1, 3}, {3}, {3}}}),
           layer_norm_variant("without bias", 1, .5, {{{2, 3}, {3}}}),
           layer_norm_variant("alone", 1, .5, {{{2, 3}}, {{3, 2}}}),
           layer_norm_variant("two axes", 2, 1e-5, {{{2, 3, 2}, {3, 2}, {3, 2}}, {{3, 2}, {3, 2}, {3, 2}}})},
          {{.inputs = {{-1, 1}}, .value = {-1, 1}, .gradients = {{0, 0}}, .f = alone, .cotangent = {1, 2}},
           {.inputs = {{16777215, 16777213}}, .value = {1, -1}, .f = alone},
           {.inputs = {{5, 5, 5}},
            .value = {0, 0, 0},
            .gradients = {{-1, 0, 1}},
            .f = [](const Tensors& x) { return layer_norm(x[0], {3}, {}, {}, 1); },
            .cotangent = {1, 2, 3}}},
          scalars};
}

}  // namespace

std::vector<Row> rows_along_axis() {
  std::vector<Row> rows;
  rows.push_back({"cumsum",
                  scans(cumsum,
                        [](Line x) {
                          std::partial_sum(x.begin(), x.end(), x.begin());
                          return x;
                        }),
                  {{{{1, inf, -inf, 1}}, {1, inf, nan, nan}, {{4, 3, 2, 1}}}},
                  scalars});
  rows.push_back({"cumprod",
                  scans(cumprod,
                        [](Line x) {
                          std::partial_sum(x.begin(), x.end(), x.begin(), std::multiplies<>{});
                          return x;
                        }),
                  {{{{2, 0, 3, 0}}, {2, 0, 0, 0}, {{1, 8, 0, 0}}, {{4, 12, 2, 6}}}},
                  scalars});
  rows.push_back(
      {"cummax",
       extremes(cummax, true),
       {{.inputs = {{1, 3, 3, 2}}, .value = {1, 3, 3, 3}, .gradients = {{1, 2, 12, 0}}, .cotangent = {1, 2, 4, 8}},
        {.inputs = {{1, nan, 3}}, .value = {1, nan, nan}, .gradients = {{1, 6, 0}}, .cotangent = {1, 2, 4}},
        {.inputs = {{-inf, -inf, 1}}, .value = {-inf, -inf, 1}}},
       scalars});
  rows.push_back(
      {"cummin",
       extremes(cummin, false),
       {{.inputs = {{3, 1, 1, 2}}, .value = {3, 1, 1, 1}, .gradients = {{1, 2, 12, 0}}, .cotangent = {1, 2, 4, 8}},
        {.inputs = {{1, nan, 0}}, .value = {1, nan, nan}, .gradients = {{1, 6, 0}}, .cotangent = {1, 2, 4}}},
       scalars});
  rows.push_back({"diff",
                  differences(),
                  {{.inputs = {{1, inf, inf}}, .value = {inf, nan}, .f = [](const Tensors& x) { return diff(x[0]); }}},
                  scalars});
  std::vector<Variant> shares;
  for (const double q : {0., .3, 1.})
    for (Variant& v : quantiles(text(q).c_str(), q, [q](const Tensor&x, const Axes&axes, bool keepdims) {
           return quantile(x, q, axes, keepdims);
         }))
      shares.push_back(std::move(v));
  const auto quarter = [](const Tensors& x) { return quantile(x[0], .25); };
  rows.push_back({"quantile",
                  shares,
                  {{.inputs = {{4, 1, 3, 2}}, .value = {1.75}, .gradients = {{0, .25, 0, .75}}, .f = quarter},
                   {.inputs = {{4, nan, 3}}, .value = {nan}, .f = quarter},
                   {.inputs = {{-inf, 1, inf}}, .value = {-inf}, .f = quarter}}});
  rows.push_back(
      {"median",
       quantiles("", .5, [](const Tensor& x, const Axes& axes, bool keepdims) { return median(x, axes, keepdims); }),
       {{.inputs = {{4, 1, 3, 2}},
         .value = {2.5},
         .gradients = {{0, 0, .5, .5}},
         .f = [](const Tensors& x) { return median(x[0]); }},
        {.inputs = {{inf, inf, 1}}, .value = {inf}, .f = [](const Tensors& x) { return median(x[0]); }}}});
  rows.push_back({
      "argmax",
      arg_extremum(argmax, argmax, true),
      {{.inputs = {{1, nan, 3, nan}}, .value = {1}}, {.inputs = {{2, 3, 3}}, .value = {1}}},
  });
  rows.push_back({
      "argmin",
      arg_extremum(argmin, argmin, false),
      {{.inputs = {{1, 3, nan}}, .value = {2}}, {.inputs = {{2, 1, 1}}, .value = {1}}},
  });
  rows.push_back({"sort",
                  sorts(),
                  {{.inputs = {{2, nan, 1}}, .value = {1, 2, nan}, .gradients = {{2, 3, 1}}, .cotangent = {1, 2, 3}},
                   {.inputs = {{2, nan, 1}},
                    .value = {nan, 2, 1},
                    .f = [](const Tensors& x) { return sort(x[0], 0, true).values; }}},
                  scalars});
  rows.push_back({"topk",
                  top(),
                  {{.inputs = {{1, 4, 3, 2}}, .value = {4, 3}, .gradients = {{0, 1, 2, 0}}, .cotangent = {1, 2}},
                   {.inputs = {{1, nan, 3}}, .value = {nan, 3}}},
                  scalars});
  rows.push_back(layer_norm_row());
  return rows;
}

}  // namespace xgrad::op_table
