#include <algorithm>
#include <autograd/ops/table/row.hpp>

// Vectors along an axis, and sums without NaN.
namespace xgrad::op_table {
namespace {

const Domain numbers = interval(-2, 2), apart = around_zero(.3, 2);

Real size_of(const std::vector<Real>& v, Real p) {
  Real total = 0;
  for (const Real e : v) total += std::pow(std::fabs(e), p);
  return std::pow(total, 1 / p);
}

/// The elements along `axis` of what `x` broadcasts to, at an index without that axis.
std::vector<Real> line(const Values& x, const Shape& shape, int axis, Index index) {
  const auto d = static_cast<std::ptrdiff_t>(axis_of(axis, shape));
  index.insert(index.begin() + d, 0);
  std::vector<Real> v;
  for (std::int64_t& i = index[static_cast<std::size_t>(d)]; i < shape[axis]; ++i)
    v.push_back(broadcast_element(x, index));
  return v;
}

Reference cosine(int axis) {
  return [axis](const std::vector<Values>& x) {
    const Shape both = broadcast_of(x);
    return build(without(both, axis), [&](const Index& i) {
      const auto a = line(x[0], both, axis, i), b = line(x[1], both, axis, i);
      Real dot = 0;
      for (std::size_t k = 0; k < a.size(); ++k) dot += a[k] * b[k];
      return a.empty() ? 0 : dot / size_of(a, 2) / size_of(b, 2);
    });
  };
}

Reference normalized(Real p, int axis) {
  return [p, axis](const std::vector<Values>& x) {
    return build(x[0].shape, [&](const Index& i) {
      Index rest = i;
      rest.erase(rest.begin() + axis_of(axis, x[0].shape));
      return x[0][i] / size_of(line(x[0], x[0].shape, axis, rest), p);
    });
  };
}

Reference distances(Real p) {
  return [p](const std::vector<Values>& x) {
    Shape a = x[0].shape, b = x[1].shape;
    const std::int64_t m = a[-2], n = b[-2], k = a[-1];
    Shape shape = broadcast_of({Values(Shape(a.begin(), a.end() - 2)), Values(Shape(b.begin(), b.end() - 2))});
    shape.push_back(m), shape.push_back(n);
    return build(shape, [&](const Index& i) {
      std::vector<Real> difference;
      const auto row = [&](const Values& from, std::int64_t r, std::int64_t c) {
        Index at = i;
        at[at.size() - 2] = r, at[at.size() - 1] = c;
        Index own(at.end() - from.shape.ndim(), at.end());
        for (std::size_t d = 0; d + 2 < own.size(); ++d)
          if (from.shape[static_cast<int>(d)] == 1) own[d] = 0;
        return from[own];
      };
      for (std::int64_t c = 0; c < k; ++c) difference.push_back(row(x[0], i[i.size() - 2], c) - row(x[1], i.back(), c));
      return size_of(difference, p);
    });
  };
}

Reference crossed(int axis) {
  return [axis](const std::vector<Values>& x) {
    const Shape both = broadcast_of(x);
    return build(both, [&](const Index& i) {
      const auto d = static_cast<std::size_t>(axis_of(axis, both));
      Index next = i, last = i;
      next[d] = (i[d] + 1) % 3, last[d] = (i[d] + 2) % 3;
      return broadcast_element(x[0], next) * broadcast_element(x[1], last) -
             broadcast_element(x[0], last) * broadcast_element(x[1], next);
    });
  };
}

Row cosine_row() {
  std::vector<Variant> variants;
  for (const int axis : {-1, 0}) {
    Variant v = binary(operator*, cosine(axis), apart, apart, 8);
    v.label = text("axis ", axis);
    v.f = [axis](const Tensors& x) { return cosine_similarity(x[0], x[1], axis); };
    v.shapes = {{{4}, {4}},
                {{3, 2}, {3, 2}},
                {{3, 2}, {2}},
                {{2, 1}, {1, 3}},
                {{1, 3}, {4, 1}},
                {{0, 3}, {3}},
                {{2, 1, 2, 1, 3}, {2, 1, 1, 3}}};
    if (axis == 0) v.shapes.pop_back();
    v.scale = 2;
    v.order = 2;
    variants.push_back(std::move(v));
  }
  const double root = std::sqrt(.5);
  return {"cosine_similarity",
          std::move(variants),
          {{{{0, 0}, {1, 1}}, {0}, {{root * 1e8, root * 1e8}, {0, 0}}},
           {{{1, 0}, {0, 1}}, {0}, {{0, 1}, {1, 0}}},
           {{{nan, 0}, {0, 1}}, {nan}}},
          scalars};
}

Row normalize_row() {
  std::vector<Variant> variants;
  const auto add = [&](double p, int axis) {
    Variant v = unary(
        text("p ", p, ", axis ", axis).c_str(), [=](const Tensors& x) { return normalize(x[0], p, axis); },
        normalized(static_cast<Real>(p), axis), apart, 8);
    v.shapes = at_least_one_axis();
    v.scale = 1;
    v.order = 2;
    variants.push_back(std::move(v));
  };
  add(2, -1), add(1, 0), add(3, -1);
  return {"normalize",
          std::move(variants),
          {{{{0, 0}}, {0, 0}, {{1e12, 1e12}}}, {{{3, 4}}, {.6, .8}}, {{{nan, 1}}, {nan, nan}}},
          scalars};
}

Row cdist_row() {
  std::vector<Variant> variants;
  for (const double p : {2., 1., 3.}) {
    Variant v = binary(operator*, distances(static_cast<Real>(p)), interval(-2, -.5), interval(.5, 2), 8);
    v.label = text("p ", p);
    v.f = [p](const Tensors& x) { return cdist(x[0], x[1], p); };
    v.shapes = {{{2, 3}, {4, 3}},
                {{1, 1}, {1, 1}},
                {{0, 2}, {3, 2}},
                {{2, 0}, {3, 0}},
                {{2, 2, 3}, {4, 3}},
                {{1, 2, 2}, {3, 1, 2}},
                {{2, 1, 1, 2, 2}, {2, 3, 2}}};
    v.order = 2;
    variants.push_back(std::move(v));
  }
  Special same{{{1, 2, 1, 2}}, {0, 0, 0, 0}, {{0, 0, 0, 0}}};
  same.f = [](const Tensors& x) {
    const Tensor rows = reshape(x[0], {2, 2});
    return flatten(cdist(rows, rows));
  };
  return {"cdist", std::move(variants), {same}, scalars};
}

Row cross_row() {
  std::vector<Variant> variants;
  for (const int axis : {-1, 0}) {
    Variant v = binary(operator*, crossed(axis), numbers, numbers);
    v.label = text("axis ", axis);
    v.f = [axis](const Tensors& x) { return cross(x[0], x[1], axis); };
    v.shapes =
        axis == 0
            ? ShapeTuples{{{3}, {3}}, {{3, 2}, {3, 1}}, {{3, 0}, {3, 0}}}
            : ShapeTuples{{{3}, {3}}, {{2, 3}, {3}}, {{2, 1, 3}, {4, 3}}, {{0, 3}, {1, 3}}, {{2, 1, 1, 2, 3}, {3}}};
    v.scale = 8;
    v.order = 2;
    variants.push_back(std::move(v));
  }
  return {"cross", std::move(variants), {{{{1, 0, 0}, {0, 1, 0}}, {0, 0, 1}, {{1, 0, -1}, {0, 1, -1}}}}, scalars};
}

/// Of finite numbers with gradients, and with NaN among them.
Row without_nan(const char* op, Tensor (*f)(const Operand&, const Axes&, bool), bool mean) {
  const auto reference = [mean](bool all) {
    return [=](const std::vector<Values>& x) {
      const Shape shape = all ? Shape{x[0].shape.size()} : x[0].shape;
      Values y = build(without(shape, -1), [&](const Index& i) {
        Real total = 0, count = 0;
        for (const Real e : all ? x[0].v : line(x[0], shape, -1, i))
          if (e == e) total += e, ++count;
        return mean ? total / count : total;
      });
      if (!all) y.shape.push_back(1);
      return y;
    };
  };
  Variant all = unary(
      "all axes", [f](const Tensors& x) { return f(x[0], {}, false); }, reference(true), numbers);
  Variant last = unary(
      "last axis", [f](const Tensors& x) { return f(x[0], {-1}, true); }, reference(false), numbers);
  last.shapes = at_least_one_axis();
  if (mean) {  // which is NaN of no elements
    all.shapes = {{{}}, {{1}}, {{7}}, {{2, 3}}, {{2, 1, 3, 1, 2}}};
    last.shapes = {{{1}}, {{5}}, {{0, 3}}, {{2, 3}}, {{2, 1, 3, 1, 2}}};
  }
  all.order = last.order = 2;
  all.scale = last.scale = 8;
  const double share = mean ? .5 : 1;
  return {op,
          {all, last},
          {{{{1, nan, 3}}, {mean ? 2. : 4.}, {{share, 0, share}}},
           {{{nan, nan}}, {mean ? nan : 0}, {{0, 0}}},
           {{{inf, nan}}, {inf}, {{1, 0}}}}};
}

}  // namespace

std::vector<Row> rows_vectors() {
  return {cosine_row(),
          normalize_row(),
          cdist_row(),
          cross_row(),
          without_nan("nansum", nansum, false),
          without_nan("nanmean", nanmean, true)};
}

}  // namespace xgrad::op_table
