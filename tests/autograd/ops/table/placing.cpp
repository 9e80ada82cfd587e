#include <algorithm>
#include <autograd/ops/table/row.hpp>

namespace xgrad::op_table {
namespace {

/// x and the values are inputs 0 and 1, the indices of the leading axes those that follow.
Variant putting(std::string label, bool accumulate, std::vector<Domain> indices, ShapeTuples shapes) {
  std::vector<Domain> domains{interval(-2, 2), interval(-2, 2)};
  domains.insert(domains.end(), indices.begin(), indices.end());
  const auto reference = [accumulate](const std::vector<Values>& x) {
    const std::vector<Values> at(x.begin() + 2, x.end());
    const Shape chosen = broadcast_of(at);
    Shape whole = chosen;
    for (int d = static_cast<int>(at.size()); d < x[0].shape.ndim(); ++d) whole.push_back(x[0].shape[d]);
    Values y = x[0];
    each_index(whole, [&](const Index& from) {
      const Index place(from.begin(), from.begin() + chosen.ndim());
      Index to;
      for (std::size_t k = 0; k < at.size(); ++k)
        to.push_back(counted(broadcast_element(at[k], place), y.shape[static_cast<int>(k)]));
      to.insert(to.end(), from.begin() + chosen.ndim(), from.end());
      const Real value = broadcast_element(x[1], from);
      y[to] = accumulate ? y[to] + value : value;
    });
    return y;
  };
  return {.label = std::move(label),
          .f =
              [=](const Tensors& x) {
                return index_put(x[0], {x.begin() + 2, x.end()}, x[1], accumulate);
              },
          .reference = reference,
          .domains = std::move(domains),
          .shapes = std::move(shapes),
          .scale = 8};
}

Variant scattering(int axis, Domain indices, ShapeTuples shapes) {
  const auto reference = [axis](const std::vector<Values>& x) {
    Values y = x[0];
    each_index(x[1].shape, [&](Index index) {
      const Real added = x[2][index];
      const int along = axis_of(axis, y.shape);
      std::int64_t& i = index[static_cast<std::size_t>(along)];
      i = counted(x[1][index], y.shape[along]);
      y[index] += added;
    });
    return y;
  };
  return {.label = text("axis ", axis),
          .f = [axis](const Tensors& x) { return scatter_add(x[0], axis, x[1], x[2]); },
          .reference = reference,
          .domains = {interval(-2, 2), std::move(indices), interval(-2, 2)},
          .shapes = std::move(shapes),
          .scale = 8};
}

/// The rows of x at the indices, whose cotangents are dropped at the padding index.
Variant embedding_of(Domain indices, ShapeTuples shapes) {
  return {.label = "",
          .f = [](const Tensors& x) { return embedding(x[0], x[1]); },
          .reference =
              [](const std::vector<Values>& x) {
                Shape shape = x[1].shape;
                for (int d = 1; d < x[0].shape.ndim(); ++d) shape.push_back(x[0].shape[d]);
                return build(shape, [&](const Index& index) {
                  const Index at(index.begin(), index.begin() + x[1].shape.ndim());
                  Index from{counted(x[1][at], x[0].shape[0])};
                  from.insert(from.end(), index.begin() + x[1].shape.ndim(), index.end());
                  return x[0][from];
                });
              },
          .domains = {interval(-2, 2), std::move(indices)},
          .shapes = std::move(shapes),
          .ulps = 0};
}

/// Sorted along the last axis.
Domain ascending() {
  return {[](std::mt19937_64& random, const Shape& shape) {
    std::vector<double> x(static_cast<std::size_t>(shape.size()));
    for (double& e : x) e = std::uniform_int_distribution<int>(-3, 3)(random);
    for (auto line = x.begin(); line < x.end(); line += shape[-1]) std::sort(line, line + shape[-1]);
    return x;
  }};
}

Variant searching(bool right, ShapeTuples shapes) {
  const auto reference = [right](const std::vector<Values>& x) {
    return build(x[1].shape, [&](const Index& at) {
      Index place = x[0].shape.ndim() == 1 ? Index{0} : at;
      std::int64_t before = 0;
      for (place.back() = 0; place.back() < x[0].shape[-1]; ++place.back())
        before += right ? x[0][place] <= x[1][at] : x[0][place] < x[1][at];
      return static_cast<Real>(before);
    });
  };
  return {.label = right ? "right" : "left",
          .f = [right](const Tensors& x) { return searchsorted(x[0], x[1], right); },
          .reference = reference,
          .domains = {ascending(), whole_numbers(-4, 4)},
          .shapes = std::move(shapes),
          .ulps = 0,
          .order = 0};
}

}  // namespace

std::vector<Row> rows_placing() {
  std::vector<Row> rows;
  const Domain any = integers(-3, 2);
  rows.push_back({"index_put",
                  {putting("the last one stays", false, {any},
                           {{{3}, {4}, {4}},
                            {{3}, {}, {}},
                            {{3}, {0}, {0}},
                            {{3, 2}, {2}, {4}},
                            {{3, 0}, {1}, {2}},
                            {{3, 1, 2, 1, 2}, {2, 1, 2, 1, 2}, {2}}}),
                   putting("added", true, {any}, {{{3}, {4}, {4}}, {{3, 2}, {5, 1}, {5}}, {{3, 0}, {1}, {2}}}),
                   putting("two axes", false, {any, integers(-2, 1)},
                           {{{3, 2}, {4}, {4}, {4}}, {{3, 2}, {2, 3}, {2, 1}, {3}}, {{3, 2, 2}, {2}, {3}, {}}}),
                   putting("two axes added", true, {any, integers(-2, 1)},
                           {{{3, 2}, {4}, {4}, {4}}, {{3, 2, 2}, {3, 2}, {3}, {3}}})},
                  {},
                  scalars});
  rows.push_back({"scatter_add",
                  {scattering(0, any,
                              {{{3}, {5}, {5}},
                               {{3, 2}, {4, 2}, {4, 2}},
                               {{3, 0}, {2, 0}, {2, 0}},
                               {{3, 1, 2}, {0, 1, 2}, {0, 1, 2}},
                               {{3, 2, 1, 1, 2}, {2, 2, 1, 1, 2}, {2, 2, 1, 1, 2}}}),
                   scattering(-1, integers(-1, 0), {{{1}, {3}, {3}}, {{2, 1}, {2, 4}, {2, 4}}}),
                   scattering(1, integers(0, 3), {{{2, 4}, {2, 2}, {2, 2}}, {{2, 5, 3}, {2, 6, 3}, {2, 6, 3}}})},
                  {},
                  scalars});
  rows.push_back({"embedding",
                  {embedding_of(any, {{{3, 2}, {}},
                                      {{3, 2}, {4}},
                                      {{3}, {2}},
                                      {{3, 0}, {2}},
                                      {{3, 1}, {0}},
                                      {{3, 2}, {2, 2}},
                                      {{3, 1, 2, 1, 2}, {2}}})},
                  {{.inputs = {{1, 2, 3}},
                    .value = {1, 3, 3, 2},
                    .gradients = {{1, 8, 0}},
                    .seconds = {{0, 0, 0}},
                    .f =
                        [](const Tensors& x) {
                          return embedding(x[0], tensor({0, 2, -1, 1}, {.dtype = i64}), {.padding_index = 2});
                        },
                    .cotangent = {1, 2, 4, 8}}}});
  rows.push_back(
      {"searchsorted",
       {searching(
            false,
            {{{4}, {}}, {{4}, {7}}, {{1}, {2, 3}}, {{5}, {0}}, {{2, 4}, {2, 3}}, {{2, 1, 3, 1, 4}, {2, 1, 3, 1, 2}}}),
        searching(true, {{{4}, {7}}, {{1}, {1}}, {{2, 4}, {2, 3}}})},
       {{.inputs = {{1, 2, nan}, {0, 2, inf, nan}}, .value = {0, 1, 2, 2}}}});
  rows.push_back({"masked_select",
                  {{.label = "",
                    .f = [](const Tensors& x) { return masked_select(x[0], x[1]); },
                    .reference =
                        [](const std::vector<Values>& x) {
                          std::vector<Real> picked;
                          each_index(broadcast_of(x), [&](const Index& at) {
                            if (broadcast_element(x[1], at) != 0) picked.push_back(broadcast_element(x[0], at));
                          });
                          Values y(Shape{std::ssize(picked)});
                          y.v = picked;
                          return y;
                        },
                    .domains = {interval(-2, 2), booleans()},
                    .shapes = broadcast_pairs(),
                    .ulps = 0}}});
  rows.push_back({"nonzero",
                  {{.label = "",
                    .f = [](const Tensors& x) { return nonzero(x[0]); },
                    .reference =
                        [](const std::vector<Values>& x) {
                          std::vector<Real> places;
                          std::int64_t count = 0;
                          each_index(x[0].shape, [&](const Index& at) {
                            if (x[0][at] == 0) return;
                            places.insert(places.end(), at.begin(), at.end());
                            ++count;
                          });
                          Values y(Shape{count, x[0].shape.ndim()});
                          y.v = places;
                          return y;
                        },
                    .domains = {whole_numbers(-1, 1)},
                    .shapes = any_shape(),
                    .ulps = 0,
                    .order = 0}}});
  return rows;
}

}  // namespace xgrad::op_table
