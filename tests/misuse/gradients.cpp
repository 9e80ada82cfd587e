#include <autograd/primitive.hpp>
#include <optim/optim.hpp>
#include <support.hpp>

using namespace xgrad;

TEST_CASE("backward from what has no derivative") {
  const Tensor x = ones({3}, {.requires_grad = true}), c = ones({3});
  SAYS("backward of three numbers", GraphError, (x * 2).backward(),
       "backward: a cotangent is implicitly created only for scalar outputs, and this one is (3,); reduce it with sum "
       "or mean, or pass a cotangent");
  SAYS("backward of a constant", GraphError, sum(c).backward(),
       "backward: the tensor of shape () does not require a gradient and has no graph; mark a leaf with .requires_grad "
       "= true and compute outside NoGrad");
  SAYS("backward of what was computed under NoGrad", GraphError,
       ([&] {
         NoGrad off;
         return sum(x);
       }())
           .backward(),
       "backward: the tensor of shape () does not require a gradient and has no graph; mark a leaf with .requires_grad "
       "= true and compute outside NoGrad");
  SAYS("a cotangent of another shape", ShapeError, (x * 2).backward(ones({2})),
       "backward: the cotangent is (2,), the output is (3,); they must be equal");
  SAYS("a cotangent of another dtype", DtypeError, (x * 2).backward(ones({3}, {.dtype = f64})),
       "backward: the cotangent is f64, the output is f32; convert it with .to(...)");
  SAYS(
      "backward twice", GraphError,
      {
        const Tensor y = sum(exp(x));
        y.backward();
        y.backward();
      },
      "backward: second pass through the graph at sum, whose saved values are gone; pass {.retain_graph = true} to the "
      "first one, or compute the output again");
  CHECK(x.grad().shape() == Shape{3});
}

TEST_CASE("grad of what does not depend on it") {
  const Tensor x = ones({3}, {.requires_grad = true}), c = ones({3}), other = ones({2}, {.requires_grad = true});
  SAYS("an unused input", GraphError, static_cast<void>(grad(sum(x), {x, other})),
       "grad: the output does not depend on input 1 of shape (2,); pass {.allow_unused = true} if that is meant");
  SAYS("a constant input", GraphError, static_cast<void>(grad(sum(x * c), {x, c})),
       "grad: input 1 does not require a gradient; mark it with .requires_grad = true before computing");
  CHECK_FALSE(x.has_grad());
}

TEST_CASE("values that change under a graph") {
  Tensor w = ones({3}, {.requires_grad = true});
  SAYS("assign to a leaf outside NoGrad", GraphError, w.assign(zeros({3})),
       "assign: a leaf that requires a gradient can be overwritten under NoGrad only");
  SAYS(
      "assign of another shape", ShapeError,
      {
        const NoGrad guard;
        w.assign(zeros({2}));
      },
      "assign: the values are (2,), the tensor is (3,); they must be equal");
  Tensor y = w * 2;
  SAYS("assign to a result", GraphError, y.assign(zeros({3})),
       "assign: the result of multiply cannot be overwritten while its history is recorded; use detach()");
  SAYS("a result made a constant", GraphError, y.set_requires_grad(false),
       "set_requires_grad: this tensor is the result of multiply, and its history cannot be switched off; use detach() "
       "for a constant of the same values");
  SAYS("a gradient of another size", ShapeError, w.set_grad(zeros({2})),
       "set_grad: the gradient is (2,), the tensor is (3,); they must be equal");
}

TEST_CASE("an overwritten value is named with the op whose gradient needs it") {
  Tensor x = ones({3}, {.requires_grad = true});
  Tensor c = full({3}, 2.);
  const Tensor y = sum(x * c);
  c.assign(zeros({3}));
  const std::string told = thrown<GraphError>([&] { y.backward(); });
  // The numbers of the versions depend on what ran before.
  CHECK(has(told, "a value of shape (3,) that the gradient of multiply needs was overwritten after it was recorded"));
  CHECK(has(told, "call backward before assign or step, or record the op again"));
  CHECK_FALSE(x.has_grad());
}

TEST_CASE("dtypes without derivatives") {
  SAYS("integers that require a gradient", DtypeError, ones({2}, {.dtype = i64, .requires_grad = true}),
       "ones: a tensor of type i64 cannot require a gradient; use f32 or f64");
  SAYS("a mask that requires a gradient", DtypeError, (ones({2}) > 0).set_requires_grad(true),
       "set_requires_grad: a tensor of type boolean cannot require a gradient; use f32 or f64");
}

TEST_CASE("a rule of one's own that gives another shape") {
  const Tensor x = ones({3}, {.requires_grad = true});
  constexpr int line_of_op = __LINE__ + 2;
  const Tensor y = primitive(
      "wrong", {x}, [&] { return x.array().clone(); }, [](const Tensor&) { return ones({7}); });
  SAYS("a gradient of another shape", GraphError, (line = line_of_op, sum(y).backward()),
       "wrong: its vjp returned an invalid gradient for input 0: got f32 (7,), expected f32 (3,)");
}

TEST_CASE("a rule of one's own that throws: the exception comes out as it is, and the next pass is right") {
  const Tensor x = ones({3}, {.requires_grad = true});
  const Tensor y = primitive(
      "thrower", {x}, [&] { return x.array().clone(); },
      [](const Tensor&) -> Tensor { throw std::logic_error("mine"); });
  CHECK_THROWS_WITH_AS(sum(y).backward(), "mine", std::logic_error);
  CHECK_FALSE(x.has_grad());
  sum(x * 3).backward();
  CHECK(x.grad().data<float>()[2] == 3);
}

TEST_CASE("gradient checks of nothing") {
  const Tensor integers = arange(0, 3, 1, {.dtype = i64});
  SAYS("no floating input", ValueError, gradcheck([](const Tensor& v) { return v; }, {integers}),
       "gradcheck: none of the 1 inputs is of type f32 or f64, so there is no gradient to check; pass an f64 tensor");
}
