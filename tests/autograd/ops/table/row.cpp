#include <algorithm>
#include <autograd/ops/table/row.hpp>
#include <numeric>

namespace xgrad::op_table {
namespace {

template <class Draw>
Domain independent(Draw draw, Dtype dtype = f64) {
  return {[draw](std::mt19937_64& random, const Shape& shape) {
            std::vector<double> x(static_cast<std::size_t>(shape.size()));
            for (double& e : x) e = static_cast<double>(draw(random));
            return x;
          },
          dtype};
}

double uniform(std::mt19937_64& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

}  // namespace

Domain interval(double low, double high) {
  return independent([=](std::mt19937_64& random) { return uniform(random, low, high); });
}

Domain around_zero(double low, double high) {
  return independent([=](std::mt19937_64& random) {
    const double x = uniform(random, low, high);
    return random() % 2 ? x : -x;
  });
}

Domain distinct(double low, double high) {
  return {[=](std::mt19937_64& random, const Shape& shape) {
    std::vector<double> x(static_cast<std::size_t>(shape.size()));
    const double step = (high - low) / static_cast<double>(std::max<std::size_t>(x.size(), 1));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = low + (static_cast<double>(i) + uniform(random, .2, .8)) * step;
    std::shuffle(x.begin(), x.end(), random);
    return x;
  }};
}

Domain integers(std::int64_t low, std::int64_t high) {
  return independent(
      [=](std::mt19937_64& random) { return std::uniform_int_distribution<std::int64_t>(low, high)(random); }, i64);
}

Domain distinct_integers(std::int64_t low, std::int64_t high) {
  return {[=](std::mt19937_64& random, const Shape& shape) {
            std::vector<double> x(static_cast<std::size_t>(high - low + 1));
            std::iota(x.begin(), x.end(), static_cast<double>(low));
            std::shuffle(x.begin(), x.end(), random);
            x.resize(static_cast<std::size_t>(shape.size()));
            return x;
          },
          i64};
}

Domain whole_numbers(int low, int high) {
  return independent([=](std::mt19937_64& random) { return std::uniform_int_distribution<int>(low, high)(random); });
}

Domain booleans() {
  return independent([](std::mt19937_64& random) { return random() % 2; }, boolean);
}

Domain fixed(std::vector<double> values, Dtype dtype) {
  return {[values = std::move(values)](std::mt19937_64&, const Shape& shape) {
            std::vector<double> x(static_cast<std::size_t>(shape.size()));
            for (std::size_t i = 0; i < x.size(); ++i) x[i] = values[i % values.size()];
            return x;
          },
          dtype};
}

Variant unary(Tensor (*f)(const Operand&), Reference reference, Domain domain, double ulps) {
  return {.label = "",
          .f = [f](const Tensors& x) { return f(x[0]); },
          .reference = std::move(reference),
          .domains = {std::move(domain)},
          .shapes = any_shape(),
          .ulps = ulps};
}

Variant unary(const char* label, Function f, Reference reference, Domain domain, double ulps) {
  return {.label = label,
          .f = std::move(f),
          .reference = std::move(reference),
          .domains = {std::move(domain)},
          .shapes = any_shape(),
          .ulps = ulps};
}

Variant binary(Tensor (*f)(const Operand&, const Operand&), Reference reference, Domain a, Domain b, double ulps) {
  return {.label = "",
          .f = [f](const Tensors& x) { return f(x[0], x[1]); },
          .reference = std::move(reference),
          .domains = {std::move(a), std::move(b)},
          .shapes = broadcast_pairs(),
          .ulps = ulps};
}

Special at(double x, double value, double gradient) { return {{{x}}, {value}, {{gradient}}}; }
Special at(double x, double value, double gradient, double second) {
  return {{{x}}, {value}, {{gradient}}, {{second}}};
}
Special at2(double a, double b, double value, double da, double db) { return {{{a}, {b}}, {value}, {{da}, {db}}}; }

const ShapeTuples& any_shape() {
  static const ShapeTuples shapes{{{}},  {{1}}, {{7}}, {{0}}, {{3, 0}}, {{2, 3}}, {{3, 1, 2}}, {{2, 1, 3, 1, 2}},
                                  {{37}}};
  return shapes;
}

const ShapeTuples& at_least_one_axis() {
  static const ShapeTuples shapes{{{1}}, {{5}}, {{0}}, {{3, 0}}, {{2, 3}}, {{3, 1, 2}}, {{2, 1, 3, 1, 2}}};
  return shapes;
}

const ShapeTuples& broadcast_pairs() {
  static const ShapeTuples shapes{{{}, {}},
                                  {{3}, {3}},
                                  {{}, {4}},
                                  {{2, 3}, {}},
                                  {{2, 3}, {3}},
                                  {{2, 1}, {1, 3}},
                                  {{4, 0}, {4, 1}},
                                  {{1}, {2, 0}},
                                  {{1, 1}, {1}},
                                  {{2, 37}, {37}},
                                  {{3, 19}, {3, 1}},
                                  {{2, 1, 3, 1, 2}, {3, 2, 1}},
                                  {{2}, {1, 2, 1, 3, 2}}};
  return shapes;
}

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (const auto family : {rows_arithmetic, rows_transcendental, rows_formulas, rows_division, rows_vectors,
                            rows_comparison, rows_activation, rows_reduction, rows_matmul, rows_images, rows_shaping,
                            rows_indexing, rows_sequences, rows_linalg})
    for (Row& row : family()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace xgrad::op_table
