#pragma once
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/ops/table/declared.hpp>
#include <autograd/ops/table/row.hpp>
#include <fstream>
#include <iterator>

#include "support.hpp"

/// What the tables of layers and of losses share: what inputs are drawn from, comparisons that name the row, and the
/// comparison of a table with what headers declare. References are those of the table of ops: long double, naive.
namespace xgrad::nn_table {

using op_table::build, op_table::Domain, op_table::Index, op_table::interval, op_table::Real, op_table::Reference,
    op_table::Tensors, op_table::Values;

/// Inputs of one call: their shapes, drawn in f64 but rounded to f32, so that both dtypes see the same numbers.
inline Tensors draw(const std::vector<Domain>& domains, const std::vector<Shape>& shapes, unsigned seed = 7) {
  std::mt19937_64 random(seed);
  Tensors inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Tensor drawn = from_values(domains.at(i).draw(random, shapes[i]), shapes[i]);
    const Dtype dtype = domains[i].dtype;
    inputs.push_back(is_floating(dtype) ? drawn.to(f32).to(dtype) : drawn.to(dtype));
  }
  return inputs;
}

inline Tensors as(const Tensors& inputs, Dtype dtype, bool requires_grad = false) {
  Tensors result;
  for (const Tensor& t : inputs) {
    if (!is_floating(t.dtype())) {
      result.push_back(t);
      continue;
    }
    result.push_back(t.to(dtype).clone().detach().set_requires_grad(requires_grad));
  }
  return result;
}

inline std::vector<Values> values_of(const Tensors& inputs) {
  std::vector<Values> values;
  for (const Tensor& t : inputs) values.emplace_back(t);
  return values;
}

/// A call with bad arguments, and the message without its place.
struct Bad {
  std::string (*said)();
  std::string message;
};

#define BAD(E, expression, message)                                               \
  xgrad::nn_table::Bad {                                                          \
    [] { return message_of<E>(+[] { static_cast<void>(expression); }); }, message \
  }

/// What is wrong with a row.
class Findings {
 public:
  std::string where;  // the row and what it is tried on
  std::vector<std::string> failures;
  std::int64_t checks = 0;

  void expect(bool good, const std::string& what) {
    ++checks;
    if (!good) failures.push_back(where + ": " + what);
  }
  /// |got - want| <= tolerance max(1, largest |want|), elementwise; NaN equals NaN, an infinity itself.
  void compare(const std::string& what, const Values& got, const Values& want, double tolerance) {
    if (got.shape != want.shape) return expect(false, text(what, " has shape ", got.shape, ", not ", want.shape));
    Real size = 1;
    for (const Real w : want.v)
      if (std::isfinite(static_cast<double>(w))) size = std::max(size, std::fabs(w));
    std::string difference;
    for (std::size_t i = 0; i < got.v.size() && difference.empty(); ++i) {
      const Real g = got.v[i], w = want.v[i];
      if (g == w || (g != g && w != w) || std::fabs(g - w) <= tolerance * static_cast<double>(size)) continue;
      difference = text(what, "[", i, "] is ", static_cast<double>(g), ", not ", static_cast<double>(w));
    }
    expect(difference.empty(), difference);
  }
  void check_messages(const std::vector<Bad>& bad) {
    expect(!bad.empty(), "has no call with bad arguments");
    for (const Bad& b : bad) {
      const std::string said = b.said();
      expect(said == b.message, text("said \"", said, "\", not \"", b.message, "\""));
    }
  }
  /// Derivatives to order 2 in f64.
  void check_gradients(const std::function<Tensor(const Tensors&)>& f, const Tensors& inputs) {
    const GradcheckReport report = gradcheck(f, inputs, {.order = 2});
    checks += report.total();
    expect(report.ok(), report.str());
  }
  /// f(inputs) and its gradients by `leaves`, captured and replayed, have the bits of eager ones; f uses `inputs`,
  /// which hold `first` and `second` in turn. Random numbers are the same in both.
  void check_capture(const std::function<Tensor()>& f, const Tensors& leaves, Tensors inputs, const Tensors& first,
                     const Tensors& second) {
    const auto forward_and_backward = [&] {
      const Tensor y = f();
      Tensors results{y};
      if (leaves.empty() || !y.requires_grad()) return results;
      const Tensor cotangent = reshape(linspace(.5, 1.5, y.size(), {.dtype = y.dtype()}), y.shape());
      for (Tensor& g : grad(y, leaves, cotangent, {.zeros_if_unused = true})) results.push_back(std::move(g));
      return results;
    };
    auto step = capture(forward_and_backward);
    for (int i = 0; i < 5; ++i) {
      const NoGrad guard;
      for (std::size_t k = 0; k < inputs.size(); ++k) inputs[k].assign((i % 2 ? second : first)[k]);
      const EnableGrad recording;
      manual_seed(5);
      const Tensors eager = forward_and_backward();
      manual_seed(5);
      expect(same_bits(step(), eager), text("call ", i, " of the captured function differs from the eager one"));
    }
  }
};

inline std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Fails by name for what is declared and has no row, or has one and is not declared; shows that this would notice the
/// loss of any row.
inline void check_complete(const std::vector<std::string>& declared, const std::vector<std::string>& rows) {
  for (const std::string& name : missing(declared, rows)) FAIL_CHECK(name << " has no row");
  for (const std::string& name : missing(rows, declared)) FAIL_CHECK(name << " has a row, but is not declared");
  for (const std::string& name : rows) {
    std::vector<std::string> rest = rows;
    rest.erase(std::find(rest.begin(), rest.end(), name));
    CHECK(missing(declared, rest) == std::vector<std::string>{name});
  }
}

inline std::string joined(const std::vector<std::string>& failures) {
  std::string all;
  for (const std::string& failure : failures) all += failure + "\n";
  return all;
}

}  // namespace xgrad::nn_table
