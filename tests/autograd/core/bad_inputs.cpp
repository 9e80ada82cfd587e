#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>
#include <limits>
#include <string>
#include <support.hpp>

using namespace xgrad;

namespace {

const Tensor wide = zeros({2, 3}), tall = zeros({4, 3}), three = zeros({3}), six = zeros({6});

#define REFUSED(E, expected, ...) SAYS("", E, (void)(__VA_ARGS__), expected)

}  // namespace

TEST_CASE("the line of a message is the line where the op was handed its argument") {
  int line = __LINE__ + 1;
  const std::string added = thrown<ShapeError>([] { (void)(wide + tall); });
  const std::string remedy = "; sizes must agree or be 1, counted from the last axis";
  CHECK(added == text(__FILE__, ":", line, ": add: shapes do not broadcast: a is (2, 3), b is (4, 3)", remedy));
  const auto model = [](const Tensor& x) {
    const Tensor h = exp(x);
    return h * three;
  };
  line = __LINE__ - 2;
  const std::string multiplied = thrown<ShapeError>([&] { (void)model(zeros({2})); });
  CHECK(multiplied == text(__FILE__, ":", line, ": multiply: shapes do not broadcast: a is (2,), b is (3,)", remedy));
}

// The comments give the row of the catalogue of bad inputs that a message answers.

TEST_CASE("shapes that do not fit are named") {
  REFUSED(
      ShapeError,  // 1
      "add: shapes do not broadcast: a is (2, 3), b is (4, 3); sizes must agree or be 1, counted from the last axis",
      wide + tall);
  REFUSED(ShapeError, "reshape: shape (4, 2) is invalid for an input of 6 elements, (6,)", reshape(six, {4, 2}));  // 5
  REFUSED(ShapeError, "reshape: only one size can be -1, and shape (-1, -1) has two", reshape(six, {-1, -1}));     // 6
  REFUSED(ShapeError, "reshape: the -1 in shape (0, -1) can be any size for 0 elements; write the size",
          reshape(zeros({0}), {0, -1}));  // 7
  REFUSED(ShapeError, "sum: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]",
          sum(wide, {2}));  // 8
  REFUSED(ShapeError, "sum: axis 0 of a tensor of shape (2, 3) appears more than once; give each axis once",
          sum(wide, {0, -2}));  // 9
  REFUSED(ShapeError, "permute: axis 0 of a tensor of shape (2, 3) appears more than once; give each axis once",
          permute(wide, {0, 0}));              // 10
  CHECK(sum(wide, {-1}).shape() == Shape{2});  // 11
  REFUSED(ShapeError,
          "broadcast_to: shape (3,) does not broadcast to (4,); sizes must agree or be 1, counted from the "
          "last axis",
          broadcast_to(three, {4}));  // 21
}

TEST_CASE("sizes that no array can have are refused") {
  REFUSED(ShapeError, "zeros: negative size in shape (-1, 2)", zeros({-1, 2}));  // 12
  const std::int64_t big = std::int64_t{1} << 40;
  REFUSED(ShapeError, "zeros: shape (1099511627776, 1099511627776) has more elements than can be counted",
          zeros({big, big}));  // 13
  REFUSED(Error, "zeros: out of memory: 281474976710720 bytes asked for; use smaller batches or a smaller model",
          zeros({big << 6}));  // 14
  CHECK(sum(ones({2})).item<float>() == 2);
  REFUSED(ShapeError, "tensor: rows of unequal shape: (2,) and (1,); every row needs as many numbers as the first",
          tensor({{1, 2}, {3}}));
  REFUSED(ShapeError, "from_values: 3 values for shape (2, 2), which holds 4", from_values<float>({1, 2, 3}, {2, 2}));
}

TEST_CASE("one number is asked of one element only") {
  REFUSED(ShapeError, "item: a tensor of shape (3,) has 3 elements, not one; reduce or slice it first",  // 22
          three.item<float>());
  REFUSED(ShapeError,  // 23
          "bool: the truth of a tensor of shape (3,) is that of 3 elements; ask all(x) or any(x), or choose for each "
          "element by where, maximum or minimum",
          bool(three > 0));
  CHECK(bool(tensor(1.) > 0));
}

TEST_CASE("dtypes that do not fit are named") {
  REFUSED(DtypeError, "add: a is f32, b is f64; convert one with .to(...)", three + zeros({3}, {.dtype = f64}));
  REFUSED(DtypeError, "multiply: the number 0.5 is no i64; convert the tensor with .to(f64)",
          zeros({2}, {.dtype = i64}) * 0.5);
  REFUSED(DtypeError, "zeros: a tensor of type i64 cannot require a gradient; use f32 or f64",  // 35
          zeros({2}, {.dtype = i64, .requires_grad = true}));
  Tensor labels = zeros({2}, {.dtype = i64});
  REFUSED(DtypeError, "set_requires_grad: a tensor of type i64 cannot require a gradient; use f32 or f64",
          labels.set_requires_grad(true));
}

TEST_CASE("backward names what is missing") {
  const Tensor x = leaf(ones({3}, f64));
  REFUSED(
      GraphError,  // 25
      "backward: a cotangent is implicitly created only for scalar outputs, and this one is (3,); reduce it with sum "
      "or mean, or pass a cotangent",
      (x * 2).backward());
  REFUSED(
      GraphError,  // 26
      "backward: the tensor of shape () does not require a gradient and has no graph; mark a leaf with .requires_grad "
      "= true and compute outside NoGrad",
      sum(three).backward());
  REFUSED(ShapeError, "backward: the cotangent is (2,), the output is (3,); they must be equal",  // 27
          (x * 2).backward(zeros({2}, {.dtype = f64})));
  REFUSED(DtypeError, "backward: the cotangent is f32, the output is f64; convert it with .to(...)",
          (x * 2).backward(zeros({3})));
  REFUSED(ValueError, "backward: 1 cotangents for 2 roots; give one each, or none",
          backward({sum(x), sum(x)}, {ones({}, {.dtype = f64})}));
}

TEST_CASE("grad names what is missing") {
  const Tensor x = leaf(ones({3}, f64)), unused = leaf(ones({2}, f64));
  REFUSED(GraphError,  // 28
          "grad: the output does not depend on input 1 of shape (2,); pass {.allow_unused = true} if that is meant",
          grad(sum(x), {x, unused}));
  REFUSED(GraphError,  // 29
          "grad: input 0 does not require a gradient; mark it with .requires_grad = true before computing",
          grad(sum(x), {three}));
  REFUSED(
      GraphError,
      "grad: the tensor of shape () does not require a gradient and has no graph; mark a leaf with .requires_grad = "
      "true and compute outside NoGrad",
      grad(sum(three), {x}));
}

TEST_CASE("a graph that is gone or stale is named") {
  Tensor x = leaf(ones({3}, f64));
  const Tensor used = sum(exp(x));
  used.backward();
  REFUSED(
      GraphError,  // 30
      "backward: second pass through the graph at sum, whose saved values are gone; pass {.retain_graph = true} to the "
      "first one, or compute the output again",
      used.backward());
  const Tensor stale = sum(sin(x));
  {
    const NoGrad guard;
    x.assign(zeros({3}, {.dtype = f64}));
  }
  const std::string said = thrown<GraphError>([&] { stale.backward(); });
  CHECK_MESSAGE(
      said.find("sin: a value of shape (3,) that the gradient of sin needs was overwritten after it was "  // 31
                "recorded (it is at version ") != std::string::npos,
      said);
  CHECK_MESSAGE(said.find("; call backward before assign or step, or record the op again") != std::string::npos, said);
}

TEST_CASE("leaves are guarded") {
  Tensor x = leaf(ones({3}, f64)), y = x * 2;
  const Tensor value = zeros({3}, {.dtype = f64});
  REFUSED(GraphError, "assign: a leaf that requires a gradient can be overwritten under NoGrad only",
          x.assign(value));  // 32
  REFUSED(GraphError,
          "assign: the result of multiply cannot be overwritten while its history is recorded; use detach()",
          y.assign(value));
  REFUSED(
      GraphError,
      "set_requires_grad: this tensor is the result of multiply, and its history cannot be switched off; use detach() "
      "for a constant of the same values",
      y.set_requires_grad(false));
  REFUSED(ShapeError, "set_grad: the gradient is (2,), the tensor is (3,); they must be equal",  // 36
          x.set_grad(zeros({2}, {.dtype = f64})));
  REFUSED(DtypeError, "set_grad: the gradient is f32, the tensor is f64; convert the gradient with .to(f64)",
          x.set_grad(zeros({3})));
  REFUSED(GraphError, "set_grad: only a leaf that requires a gradient has one", y.set_grad(value));
  const NoGrad guard;
  REFUSED(ShapeError, "assign: the values are (2,), the tensor is (3,); they must be equal",
          x.assign(zeros({2}, {.dtype = f64})));
  REFUSED(DtypeError, "assign: the values are f32, the tensor is f64; convert them with .to(...)", x.assign(three));
}

TEST_CASE("a user's rule that is wrong is named, with the line of the op") {
  const Tensor x = leaf(ones({3}, f64));
  const auto forward = [&] { return x.array().clone(); };
  const auto rule = [](const Tensor&) { return ones({7}, {.dtype = f64}); };
  const int line = __LINE__ + 1;
  const Tensor y = primitive("mine", {x}, forward, rule);
  const std::string told = thrown<GraphError>([&] { sum(y).backward(); });
  CHECK(told == text(__FILE__, ":", line,  // 33
                     ": mine: its vjp returned an invalid gradient for input 0: got f64 (7,), expected f64 (3,)"));
}

TEST_CASE("arguments outside their range are named") {
  REFUSED(ValueError, "clamp: low is 2, high is 1; expected low <= high", clamp(three, 2, 1));  // 37
  REFUSED(ValueError, "clamp: low is nan, high is 1; expected low <= high",
          clamp(three, std::numeric_limits<double>::quiet_NaN(), 1));
  REFUSED(ValueError, "bernoulli: the probability is 1.5; expected one in [0, 1]", bernoulli({2}, 1.5));
  REFUSED(ValueError, "arange: the step is 0; pass a positive or negative one", arange(0, 1, 0));
  REFUSED(ValueError, "linspace: negative count -1", linspace(0, 1, -1));
}

TEST_CASE("an undefined tensor is refused everywhere, without a crash") {  // 38
  const Tensor none;
  Tensor x = leaf(ones({3}, f64));
  REFUSED(ValueError, "add: argument 0 is an undefined (default-built) tensor; give it a value first", none + 1);
  REFUSED(ValueError, "add: argument 1 is an undefined (default-built) tensor; give it a value first", x + none);
  REFUSED(ValueError, "exp: argument 0 is an undefined (default-built) tensor; give it a value first", exp(none));
  const std::string undefined = "the tensor is undefined (default-built); give it a value first";
  REFUSED(ValueError, "sum: " + undefined, sum(none));
  REFUSED(ValueError, "reshape: " + undefined, reshape(none, {2}));
  REFUSED(ValueError, "where: argument 0 is an undefined (default-built) tensor; give it a value first",
          where(none, x, x));
  REFUSED(ValueError, "item: " + undefined, none.item<double>());
  REFUSED(ValueError, "to: " + undefined, none.to(f64));
  REFUSED(ValueError, "assign: " + undefined, Tensor(three).assign(none));
  REFUSED(ValueError, "set_requires_grad: " + undefined, Tensor().set_requires_grad(true));
  REFUSED(ValueError, "clone: argument 0 is an undefined (default-built) tensor; give it a value first", none.clone());
  REFUSED(ValueError, "backward: the tensor to differentiate is undefined (default-built)", none.backward());
  REFUSED(ValueError, "grad: the tensor to differentiate is undefined (default-built)", grad(none, {x}));
  REFUSED(GraphError, "grad: input 0 does not require a gradient; mark it with .requires_grad = true before computing",
          grad(sum(x), {none}));
  CHECK_THROWS_AS((void)none.shape(), ValueError);
  CHECK_THROWS_AS((void)none.data<float>(), ValueError);
  CHECK_THROWS_AS((void)none.dtype(), ValueError);
  CHECK(!none.requires_grad());
  CHECK(!none.grad().defined());
  CHECK(!none.detach().defined());
  CHECK(!none.defined());
  Tensor(none).zero_grad();
  CHECK(none.is_leaf());
}
