#include <doctest/doctest.h>
#include <autograd/ops/table/check.hpp>
#include <autograd/primitive.hpp>

// The table fails for ops that are wrong.
using namespace xgrad;
using namespace xgrad::op_table;

namespace {

/// What the table says about a faulty square, or a product, in place of a real op.
Outcome outcome_of(Function f, Reference reference = each([](Real x) { return x * x; })) {
  return check({"faulty", {unary("", std::move(f), std::move(reference), interval(.5, 2))}});
}

/// x^2 by a given rule for its derivative.
template <class R>
Function square_with(R rule) {
  return [rule](const Tensors& inputs) {
    const Tensor x = inputs[0];
    return primitive(
        "faulty", {x}, [&] { return square(x.detach()).array(); }, [x, rule](const Tensor& g) { return rule(g, x); });
  };
}

}  // namespace

TEST_CASE("the table passes a right op") {
  CHECK(outcome_of(square_with([](const Tensor& g, const Tensor& x) { return g * (2 * x); })).ok());
}

TEST_CASE("the table catches wrong values") {
  CHECK_FALSE(outcome_of([](const Tensors& x) { return square(x[0]) * (1 + 1e-6); }).ok());
  CHECK_FALSE(outcome_of([](const Tensors& x) { return unsqueeze(square(x[0]), 0); }).ok());
  CHECK_FALSE(outcome_of([](const Tensors& x) { return square(x[0].to(f32)).to(x[0].dtype()); }).ok());
}

TEST_CASE("the table catches wrong derivatives of first and second order") {
  CHECK_FALSE(outcome_of(square_with([](const Tensor& g, const Tensor& x) { return g * (2.001 * x); })).ok());
  CHECK_FALSE(outcome_of(square_with([](const Tensor& g, const Tensor& x) { return g * (2 * x.detach()); })).ok());
  CHECK_FALSE(outcome_of(square_with([](const Tensor& g, const Tensor& x) { return g * (2 * x) + 1e-9; })).ok());
  CHECK_FALSE(outcome_of([](const Tensors& x) { return square(x[0].detach()); }).ok());
}

TEST_CASE("the table catches wrong special values, gradients and signs of zero") {
  const auto outcome_at = [](const Special& s) {
    return check({"square", {unary(square, each([](Real x) { return x * x; }), interval(.5, 2))}, {s}});
  };
  CHECK(outcome_at(at(3, 9, 6, 2)).ok());
  CHECK_FALSE(outcome_at(at(3, 9.0001, 6, 2)).ok());
  CHECK_FALSE(outcome_at(at(3, 9, 6.0001, 2)).ok());
  CHECK_FALSE(outcome_at(at(3, 9, 6, 2.0001)).ok());
  CHECK_FALSE(outcome_at(at(3, 9, op_table::nan)).ok());
  Special negative_zero = at(0, -0., 0);
  CHECK(outcome_at(negative_zero).ok());
  negative_zero.signed_zeros = true;
  CHECK_FALSE(outcome_at(negative_zero).ok());
}

TEST_CASE("the table catches a row with too few shapes") {
  Variant few = unary(square, each([](Real x) { return x * x; }), interval(.5, 2));
  few.shapes.resize(5);
  CHECK_FALSE(check({"square", {few}}).ok());
  CHECK_FALSE(check({"square", {}}).ok());
}
