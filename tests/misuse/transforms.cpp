#include <autograd/hooks.hpp>
#include <nn/nn.hpp>
#include <support.hpp>

using namespace xgrad;

namespace {

Tensor squares(const Tensor& x) { return square(x); }
Tensor total(const Tensor& x) { return sum(square(x)); }
Tensor product(const Tensor& a, const Tensor& b) { return sum(a * b); }

}  // namespace

TEST_CASE("transforms of functions of other arity") {
  const Tensor x = ones({3});
  SAYS("too many inputs", ValueError, value_and_grad(total, {x, x}),
       "value_and_grad: f does not take 2 tensors, it takes 1; give as many inputs, or let f take a const "
       "std::vector<Tensor>&");
  SAYS("too few inputs", ValueError, jacobian(product, x),
       "jacobian: f does not take 1 tensor, it takes 2; give as many inputs, or let f take a const "
       "std::vector<Tensor>&");
  SAYS("no inputs", ValueError, vjp(total, std::vector<Tensor>{}),
       "vjp: no inputs are given, and a derivative is taken by something");
}

TEST_CASE("gradients of what is no number") {
  const Tensor x = ones({3});
  SAYS("value_and_grad of a vector", GraphError, value_and_grad(squares, x),
       "value_and_grad: f returned a tensor of shape (3,), and only one number has a gradient; reduce it with sum or "
       "mean, or take the jacobian");
  SAYS("hessian of a vector", GraphError, hessian(squares, x),
       "hessian: f returned a tensor of shape (3,), and only one number has a gradient; reduce it with sum or mean, or "
       "take the jacobian");
  SAYS(
      "hvp of a vector", GraphError, hvp(squares, x, x),
      "hvp: f returned a tensor of shape (3,), and only one number has a gradient; reduce it with sum or mean, or take "
      "the jacobian");
}

TEST_CASE("inputs and outputs without derivatives") {
  const Tensor x = ones({3}), integers = arange(0, 3, 1, {.dtype = i64});
  SAYS("an integer input", DtypeError, jacobian(product, {x, integers}),
       "jacobian: input 1 is i64 and has no derivative; f32 or f64 is needed, and f may refer to anything else");
  SAYS("an undefined input", ValueError, hvp(total, Tensor(), x), "hvp: input 0 is undefined (default-built)");
  SAYS("a boolean output", DtypeError, vjp([](const Tensor& t) { return t > 0; }, x),
       "vjp: output 0 is boolean and has no derivative; f32 or f64 is needed, and f may refer to anything else");
  SAYS("an undefined output", ValueError, jvp([](const Tensor&) { return Tensor(); }, x, x),
       "jvp: output 0 is undefined (default-built)");
}

TEST_CASE("tangents and cotangents that do not fit") {
  const Tensor x = ones({3}), two = ones({2}), wide = ones({3}, {.dtype = f64});
  SAYS("a tangent of another shape", ShapeError, jvp(total, x, two),
       "jvp: tangent 0 is (2,), input 0 is (3,); they must be equal");
  SAYS("a tangent of another dtype", DtypeError, hvp(total, x, wide),
       "hvp: tangent 0 is f64, input 0 is f32; convert it with .to(...)");
  SAYS("a tangent for one of two inputs", ValueError, jvp(product, {x, x}, {x}),
       "jvp: 1 tangents for 2 inputs; give one each");
  SAYS("an undefined tangent", ValueError, hvp(total, x, Tensor()), "hvp: tangent 0 is undefined (default-built)");
  const auto pullback = vjp(squares, x).pullback;
  SAYS("a cotangent of another shape", ShapeError, pullback(two),
       "pullback: cotangent 0 is (2,), output 0 is (3,); they must be equal");
  SAYS("a cotangent of another dtype", DtypeError, pullback(wide),
       "pullback: cotangent 0 is f64, output 0 is f32; convert it with .to(...)");
}

TEST_CASE("errors in f name f's own line") {
  constexpr int line_of_f = __LINE__ + 1;
  const auto f = [](const Tensor& x) { return sum(x + ones({2})); };
  SAYS("shapes that do not broadcast", ShapeError, (line = line_of_f, value_and_grad(f, ones({3}))),
       "add: shapes do not broadcast: a is (3,), b is (2,); sizes must agree or be 1, counted from the last axis");
}

TEST_CASE("a layer or an op as f names the line where it is handed over") {
  const Tensor x = ones({2, 5}, {.requires_grad = true}), v = ones({2, 5}), three = ones({3});
  nn::Dense layer{3, 4};
  const std::string inner =
      "in Dense 3 -> 4: dense: inner dimensions differ: x is (2, 5), w is (3, 4), b is (4,); x needs 3 features";
  SAYS("vjp", ShapeError, vjp(layer, x), inner);
  SAYS("jvp", ShapeError, jvp(layer, x, v), inner);
  SAYS("value_and_grad", ShapeError, value_and_grad(layer, x), inner);
  SAYS("jacobian", ShapeError, jacobian(layer, x), inner);
  SAYS("hessian", ShapeError, hessian(layer, x), inner);
  SAYS("hvp", ShapeError, hvp(layer, x, v), inner);
  SAYS("checkpoint", ShapeError, checkpoint(layer, x), inner);
  SAYS(
      "checkpoint without gradients", ShapeError,
      {
        const NoGrad off;
        checkpoint(layer, x);
      },
      inner);
  SAYS("gradcheck", ShapeError, gradcheck(layer, {x}), inner);
  SAYS("capture", ShapeError, capture(layer)(x), inner);
  SAYS("by reference", ShapeError, vjp(std::ref(layer), x), inner);
  SAYS(
      "a hook", ShapeError,
      {
        const Tensor y = x * 2;
        y.register_hook(layer);
        sum(y).backward();
      },
      inner);
  const std::string apart =
      "add: shapes do not broadcast: a is (2, 5), b is (3,); sizes must agree or be 1, counted from the last axis";
  Tensor (&sum_of_two)(const Operand&, const Operand&) = operator+;
  SAYS("an op", ShapeError, vjp(sum_of_two, {x, three}), apart);
  SAYS("a pointer to an op", ShapeError, capture(&sum_of_two)(x, three), apart);
  SAYS("an op that takes both an operand and a tensor", ShapeError,
       vjp([](const Operand& a, const Tensor& b) { return a + b; }, {x, three}), apart);
}

TEST_CASE("an error in a pullback that is itself transformed names the line of the transform") {
  const auto pullback = vjp(squares, ones({3})).pullback;
  SAYS("a cotangent of another shape", ShapeError, jvp(pullback, ones({2}), ones({2})),
       "pullback: cotangent 0 is (2,), output 0 is (3,); they must be equal");
}
