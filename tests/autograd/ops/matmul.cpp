#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/memory.hpp>
#include <autograd/node.hpp>
#include <set>
#include <string>
#include <support.hpp>

// Matrix products beyond what the table checks.
using namespace xgrad;

namespace {

/// The names of all ops that t was made with.
std::set<std::string> ops_of(const Tensor& t) {
  std::set<std::string> names;
  std::vector<Node*> open{t.node().get()};
  while (!open.empty()) {
    Node* const n = open.back();
    open.pop_back();
    names.insert(n->name);
    for (std::uint32_t i = 0; i < n->edge_count; ++i) open.push_back(n->edges()[i].input.get());
  }
  return names;
}

}  // namespace

TEST_CASE("large products of f32 agree with f64, whatever is transposed, and so do their gradients") {
  manual_seed(3);
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const Tensor a = randn(ta ? Shape{150, 70} : Shape{70, 150}), b = randn(tb ? Shape{90, 150} : Shape{150, 90});
      std::vector<Tensor> results[2];
      for (const Dtype dtype : {f32, f64}) {
        const Tensor x = a.to(dtype).set_requires_grad(true), w = b.to(dtype).set_requires_grad(true);
        const Tensor y = matmul(x, w, {.transpose_a = ta, .transpose_b = tb});
        std::vector<Tensor>& r = results[dtype == f64];
        r = grad(sum(square(y)), {x, w});
        r.push_back(y.detach());
      }
      CHECK(results[0][2].shape() == Shape{70, 90});
      CHECK(difference(results[0][2].to(f64), results[1][2]) < 1e-4);
      CHECK(difference(results[0][0].to(f64), results[1][0]) < 5e-3);
      CHECK(difference(results[0][1].to(f64), results[1][1]) < 5e-3);
    }
  }
}

TEST_CASE("a batch against one matrix is the product of each") {
  manual_seed(4);
  const Tensor x = randn({3, 2, 4}, {.dtype = f64}), w = randn({4, 5}, {.dtype = f64});
  const Tensor all = matmul(x, w), explicitly = matmul(x, broadcast_to(w, {3, 4, 5}));
  CHECK(difference(all, explicitly) < 1e-14);
}

TEST_CASE("derivatives of products neither transpose nor sum a broadcast product") {
  const Tensor x = ones({3, 4, 2}, {.requires_grad = true}), y = ones({5, 1, 2, 4}, {.requires_grad = true});
  std::vector<Tensor> g = grad(sum(matmul(x, y)), {x, y}, {.create_graph = true});
  for (const Tensor& t : g) CHECK(ops_of(t) == std::set<std::string>{"gradient", "leaf", "matmul"});
  for (const Tensor& t : grad(sum(square(g[0])) + sum(square(g[1])), {x, y}, {.create_graph = true}))
    CHECK_FALSE(ops_of(t).contains("permute"));
}

TEST_CASE("dense is one node, which has no way to a constant input") {
  const Tensor x = ones({6, 3}), w = ones({3, 2}, {.requires_grad = true}), b = ones({2}, {.requires_grad = true});
  const std::int64_t before = memory::statistics().live_nodes;
  const Tensor y = dense(x, w, b);
  CHECK(memory::statistics().live_nodes == before + 1);
  CHECK(y.node()->edge_count == 2);
  y.backward(ones({6, 2}));
  CHECK(w.grad().str() == full({3, 2}, 6).str());
  CHECK(b.grad().str() == full({2}, 6).str());
}

TEST_CASE("operands that do not fit are named with their shapes") {
  const Tensor a = zeros({2, 3}), b = zeros({4, 5}), v = zeros({3}), scalar = zeros({}),
               wide = zeros({3, 2}, {.dtype = f64}), whole = zeros({3, 3}, {.dtype = i64});
  CHECK(message_of<ShapeError>([&] { matmul(a, b); }) == "matmul: inner dimensions differ: a is (2, 3), b is (4, 5)");
  CHECK(message_of<ShapeError>([&] { matmul(a, a, {.transpose_a = true, .transpose_b = true}); }) ==
        "matmul: inner dimensions differ: a is (2, 3) transposed, b is (2, 3) transposed");
  CHECK(message_of<ShapeError>([&] { matmul(v, b); }) == "matmul: inner dimensions differ: a is (3,), b is (4, 5)");
  CHECK(message_of<ShapeError>([&] { matmul(b, v); }) == "matmul: inner dimensions differ: a is (4, 5), b is (3,)");
  CHECK(message_of<ShapeError>([&] { matmul(scalar, v); }) ==
        "matmul: a 0-d operand: a is (), b is (3,); multiply by a single number with *");
  CHECK(
      message_of<ShapeError>([&] {
        matmul(zeros({2, 2, 3}), zeros({3, 3, 2}));
      }) ==
      "matmul: batch axes do not broadcast: a is (2, 2, 3), b is (3, 3, 2); sizes before the last two must agree or be "
      "1");
  CHECK(message_of<DtypeError>([&] { matmul(a, wide); }) == "matmul: a is f32, b is f64; convert one with .to(...)");
  CHECK(message_of<DtypeError>([&] { matmul(whole == 0, whole == 0); }) ==
        "matmul: not defined for boolean; convert with .to(f32)");
  CHECK(message_of<ValueError>([&] { matmul(a, 2); }) ==
        "matmul: an argument is a plain number; multiply by it with *");
  CHECK(message_of<ShapeError>([&] { dot(v, zeros({2})); }) ==
        "dot: needs two vectors of one length, and a is (3,), b is (2,); use matmul otherwise");
  CHECK(message_of<ShapeError>([&] { outer(a, v); }) ==
        "outer: needs two vectors, and a is (2, 3), b is (3,); flatten them first");
  CHECK(message_of<ValueError>([&] { matmul(Tensor(), a); }).starts_with("matmul: "));
}

TEST_CASE("a dense layer that does not fit names all its shapes") {
  const Tensor x = zeros({2, 5}), w = zeros({3, 4}), b = zeros({4});
  CHECK(message_of<ShapeError>([&] { dense(x, w, b); }) ==
        "dense: inner dimensions differ: x is (2, 5), w is (3, 4), b is (4,); x needs 3 features");
  CHECK(message_of<ShapeError>([&] { dense(x, w); }) ==
        "dense: inner dimensions differ: x is (2, 5), w is (3, 4); x needs 3 features");
  CHECK(message_of<ShapeError>([&] {
          dense(zeros({2, 3}), w, zeros({3}));
        }) == "dense: the bias does not fit: x is (2, 3), w is (3, 4), b is (3,); b needs shape (4,)");
  CHECK(message_of<ShapeError>([&] { dense(zeros({}), w, b); }) ==
        "dense: needs x (..., in), w (in, out) and b (out): x is (), w is (3, 4), b is (4,)");
  CHECK(message_of<DtypeError>([&] {
          dense(zeros({2, 3}), w, zeros({4}, {.dtype = f64}));
        }) == "dense: x is f32, w is f32, b is f64; convert with .to(...)");
}

TEST_CASE("einsum hands transposes to the product as flags, and multiplies where nothing is summed") {
  const Tensor a = ones({2, 3}, {.requires_grad = true}), b = ones({4, 3}), c = ones({3, 4});
  CHECK(ops_of(einsum("ij,kj->ik", {a, b})).count("permute") == 0);
  CHECK(ops_of(einsum("ij,jk", {a, c})) == std::set<std::string>{"leaf", "matmul"});
  CHECK(ops_of(einsum("ij,ij->ij", {a, a})) == std::set<std::string>{"leaf", "multiply"});
}

TEST_CASE("einsum of integers multiplies and sums them") {
  const Tensor a = tensor({{1, 2}, {3, 4}}, {.dtype = i64});
  CHECK(einsum("ii->", {a}).item<int>() == 5);
  CHECK(einsum("ij,ij->", {a, a}).item<int>() == 30);
  CHECK(to_vector<int>(einsum("ij,jk->ik", {a, a})) == std::vector<int>{7, 10, 15, 22});
}

TEST_CASE("products of integers are exact and wrap around") {
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  const Tensor a = from_values<std::int64_t>({large, 2, -3, 4}, {2, 2}), b = tensor({{1, 0}, {3, 1}}, i64);
  CHECK(to_vector<std::int64_t>(matmul(a, b)) == std::vector<std::int64_t>{large + 6, 2, 9, 4});
  const Tensor most = full({1, 2}, std::numeric_limits<std::int64_t>::max(), i64);
  CHECK(matmul(most, transpose(most)).item<std::int64_t>() == 2);
  CHECK(matmul(full({300, 400}, 2, i64), full({400, 500}, 3, i64)).at(299, 499).item<int>() == 2400);
}

TEST_CASE("einsum says which letter of which operand does not fit") {
  const Tensor a = zeros({2, 3}), b = zeros({4, 5}), square = zeros({2, 2});
  const auto shapes = [](std::string_view formula, const std::vector<Tensor>& x) {
    return message_of<ShapeError>([&] { einsum(formula, x); });
  };
  const auto formulas = [](std::string_view formula, const std::vector<Tensor>& x) {
    return message_of<ValueError>([&] { einsum(formula, x); });
  };
  CHECK(shapes("ij,jk->ik", {a, b}) ==
        "einsum: letter j is 3 in operand 0 (\"ij\") of shape (2, 3) and 4 in operand 1 (\"jk\") of shape (4, 5); they "
        "must be equal");
  CHECK(shapes("ii->i", {a}) ==
        "einsum: letter i is 2 in operand 0 (\"ii\") of shape (2, 3) and 3 in operand 0 (\"ii\") of shape (2, 3); they "
        "must be equal");
  CHECK(shapes("...,...", {a, b}) ==
        "einsum: axis -2 of \"...\" is 2 in operand 0 (\"...\") of shape (2, 3) and 4 in operand 1 (\"...\") of shape "
        "(4, 5); they must be equal");
  CHECK(shapes("ij,i->ij", {a, b}) ==
        "einsum: operand 1 (\"i\") names 1 axis, and the tensor is (4, 5); name each axis, or write \"...\" for those "
        "that broadcast");
  CHECK(shapes("ijk...", {a}) ==
        "einsum: operand 0 (\"ijk...\") names 3 axes, and the tensor is (2, 3); name each axis, or write \"...\" for "
        "those that broadcast");
  CHECK(formulas("ij,jk->ik", {a}) ==
        "einsum: \"ij,jk->ik\" names 2 operands, and there are 1; write one list of letters for each");
  CHECK(formulas("ij->ik", {a}) == "einsum: the result's letter k is in no operand; name axes of \"ij\"");
  CHECK(formulas("ij->ii", {a}) == "einsum: the result names i twice; take the diagonal of an operand instead");
  CHECK(formulas("i1->i", {a}) == "einsum: \"i1\" holds '1'; write letters, and \"...\" at most once");
  CHECK(formulas("ij->i->j", {a}) == "einsum: \"i->j\" holds '-'; write letters, and \"...\" at most once");
  CHECK(formulas("...i->i", {a}) ==
        "einsum: the operands have axes under \"...\" and the result has none; write \"...\" there too");
  CHECK(formulas("ij,ij->", {a, Tensor()}) ==
        "einsum: operand 1 is an undefined (default-built) tensor; give it a value first");
  CHECK(message_of<DtypeError>([&] {
          einsum("ij,ij->", {a, a.to(f64)});
        }) == "einsum: operand 0 is f32, operand 1 is f64; convert one with .to(...)");
}
