#include <algorithm>
#include <autograd/ops/table/row.hpp>

namespace xgrad::op_table {
namespace {

using Line = std::vector<Real>;
using Fold = std::function<Real(const Line&)>;
using Reducer = std::function<Tensor(const Operand&, const Axes&, bool)>;

/// Folds, for each element of the result, the elements of x that differ from it in the axes only.
Reference over(const std::vector<int>& axes, bool keepdims, Fold fold) {
  return [=](const std::vector<Values>& inputs) {
    const Values& x = inputs[0];
    std::vector<bool> reduced(static_cast<std::size_t>(x.shape.ndim()), axes.empty());
    for (const int axis : axes) reduced[static_cast<std::size_t>(axis_of(axis, x.shape))] = true;
    Shape kept = x.shape, result;
    for (int d = 0; d < kept.ndim(); ++d) {
      if (reduced[static_cast<std::size_t>(d)]) kept[d] = 1;
      if (!reduced[static_cast<std::size_t>(d)] || keepdims) result.push_back(kept[d]);
    }
    Values y = build(kept, [&](const Index& to) {
      Line line;
      each_index(x.shape, [&](const Index& from) {
        for (std::size_t d = 0; d < from.size(); ++d)
          if (!reduced[d] && from[d] != to[d]) return;
        line.push_back(x[from]);
      });
      return fold(line);
    });
    y.shape = result;
    return y;
  };
}

/// Shapes that a reduction is tried on with all axes, the last one, and the first one.
struct Shapes {
  ShapeTuples all, last, first;
};
/// Everywhere, no elements included.
const Shapes total{any_shape(), at_least_one_axis(), at_least_one_axis()};
/// Where each result has elements to be made of.
const Shapes nonempty{{{{}}, {{1}}, {{7}}, {{2, 3}}, {{2, 1, 3, 1, 2}}},
                      {{{1}}, {{5}}, {{0, 3}}, {{2, 3}}, {{3, 1, 2}}},
                      {{{4}}, {{3, 0}}, {{3, 2}}, {{2, 1, 3, 1, 2}}}};

std::vector<Variant> reduction(const Reducer& f, const Fold& fold, const Domain& domain, const Shapes& shapes,
                               double ulps = 4, double scale = 0, const std::string& label = "") {
  std::vector<Variant> variants;
  const auto add = [&](const std::vector<int>& axes, bool keepdims, const ShapeTuples& on, int order) {
    std::string name = label + "axes";
    for (const int axis : axes) name += text(" ", axis);
    variants.push_back({.label = name + (keepdims ? " keepdims" : ""),
                        .f = [=](const Tensors& x) { return f(x[0], axes, keepdims); },
                        .reference = over(axes, keepdims, fold),
                        .domains = {domain},
                        .shapes = on,
                        .ulps = ulps,
                        .scale = scale,
                        .order = order});
  };
  add({}, false, shapes.all, 2);
  add({-1}, false, shapes.last, 2);
  add({0}, true, shapes.first, 2);
  add({4, 0, -3}, false, {{{2, 1, 3, 1, 2}}}, 2);
  for (int subset = 1; subset < 16; ++subset) {
    std::vector<int> axes;
    for (int d = 0; d < 4; ++d)
      if (subset >> d & 1) axes.push_back(d % 2 ? d : d - 4);
    for (const bool keepdims : {false, true}) add(axes, keepdims, {{{2, 3, 1, 2}}}, 1);
  }
  return variants;
}

/// Variants of one op after another.
std::vector<Variant> both(std::vector<Variant> a, std::vector<Variant> b) {
  for (Variant& v : b) a.push_back(std::move(v));
  return a;
}

Real total_of(const Line& x) {
  Real s = 0;
  for (const Real e : x) s += e;
  return s;
}

Fold variance_of(int ddof) {
  return [ddof](const Line& x) {
    const Real n = static_cast<Real>(x.size()), mean = total_of(x) / n;
    Real s = 0;
    for (const Real e : x) s += (e - mean) * (e - mean);
    return n > ddof ? s / (n - ddof) : Real(nan);
  };
}

Fold norm_of(Real p) {
  return [p](const Line& x) {
    Real s = 0;
    for (const Real e : x) s = p == Real(inf) ? std::max(s, std::fabs(e)) : s + std::pow(std::fabs(e), p);
    return p == Real(inf) ? s : std::pow(s, 1 / p);
  };
}

Reducer norm_with(double p) {
  return [p](const Operand& x, const Axes& axes, bool keepdims) { return norm(x, axes, keepdims, p); };
}

Function whole_norm(double p) {
  return [p](const Tensors& x) { return norm(x[0], {}, false, p); };
}

/// The deviations along all given axes at once.
Reference centred(const std::vector<int>& axes) {
  return [axes](const std::vector<Values>& inputs) {
    const Values mean =
        over(axes, true, [](const Line& x) { return total_of(x) / static_cast<Real>(x.size()); })(inputs);
    const Values& x = inputs[0];
    return build(x.shape, [&](const Index& at) { return x[at] - broadcast_element(mean, at); });
  };
}

Variant centre_over(const std::vector<int>& axes, const ShapeTuples& shapes) {
  return {.label = text("over ", axes.size()),
          .f = [axes](const Tensors& x) { return centre(x[0], axes); },
          .reference = centred(axes),
          .domains = {interval(-2, 2)},
          .shapes = shapes,
          .scale = 4};
}

}  // namespace

std::vector<Row> rows_reduction() {
  std::vector<Row> rows;
  const Domain any_number = interval(-2, 2);
  rows.push_back({"sum",
                  reduction(sum, total_of, any_number, total, 4, 24),
                  {{{{}}, {0}}, {{{1, inf, 2}}, {inf}, {{1, 1, 1}}}, {{{inf, -inf}}, {nan}, {{1, 1}}}}});
  rows.push_back(
      {"mean",
       reduction(
           mean, [](const Line& x) { return total_of(x) / static_cast<Real>(x.size()); }, any_number, nonempty, 4, 4),
       {{{{}}, {nan}}, {{{1, 2, 6}}, {3}, {{1. / 3, 1. / 3, 1. / 3}}}}});
  const Fold product = [](const Line& x) {
    Real p = 1;
    for (const Real e : x) p *= e;
    return p;
  };
  rows.push_back({"prod",
                  both(reduction(prod, product, any_number, total, 24),
                       reduction(prod, product, whole_numbers(-1, 1), total, 24, 0, "zeros ")),
                  {{{{}}, {1}},
                   {{{2, 0, 3}}, {0}, {{0, 6, 0}}, {{3, 5, 2}}},
                   {{{0, 0, 3}}, {0}, {{0, 0, 0}}, {{3, 3, 0}}},
                   {{{0, 0, 0}}, {0}, {{0, 0, 0}}, {{0, 0, 0}}},
                   {.inputs = {{1e-200, 1e-200, 1e200}}, .value = {0}, .gradients = {{1, 1, 0}}, .f64_only = true}}});
  const Fold largest = [](const Line& x) { return *std::max_element(x.begin(), x.end()); };
  const Fold smallest = [](const Line& x) { return *std::min_element(x.begin(), x.end()); };
  rows.push_back({"max",
                  reduction(max, largest, distinct(), nonempty, 0),
                  {{{{3, 3, 1}}, {3}, {{.5, .5, 0}}, {{0, 0, 0}}},
                   {{{1, nan, 3}}, {nan}, {{0, 1, 0}}},
                   {{{nan, 1, nan}}, {nan}, {{.5, 0, .5}}},
                   {{{-inf, -inf}}, {-inf}, {{.5, .5}}},
                   {{{inf, 1}}, {inf}, {{1, 0}}}}});
  rows.push_back({"min",
                  reduction(min, smallest, distinct(), nonempty, 0),
                  {{{{1, 3, 1}}, {1}, {{.5, 0, .5}}, {{0, 0, 0}}},
                   {{{1, 3, nan}}, {nan}, {{0, 0, 1}}},
                   {{{inf, inf}}, {inf}, {{.5, .5}}},
                   {{{-inf, 1}}, {-inf}, {{1, 0}}}}});
  const Fold log_of_exponentials = [](const Line& x) {
    Real s = 0;
    for (const Real e : x) s += std::exp(e);
    return std::log(s);
  };
  rows.push_back({"logsumexp",
                  reduction(logsumexp, log_of_exponentials, any_number, total, 8, 2),
                  {{{{}}, {-inf}},
                   {{{-inf, -inf}}, {-inf}, {{0, 0}}, {{0, 0}}},
                   {{{inf, 0}}, {inf}, {{1, 0}}, {{0, 0}}},
                   {{{inf, 0, inf, -inf}}, {inf}, {{.5, 0, .5, 0}}, {{0, 0, 0, 0}}},
                   {{{-inf, 0}}, {0}, {{0, 1}}, {{0, 0}}},
                   {{{1000, 1000}}, {1000 + std::log(2.)}, {{.5, .5}}},
                   {{{-1000, -2000}}, {-1000}, {{1, 0}}},
                   {{{nan, 0}}, {nan}, {{nan, nan}}}}});
  rows.push_back({"all",
                  reduction(
                      all, [](const Line& x) { return Real(std::count(x.begin(), x.end(), 0) == 0); },
                      whole_numbers(-1, 2), total),
                  {{{{}}, {1}}, {{{nan, 1}}, {1}}, {{{1, -0.}}, {0}}, {{{1e-300, 1}}, {1}, {}, {}, {}, {}, true}}});
  rows.push_back(
      {"any",
       reduction(
           any, [](const Line& x) { return Real(std::count(x.begin(), x.end(), 0) < std::ptrdiff_t(x.size())); },
           fixed({0, 0, 0, 1, 0}), total),
       {{{{}}, {0}}, {{{nan, 0}}, {1}}, {{{0, -0.}}, {0}}}});
  rows.push_back(
      {"variance",
       both(reduction([](const Operand& x, const Axes& axes, bool keepdims) { return variance(x, axes, keepdims); },
                      variance_of(0), any_number, nonempty, 8, 4),
            {{.label = "ddof 1",
              .f = [](const Tensors& x) { return variance(x[0], {-1}, false, 1); },
              .reference = over({-1}, false, variance_of(1)),
              .domains = {any_number},
              .shapes = {{{4}}, {{0, 3}}, {{2, 3}}, {{2, 1, 3, 1, 2}}},
              .ulps = 8,
              .scale = 4}}),
       {{{{}}, {nan}},
        {{{1e8, 1e8 + 8}}, {16}, {{-4, 4}}, {{0, 0}}},
        {{{3, 3, 3}}, {0}, {{0, 0, 0}}, {{0, 0, 0}}},
        {.inputs = {{3}}, .value = {nan}, .gradients = {{nan}}, .f = [](const Tensors& x) {
           return variance(x[0], {}, false, 1);
         }}}});
  rows.push_back({"stddev",
                  reduction([](const Operand& x, const Axes& axes, bool keepdims) { return stddev(x, axes, keepdims); },
                            [](const Line& x) { return std::sqrt(variance_of(0)(x)); }, distinct(), nonempty, 8, 4),
                  {{{{}}, {nan}},
                   {{{3, 3, 3}}, {0}, {{0, 0, 0}}, {{0, 0, 0}}},
                   {{{1e8, 1e8 + 8}}, {4}, {{-.5, .5}}, {{0, 0}}},
                   {{{1e30, -1e30}}, {1e30}, {{.5, -.5}}, {{0, 0}}},
                   {{{1e-23, -1e-23}}, {1e-23}, {{.5, -.5}}},
                   {.inputs = {{1e200, -1e200}}, .value = {1e200}, .gradients = {{.5, -.5}}, .f64_only = true},
                   {.inputs = {{1e-200, -1e-200}}, .value = {1e-200}, .gradients = {{.5, -.5}}, .f64_only = true},
                   {{{inf, 1}}, {nan}, {{nan, nan}}},
                   {.inputs = {{1, 3}},
                    .value = {std::sqrt(2.)},
                    .gradients = {{-std::sqrt(.5), std::sqrt(.5)}},
                    .f = [](const Tensors& x) { return stddev(x[0], {}, false, 1); }}}});
  std::vector<Variant> norms = reduction(norm_with(2), norm_of(2), around_zero(.5, 2), total, 8);
  for (const double p : {1., 1.5, 3., .5})
    norms = both(norms, reduction(norm_with(p), norm_of(p), around_zero(.5, 2), total, 24, 0, text("p ", p, " ")));
  norms = both(norms, reduction(norm_with(inf), norm_of(Real(inf)), distinct(.5, 2), nonempty, 4, 0, "p inf "));
  std::vector<Special> norm_points{
      {{{3, 4}}, {5}, {{.6, .8}}},
      {.inputs = {{1e200, 1e200}},
       .value = {std::sqrt(2.) * 1e200},
       .gradients = {{std::sqrt(.5), std::sqrt(.5)}},
       .f64_only = true},
      {.inputs = {{1e-200, 1e-200}},
       .value = {std::sqrt(2.) * 1e-200},
       .gradients = {{std::sqrt(.5), std::sqrt(.5)}},
       .f64_only = true},
      {.inputs = {{1e200, 1e200}}, .value = {std::cbrt(2.) * 1e200}, .f = whole_norm(3), .f64_only = true},
      {.inputs = {{3, -3, 1}}, .value = {3}, .gradients = {{.5, -.5, 0}}, .f = whole_norm(inf)},
      {.inputs = {{-2, 0}}, .value = {2}, .gradients = {{-1, 0}}, .seconds = {{0, 0}}, .f = whole_norm(1.5)},
      {.inputs = {{1e300, 1e-300}}, .value = {1e300}, .gradients = {{1, 1e300}}, .f = whole_norm(.5), .f64_only = true},
      {.inputs = {{1e300, 1e-300}},
       .value = {1e300},
       .gradients = {{1, 1e-300}},
       .f = whole_norm(1.5),
       .f64_only = true},
      {.inputs = {{1e300, 0, 1e-300}}, .value = {1e300}, .f = whole_norm(.5), .f64_only = true},
      {.inputs = {{inf, 1}}, .value = {inf}, .f = whole_norm(3)},
      {.inputs = {{nan, 1}}, .value = {nan}, .f = whole_norm(3)},
      {{{-inf, 1}}, {inf}},
      {{{nan, 1}}, {nan}}};
  for (const double p : {2., 1., 1.5, 3., .5, inf})
    norm_points.push_back(
        {.inputs = {{0, 0}}, .value = {0}, .gradients = {{0, 0}}, .seconds = {{0, 0}}, .f = whole_norm(p)});
  rows.push_back({"norm", norms, norm_points});
  rows.push_back({"centre",
                  {centre_over({}, {{{}}, {{1}}, {{5}}, {{0}}, {{2, 3}}}), centre_over({-1}, at_least_one_axis()),
                   centre_over({0}, at_least_one_axis()), centre_over({0, 2}, {{{2, 3, 2}}, {{3, 0, 2}}}),
                   centre_over({1, -1, 2}, {{{2, 1, 3, 1, 2}}})},
                  {{{{1e8, 1e8 + 8}}, {-4, 4}, {{0, 0}}},
                   {.inputs = {{1, 3}}, .value = {-1, 1}, .gradients = {{.5, -.5}}, .cotangent = {1, 0}}}});
  for (Row& row : rows_along_axis()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace xgrad::op_table
