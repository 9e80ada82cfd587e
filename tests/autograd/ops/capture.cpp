#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/ops/table/row.hpp>
#include <support.hpp>

// Every op gives in a captured step what it gives in an eager one.
using namespace xgrad;
using namespace xgrad::op_table;

namespace {

/// Numbers for a variant's inputs of these shapes, those that are floating as `dtype`.
Tensors draw(const Variant& variant, const std::vector<Shape>& shapes, Dtype dtype, std::mt19937_64& random) {
  Tensors inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Domain& domain = variant.domains[i];
    const Tensor drawn = from_values(domain.draw(random, shapes[i]), shapes[i]);
    inputs.push_back(drawn.to(is_floating(domain.dtype) ? dtype : domain.dtype).clone());
  }
  return inputs;
}

/// The op's value and the gradients of its inputs along a cotangent that depends on the value's shape only.
Tensors forward_and_backward(const Variant& variant, const Tensors& inputs) {
  Tensors leaves, results;
  for (const Tensor& t : inputs)
    if (is_floating(t.dtype())) leaves.push_back(t);
  const Tensor y = variant.f(inputs);
  results.push_back(y);
  if (!y.requires_grad()) return results;
  const Tensor cotangent =
      reshape(linspace(.5, 1.5, y.size(), {.dtype = y.dtype()}), {y.shape().begin(), y.shape().end()});
  for (Tensor& g : grad(y, leaves, cotangent, {.zeros_if_unused = true})) results.push_back(std::move(g));
  return results;
}

void check_same(const Tensors& got, const Tensors& want, const std::string& where) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK_MESSAGE(same_bits(got[i], want[i]), where, ", result ", i);
}

long checked = 0;

/// Whether the shape of the op's result depends on its inputs' numbers, so that it cannot be captured.
bool is_shaped_by_numbers(const Row& row) { return row.op == "nonzero" || row.op == "masked_select"; }

void check(const Row& row, const Variant& variant, const std::vector<Shape>& shapes, Dtype dtype) {
  std::mt19937_64 random(7);
  std::string where = text(row.op, " [", variant.label, "] ", name_of(dtype));
  for (const Shape& shape : shapes) where += text(" ", shape);
  const Tensors first = draw(variant, shapes, dtype, random), second = draw(variant, shapes, dtype, random);
  const auto eager = [&](const Tensors& numbers) {
    Tensors leaves;
    for (const Tensor& t : numbers) leaves.push_back(t.clone().set_requires_grad(is_floating(t.dtype())));
    return forward_and_backward(variant, leaves);
  };
  const Tensors want_first = eager(first), want_second = eager(second);

  Tensors inputs;
  for (const Tensor& t : first) inputs.push_back(t.clone().set_requires_grad(is_floating(t.dtype())));
  const auto set = [&](const Tensors& numbers) {
    const NoGrad guard;
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].assign(numbers[i]);
  };
  auto step = capture([&] { return forward_and_backward(variant, inputs); });
  check_same(step(), want_first, where + " recorded");
  for (const bool again : {true, false, true}) {
    set(again ? second : first);
    check_same(step(), again ? want_second : want_first, where + " replayed");
  }
  CHECK_MESSAGE(step.recordings() == 1, where);
  ++checked;
}

void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    if (is_shaped_by_numbers(row)) continue;
    for (const Variant& variant : row.variants)
      for (const std::vector<Shape>& shapes : variant.shapes)
        for (const Dtype dtype : {f32, f64}) {
          try {
            check(row, variant, shapes, dtype);
          } catch (const std::exception& e) {
            FAIL_CHECK(row.op << " [" << variant.label << "] " << shapes[0].str() << ": " << e.what());
          }
        }
  }
}

}  // namespace

TEST_CASE("an op whose result's shape depends on numbers is not captured, and says so") {
  long refused = 0;
  for (const Row& row : all_rows()) {
    if (!is_shaped_by_numbers(row)) continue;
    const Variant& variant = row.variants[0];
    std::mt19937_64 random(7);
    const Tensors inputs = draw(variant, variant.shapes[0], f32, random);
    auto step = capture([&] { return variant.f(inputs); });
    CHECK_THROWS_WITH_AS(step(), doctest::Contains((row.op + ": capture: this is computed outside of xgrad's").c_str()),
                         GraphError);
    ++refused;
  }
  CHECK(refused == 2);
}

TEST_CASE("every op, forward and backward, replays to the bits that it computes") {
  check_rows(all_rows());
  CHECK(checked > 1000);
}
