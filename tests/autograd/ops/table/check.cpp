#include <doctest/doctest.h>
#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/gradcheck.hpp>
#include <autograd/memory.hpp>
#include <autograd/ops/table/check.hpp>
#include <cstdio>
#include <set>

namespace xgrad::op_table {
namespace {

template <class T>
void store(const std::vector<double>& from, Tensor& to) {
  T* const data = to.data<T>();
  for (std::size_t i = 0; i < from.size(); ++i) data[i] = static_cast<T>(from[i]);
}

Tensor make(const std::vector<double>& values, const Shape& shape, Dtype dtype) {
  Tensor t = zeros(shape, {.dtype = dtype});
  switch (dtype) {
    case f32:
      store<float>(values, t);
      break;
    case f64:
      store<double>(values, t);
      break;
    case i64:
      store<std::int64_t>(values, t);
      break;
    case boolean:
      store<bool>(values, t);
      break;
  }
  return t;
}

double eps_of(Dtype dtype) { return dtype == f32 ? 0x1p-23 : 0x1p-52; }
double smallest_of(Dtype dtype) { return dtype == f32 ? 0x1p-149 : 0x1p-1074; }

/// Equal within the tolerance; NaN equals NaN, and an infinity itself only.
bool close(Real got, Real want, double tolerance) {
  if (want != want) return got != got;
  return got == want || std::fabs(got - want) <= tolerance;
}

std::string words(Real x) { return text(static_cast<double>(x)) + (x == 0 && std::signbit(x) ? " (-0)" : ""); }

std::string words(const std::vector<std::vector<double>>& inputs) {
  std::string s;
  for (const std::vector<double>& input : inputs) {
    s += s.empty() ? "[" : ", [";
    for (const double x : input) s += text(s.back() == '[' ? "" : " ", words(x));
    s += "]";
  }
  return s;
}

Real largest(const Values& x) {
  Real m = 0;
  for (const Real e : x.v) m = std::max(m, std::fabs(e));
  return m;
}

/// One row's checks in progress.
class Checker {
 public:
  explicit Checker(const Row& row) : row_(row) {}
  Outcome run();

 private:
  void check_coverage();
  void check_shape(const Variant& variant, const std::vector<Shape>& shapes);
  void check_values(const Variant& variant, const Tensors& inputs, Dtype dtype);
  void check_gradients(const Variant& variant, const Tensors& inputs);
  void check_special(const Special& special, Dtype dtype);

  void expect(bool good, const std::string& message) {
    ++outcome_.checks;
    if (!good) outcome_.failures.push_back(where_ + message);
  }
  /// Compares elementwise and reports the first difference.
  void compare(const std::string& what, const Values& got, const Values& want, double relative, double absolute,
               bool signed_zeros = false);

  Tensors with_dtype(const Tensors& inputs, Dtype dtype, bool requires_grad) const;
  Tensor cotangent(const Tensor& y);
  /// The gradients of the floating inputs; those that the output does not depend on are zeros.
  Tensors vjp(const Function& f, const Tensors& inputs, const Tensor& g) const;

  const Row& row_;
  std::mt19937_64 random_{20};
  std::string where_;
  Outcome outcome_;
};

void Checker::compare(const std::string& what, const Values& got, const Values& want, double relative, double absolute,
                      bool signed_zeros) {
  if (got.shape != want.shape) return expect(false, text(what, " has shape ", got.shape, ", expected ", want.shape));
  std::string difference;
  for (std::size_t i = 0; i < got.v.size() && difference.empty(); ++i) {
    const double tolerance = relative * static_cast<double>(std::fabs(want.v[i])) + absolute;
    const bool sign_differs = signed_zeros && want.v[i] == 0 && std::signbit(want.v[i]) != std::signbit(got.v[i]);
    if (!close(got.v[i], want.v[i], tolerance) || sign_differs)
      difference = text(what, "[", i, "] is ", words(got.v[i]), ", expected ", words(want.v[i]));
  }
  expect(difference.empty(), difference);
}

Tensors Checker::with_dtype(const Tensors& inputs, Dtype dtype, bool requires_grad) const {
  Tensors result;
  for (const Tensor& t : inputs) {
    const bool floating = is_floating(t.dtype());
    Tensor copy = make({}, t.shape(), floating ? dtype : t.dtype());
    copy.assign(floating ? t.to(dtype) : t);
    if (floating && requires_grad) copy.set_requires_grad(true);
    result.push_back(copy);
  }
  return result;
}

Tensor Checker::cotangent(const Tensor& y) {
  return make(interval(.5, 1.5).draw(random_, y.shape()), y.shape(), y.dtype());
}

Tensors floating(const Tensors& inputs) {
  Tensors result;
  for (const Tensor& t : inputs)
    if (is_floating(t.dtype())) result.push_back(t);
  return result;
}

Tensors Checker::vjp(const Function& f, const Tensors& inputs, const Tensor& g) const {
  const Tensors leaves = with_dtype(inputs, g.dtype(), true);
  return grad(f(leaves), floating(leaves), g, {.zeros_if_unused = true});
}

void Checker::check_values(const Variant& variant, const Tensors& inputs, Dtype dtype) {
  const Tensors x = with_dtype(inputs, dtype, false);
  std::vector<Values> numbers;
  for (const Tensor& t : x) numbers.emplace_back(t);
  const Tensor y = variant.f(x);
  const Values want = variant.reference(numbers);
  const double tolerance = is_floating(y.dtype()) ? variant.ulps * eps_of(dtype) : 0;
  compare(text(name_of(dtype), " value"), Values(y), want, tolerance,
          tolerance * variant.scale + 4 * smallest_of(dtype));
  if (is_floating(y.dtype())) expect(y.dtype() == dtype, text("the result is ", name_of(y.dtype())));
  for (std::size_t i = 0; i < x.size(); ++i) compare("input after the call", Values(x[i]), numbers[i], 0, 0, true);

  const Tensors leaves = with_dtype(inputs, dtype, true);
  const NoGrad guard;
  const std::int64_t nodes = memory::statistics().live_nodes;
  const Tensor silent = variant.f(leaves);
  expect(memory::statistics().live_nodes == nodes, "records nodes under NoGrad");
  expect(silent.same(leaves[0]) || !silent.requires_grad(), "requires a gradient under NoGrad");
  compare("value under NoGrad", Values(silent), Values(y), 0, 0, true);
}

void Checker::check_gradients(const Variant& variant, const Tensors& inputs) {
  const Tensors leaves = with_dtype(inputs, f64, true);
  const Tensor y = variant.f(leaves);
  const bool differentiable = y.requires_grad() && variant.order > 0;
  if (!is_floating(y.dtype()) || floating(leaves).empty() || variant.order == 0)
    return expect(!y.requires_grad(), text("requires a gradient, though its result is ", name_of(y.dtype()),
                                           " and its order ", variant.order));
  expect(differentiable, "does not require a gradient");
  if (!differentiable) return;

  const GradcheckReport report = gradcheck(variant.f, inputs, {.order = variant.order});
  for (const Verdict v : {Verdict::pass, Verdict::fail, Verdict::kink, Verdict::unreliable, Verdict::domain})
    outcome_.checks += report.count(v);
  expect(report.ok(), report.str());

  const Tensor u = cotangent(y), v = cotangent(y);
  const Tensors along_u = vjp(variant.f, inputs, u), along_v = vjp(variant.f, inputs, v);
  const Tensors along_both = vjp(variant.f, inputs, 2 * u - 3 * v), along_zero = vjp(variant.f, inputs, 0 * u);
  const Tensors narrow = vjp(variant.f, inputs, u.to(f32)), x = floating(inputs);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::string which = text("gradient of input ", i);
    const Values g(along_u[i]);
    expect(g.shape == x[i].shape(), text(which, " has shape ", g.shape, ", not ", x[i].shape()));
    compare(which + " of a zero cotangent", Values(along_zero[i]), Values(x[i].shape()), 0, 0);
    const double size = static_cast<double>(largest(g) + largest(Values(along_v[i]))) + variant.scale;
    compare(which + " of 2 u - 3 v", Values(along_both[i]), Values(2 * along_u[i] - 3 * along_v[i]), 0, 1e-13 * size);
    compare("f32 " + which, Values(narrow[i]), g, variant.f32_grad, variant.f32_grad * size);
  }
}

void Checker::check_shape(const Variant& variant, const std::vector<Shape>& shapes) {
  Tensors inputs;
  where_ = text(row_.op, variant.label.empty() ? "" : " [", variant.label, variant.label.empty() ? "" : "]");
  for (const Shape& shape : shapes) where_ += text(" ", shape);
  where_ += ": ";
  if (shapes.size() != variant.domains.size()) return expect(false, "as many domains as shapes are needed");
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Domain& domain = variant.domains[i];
    // In f32 first, so that both dtypes see the same numbers.
    const Tensor drawn =
        make(domain.draw(random_, shapes[i]), shapes[i], is_floating(domain.dtype) ? f32 : domain.dtype);
    inputs.push_back(drawn.to(domain.dtype));
  }
  check_values(variant, inputs, f64);
  check_values(variant, inputs, f32);
  check_gradients(variant, inputs);
}

void Checker::check_special(const Special& special, Dtype dtype) {
  if (dtype == f32 ? special.f64_only : special.f32_only) return;
  const auto tensor_of = [&](const std::vector<double>& v) {
    return make(v, v.size() == 1 ? Shape() : Shape(v.size()), dtype);
  };
  Tensors x;
  for (const std::vector<double>& input : special.inputs) x.push_back(tensor_of(input).set_requires_grad(true));
  where_ = text(row_.op, " of ", words(special.inputs), " in ", name_of(dtype), ": ");
  const Tensor y = (special.f ? special.f : row_.variants.at(0).f)(x);
  const double relative = special.tolerance * eps_of(dtype), absolute = 4 * smallest_of(dtype);
  const auto expected = [](const Tensor& got, const std::vector<double>& v) {
    Values want(got.shape());
    if (want.v.size() == v.size()) want.v.assign(v.begin(), v.end());
    return want;
  };
  expect(y.size() == static_cast<std::int64_t>(special.value.size()), text("the value has shape ", y.shape()));
  compare("value", Values(y), expected(y, special.value), relative, absolute, special.signed_zeros);
  if (special.gradients.empty()) return;

  const Tensor g = special.cotangent.empty() ? ones(y.shape(), {.dtype = dtype}) : tensor_of(special.cotangent);
  const Tensors first =
      grad(y, x, g, {.create_graph = !special.seconds.empty(), .retain_graph = true, .zeros_if_unused = true});
  for (std::size_t i = 0; i < special.gradients.size(); ++i) {
    if (special.gradients[i].empty()) continue;
    compare(text("gradient of input ", i), Values(first[i]), expected(first[i], special.gradients[i]), relative,
            absolute, special.signed_zeros);
  }
  for (std::size_t i = 0; i < special.seconds.size(); ++i) {
    if (special.seconds[i].empty()) continue;
    const Tensor second = grad(sum(first[i]), {x[i]}, {.retain_graph = true, .zeros_if_unused = true})[0];
    compare(text("second derivative of input ", i), Values(second), expected(second, special.seconds[i]), relative,
            absolute, special.signed_zeros);
  }
}

/// Whether the row has shapes of all kinds that it does not call unsuited.
void Checker::check_coverage() {
  std::set<std::string> tuples;
  unsigned kinds = row_.unsuited;
  for (const Variant& variant : row_.variants) {
    for (const std::vector<Shape>& shapes : variant.shapes) {
      std::string tuple;
      for (const Shape& shape : shapes) {
        tuple += shape.str();
        if (shape.ndim() == 0) kinds |= scalars;
        if (shape.ndim() >= 5) kinds |= rank_five;
        for (const std::int64_t size : shape) kinds |= size == 0 ? empty_axes : size == 1 ? single_axes : 0;
      }
      tuples.insert(tuple);
    }
  }
  where_ = row_.op + ": ";
  expect(tuples.size() >= 6, text("has ", tuples.size(), " tuples of shapes, fewer than 6"));
  expect((kinds & scalars) != 0, "has no 0-d input");
  expect((kinds & empty_axes) != 0, "has no axis of size 0");
  expect((kinds & single_axes) != 0, "has no axis of size 1");
  expect((kinds & rank_five) != 0, "has no input of rank 5");
}

Outcome Checker::run() {
  check_coverage();
  try {
    for (const Variant& variant : row_.variants)
      for (const std::vector<Shape>& shapes : variant.shapes) check_shape(variant, shapes);
    for (const Special& special : row_.special) {
      check_special(special, f64);
      check_special(special, f32);
    }
  } catch (const std::exception& e) {
    expect(false, text("threw ", e.what()));
  }
  return std::move(outcome_);
}

}  // namespace

std::string Outcome::str() const {
  std::string s;
  const std::size_t shown = std::min<std::size_t>(failures.size(), 12);
  for (std::size_t i = 0; i < shown; ++i) s += failures[i] + "\n";
  return failures.size() > shown ? text(s, "... and ", failures.size() - shown, " more\n") : s;
}

Outcome check(const Row& row) { return Checker(row).run(); }

void check_family(const char* name, const std::vector<Row>& rows) {
  std::int64_t checks = 0;
  for (const Row& row : rows) {
    const Outcome outcome = check(row);
    checks += outcome.checks;
    CHECK_MESSAGE(outcome.ok(), outcome.str());
  }
  std::printf("%s\n", text(name, ": ", rows.size(), " ops, ", checks, " checks").c_str());
}

}  // namespace xgrad::op_table
