#include <doctest/doctest.h>
#include <algorithm>
#include <autograd/autograd.hpp>
#include <autograd/explain/formulas.hpp>
#include <autograd/ops/table/row.hpp>
#include <autograd/trace.hpp>
#include <xml.hpp>

#include "autograd/explain/explained.hpp"

// Every op explains itself.
using namespace xgrad;
using namespace xgrad::op_table;

namespace {

/// Explains the op's first floating input, on the first shapes that are neither empty nor large.
void check(const Row& row, const Variant& variant) {
  const auto suits = [](const std::vector<Shape>& shapes) {
    return std::all_of(shapes.begin(), shapes.end(), [](const Shape& s) { return s.size() > 1 && s.size() <= 24; });
  };
  const auto shapes = std::find_if(variant.shapes.begin(), variant.shapes.end(), suits);
  if (shapes == variant.shapes.end()) return;
  std::mt19937_64 random(7);
  Tensors inputs;
  const Tensor* leaf = nullptr;
  for (std::size_t i = 0; i < shapes->size(); ++i) {
    const Domain& domain = variant.domains[i];
    inputs.push_back(from_values(domain.draw(random, (*shapes)[i]), (*shapes)[i]).to(domain.dtype).clone());
  }
  for (Tensor& t : inputs) {
    if (!is_floating(t.dtype())) continue;
    t.set_requires_grad(true);
    if (!leaf) leaf = &t;
  }
  if (!leaf) return;
  const auto loss = [&] {
    const Tensor y = variant.f(inputs);
    if (!y.requires_grad()) return Tensor();
    return sum(reshape(y, {y.size()}) * linspace(.5, 1.5, y.size(), {.dtype = f64}));
  };
  const std::string where = text(row.op, " [", variant.label, "]");
  {
    const Trace trace;
    if (!loss().defined()) return;
    for (const TracedOp& op : trace.ops()) {
      if (op.outer >= 0 || !op.output.requires_grad()) continue;
      CHECK_MESSAGE(detail::formula_of(op.name) != nullptr, where, ": no formula for ", op.name);
    }
  }
  if (variant.reads_triangle) return;
  const Tensor g = grad(loss(), {*leaf}, {.zeros_if_unused = true})[0];
  const double largest = std::max(max(g).item<double>(), -min(g).item<double>());
  if (largest == 0) return;
  const std::string page = explain(loss, *leaf);
  CHECK_MESSAGE(xml_fault(page) == "", where);
  const Explained explained(page);
  CHECK_MESSAGE(std::fabs(explained.only("gradient")) == largest, where);
  const std::string fault = explained.fault(explained.only("gradient"));
  CHECK_MESSAGE(fault == "", where, ": ", fault);
  CHECK_MESSAGE(explained.only("measured") == doctest::Approx(explained.only("gradient")).epsilon(1e-4), where);
  CHECK_MESSAGE(page.find(" ≠") == std::string::npos, where, ": a measured number differs");
}

}  // namespace

TEST_CASE("every op has a formula, and explains itself in numbers that agree with what is measured") {
  for (const Row& row : all_rows())
    for (const Variant& variant : row.variants) check(row, variant);
}

TEST_CASE("an op that the library does not have has no formula") { CHECK(detail::formula_of("mine") == nullptr); }
