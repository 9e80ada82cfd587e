#pragma once
#include <autograd/ops.hpp>
#include <autograd/ops/table/values.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

/// The table of ops. Each op that autograd/ops.hpp or linalg.hpp declares has one Row, which says what the op computes,
/// in words that share nothing with the library (naive loops in long double), and what to run it on; check.hpp says
/// what is checked. A row needs at least 6 tuples of input shapes, and among them 0-d, size-0 and size-1 axes and rank
/// 5, but for those kinds that it declares unsuited.
namespace xgrad::op_table {

inline constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

/// What the elements of an input are drawn from, given its shape. Floating ones are rounded to f32, so that both dtypes
/// see the same inputs.
struct Domain {
  std::function<std::vector<double>(std::mt19937_64&, const Shape&)> draw;
  Dtype dtype = f64;  // f64 stands for the floating dtype under test
};
/// Uniform on [low, high].
Domain interval(double low, double high);
/// Magnitudes uniform on [low, high], with either sign: around a kink or a pole at 0.
Domain around_zero(double low, double high);
/// Numbers of [low, high] that differ from one another, in random order: for what has ties or an order.
Domain distinct(double low = -2, double high = 2);
/// Integers of [low, high] as i64.
Domain integers(std::int64_t low, std::int64_t high);
/// The same, none twice; size at most high - low + 1.
Domain distinct_integers(std::int64_t low, std::int64_t high);
/// Integers of [low, high] as floating numbers: exact sums, ties.
Domain whole_numbers(int low, int high);
Domain booleans();
/// These numbers again and again.
Domain fixed(std::vector<double> values, Dtype dtype = f64);

using Tensors = std::vector<Tensor>;
using Function = std::function<Tensor(const Tensors&)>;
using Reference = std::function<Values(const std::vector<Values>&)>;
using ShapeTuples = std::vector<std::vector<Shape>>;  // one shape for each input

/// One way to call the op.
struct Variant {
  std::string label;
  Function f;
  Reference reference;
  std::vector<Domain> domains;  // one for each input
  ShapeTuples shapes;
  double ulps = 4;         // |value - reference| <= ulps * eps * (|reference| + scale), in both dtypes
  double scale = 0;        // the size of the terms that a value is summed of, where they may cancel
  int order = 3;           // the highest order of derivatives to check
  double f32_grad = 1e-5;  // largest difference of f32's gradient from f64's, relative to its largest element (+ scale)
  // Of a symmetric matrix it reads one triangle: its gradient is no derivative by single elements.
  bool reads_triangle = false;
};

/// A variant of an elementwise op of one input, on any shape, and of one of two inputs, on pairs that broadcast.
Variant unary(Tensor (*f)(const Operand&), Reference reference, Domain domain, double ulps = 4);
Variant unary(const char* label, Function f, Reference reference, Domain domain, double ulps = 4);
Variant binary(Tensor (*f)(const Operand&, const Operand&), Reference reference, Domain a, Domain b, double ulps = 4);

/// A point where limits, kinks and rounding decide. Vectors are 1-d inputs and outputs, a single number is 0-d. NaN
/// means that it must be NaN, and zeros must agree in sign where `signed_zeros`.
struct Special {
  std::vector<std::vector<double>> inputs;
  std::vector<double> value;
  std::vector<std::vector<double>> gradients = {};  // for each input, of the sum of the output; unchecked where empty
  std::vector<std::vector<double>> seconds = {};    // for each input, of the sum of its own gradient
  Function f = {};                                  // the first variant's, if empty
  std::vector<double> cotangent = {};               // ones, if empty
  bool f64_only = false;                            // outside f32's range
  bool signed_zeros = false;
  double tolerance = 4;   // ulps
  bool f32_only = false;  // where f32 ends earlier than f64
};
/// The same for elementwise ops of one input: f(x), f'(x) and f''(x).
Special at(double x, double value, double gradient);
Special at(double x, double value, double gradient, double second);
/// And of two: f(a, b), df/da and df/db.
Special at2(double a, double b, double value, double da, double db);

/// Kinds of shapes that an op cannot take.
inline constexpr unsigned scalars = 1, empty_axes = 2, single_axes = 4, rank_five = 8;

struct Row {
  std::string op;  // as ops.hpp spells it, within xgrad; "operator- (unary)" for the one with a single operand
  std::vector<Variant> variants;
  std::vector<Special> special = {};
  unsigned unsuited = 0;
};

/// Shapes for ops of one input that take any, and pairs that broadcast.
const ShapeTuples& any_shape();
const ShapeTuples& broadcast_pairs();
/// The same without a 0-d tensor, for ops along an axis.
const ShapeTuples& at_least_one_axis();

/// The rows of all families.
std::vector<Row> all_rows();
/// The families, each in the file of its name.
std::vector<Row> rows_arithmetic();
std::vector<Row> rows_transcendental();
std::vector<Row> rows_formulas();
std::vector<Row> rows_division();
std::vector<Row> rows_vectors();
std::vector<Row> rows_comparison();
std::vector<Row> rows_activation();
std::vector<Row> rows_reduction();
std::vector<Row> rows_along_axis();  // a part of rows_reduction
std::vector<Row> rows_matmul();
std::vector<Row> rows_images();
std::vector<Row> rows_normalisation();  // a part of rows_images
std::vector<Row> rows_shaping();
std::vector<Row> rows_indexing();
std::vector<Row> rows_linalg();   // none without LAPACK
std::vector<Row> rows_placing();  // a part of rows_indexing
std::vector<Row> rows_sequences();

}  // namespace xgrad::op_table
