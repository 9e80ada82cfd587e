#include <support.hpp>

using namespace xgrad;

TEST_CASE("operands that do not fit together") {
  const Tensor a = ones({2, 3});
  SAYS("add of shapes that do not broadcast", ShapeError, a + ones({4, 3}),
       "add: shapes do not broadcast: a is (2, 3), b is (4, 3); sizes must agree or be 1, counted from the last axis");
  SAYS("matmul of other inner sizes", ShapeError, matmul(a, ones({4, 5})),
       "matmul: inner dimensions differ: a is (2, 3), b is (4, 5)");
  SAYS("matmul of a single number", ShapeError, matmul(ones({}), ones({3})),
       "matmul: a 0-d operand: a is (), b is (3,); multiply by a single number with *");
  SAYS(
      "matmul of other batches", ShapeError, matmul(ones({2, 3, 4}), ones({5, 4, 3})),
      "matmul: batch axes do not broadcast: a is (2, 3, 4), b is (5, 4, 3); sizes before the last two must agree or be "
      "1");
  SAYS("f32 with f64", DtypeError, a * ones({2, 3}, {.dtype = f64}),
       "multiply: a is f32, b is f64; convert one with .to(...)");
  SAYS("sqrt of integers", DtypeError, sqrt(arange(0, 3, 1, {.dtype = i64})),
       "sqrt: not defined for i64; convert with .to(f32)");
  SAYS("a mask that is not boolean", DtypeError, where(a, a, a),
       "where: the mask is f32, not boolean; compare it, as in mask != 0");
}

TEST_CASE("ops of several operands name them as their callers do") {
  const Tensor x = ones({2, 3}), other = ones({2, 3}, f64), four = ones({4});
  const std::string remedy = "; convert one with .to(...)", apart = ": shapes do not broadcast: ",
                    axes = "; sizes must agree or be 1, counted from the last axis";
  SAYS("lerp to an end of another dtype", DtypeError, lerp(x, other, .5), "lerp: a is f32, b is f64" + remedy);
  SAYS("lerp by a weight of another dtype", DtypeError, lerp(x, 1, other), "lerp: a is f32, w is f64" + remedy);
  SAYS("lerp of numbers by integers", DtypeError, lerp(0., 1., ones({2}, i64)),
       "lerp: the number 0.5 is no i64; convert the tensor with .to(f64)");
  SAYS("lerp to an end of another shape", ShapeError, lerp(x, four, .5),
       "lerp" + apart + "a is (2, 3), b is (4,)" + axes);
  SAYS("lerp by a weight of another shape", ShapeError, lerp(0, x, four),
       "lerp" + apart + "b is (2, 3), w is (4,)" + axes);
  CHECK(lerp(0, 1, other).dtype() == f64);
  SAYS("lerp of nothing but numbers", ValueError, lerp(0, 1, .5),
       "lerp: all arguments are plain numbers; make one a tensor with tensor(...)");
  SAYS("a bound of another dtype", DtypeError, clamp(x, 0, other), "clamp: x is f32, high is f64" + remedy);
  SAYS("a bound of another shape", ShapeError, clamp(x, four, 1), "clamp" + apart + "x is (2, 3), low is (4,)" + axes);
  SAYS("an angle of two dtypes", DtypeError, atan2(x, other), "atan2: y is f32, x is f64" + remedy);
  SAYS("an angle of two shapes", ShapeError, atan2(four, x), "atan2" + apart + "y is (4,), x is (2, 3)" + axes);
  SAYS("slopes of another dtype", DtypeError, prelu(x, ones({3}, f64)), "prelu: x is f32, a is f64" + remedy);
  SAYS("slopes of another shape", ShapeError, prelu(x, ones({4, 3})),
       "prelu" + apart + "x is (2, 3), a is (4, 3)" + axes);
  SAYS("targets of another dtype", DtypeError, bce_with_logits(x, other),
       "bce_with_logits: z is f32, t is f64" + remedy);
  SAYS("distances of other batches", ShapeError, cdist(ones({2, 3, 4}), ones({3, 3, 4})),
       "cdist: batch axes do not broadcast: a is (2, 3, 4), b is (3, 3, 4); sizes before the last two must agree or "
       "be 1");
}

TEST_CASE("operators that assign") {
  Tensor a = ones({2, 3});
  const std::string apart =
      ": shapes do not broadcast: a is (2, 3), b is (4,); sizes must agree or be 1, counted from the last axis";
  SAYS("+=", ShapeError, a += ones({4}), "add" + apart);
  SAYS("-=", ShapeError, a -= ones({4}), "subtract" + apart);
  SAYS("*=", ShapeError, a *= ones({4}), "multiply" + apart);
  SAYS("/=", ShapeError, a /= ones({4}), "divide" + apart);
  Tensor none;
  SAYS("to an undefined tensor", ValueError, none += 1,
       "add: argument 0 is an undefined (default-built) tensor; give it a value first");
}

TEST_CASE("masks joined by operators") {
  const Tensor a = ones({2, 3}) > 0, b = ones({4}) > 0;
  const std::string apart =
      ": shapes do not broadcast: a is (2, 3), b is (4,); sizes must agree or be 1, counted from the last axis";
  SAYS("&&", ShapeError, a && b, "logical_and" + apart);
  SAYS("||", ShapeError, a || b, "logical_or" + apart);
}

TEST_CASE("reshape") {
  const Tensor six = ones({6});
  SAYS("reshape to another size", ShapeError, reshape(six, {4, 2}),
       "reshape: shape (4, 2) is invalid for an input of 6 elements, (6,)");
  SAYS("reshape with two -1", ShapeError, reshape(six, {-1, -1}),
       "reshape: only one size can be -1, and shape (-1, -1) has two");
  SAYS("reshape of nothing to -1", ShapeError, reshape(ones({0}), {0, -1}),
       "reshape: the -1 in shape (0, -1) can be any size for 0 elements; write the size");
  SAYS("reshape to a negative size", ShapeError, reshape(six, {-2, -3}), "reshape: negative size in shape (-2, -3)");
  SAYS("broadcast to another size", ShapeError, broadcast_to(ones({3}), {4}),
       "broadcast_to: shape (3,) does not broadcast to (4,); sizes must agree or be 1, counted from the last axis");
}

TEST_CASE("axes") {
  const Tensor a = ones({2, 3});
  SAYS("sum over a third axis", ShapeError, sum(a, {2}),
       "sum: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]");
  SAYS("sum over an axis twice", ShapeError, sum(a, {0, 0}),
       "sum: axis 0 of a tensor of shape (2, 3) appears more than once; give each axis once");
  SAYS("sum over an axis twice, once from the end", ShapeError, sum(a, {0, -2}),
       "sum: axis 0 of a tensor of shape (2, 3) appears more than once; give each axis once");
  SAYS("permute with an axis twice", ShapeError, permute(a, {0, 0}),
       "permute: axis 0 of a tensor of shape (2, 3) appears more than once; give each axis once");
  SAYS("sum of a single number over an axis", ShapeError, sum(ones({}), {0}),
       "sum: axis 0 of a 0-d tensor, which has no axes; reshape(x, {1}) gives it one");
  SAYS("softmax over a third axis", ShapeError, softmax(a, 2),
       "softmax: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]");
  CHECK(sum(a, {-1}).shape() == Shape{2});
}

TEST_CASE("sizes of new tensors") {
  constexpr std::int64_t many = std::int64_t{1} << 40;
  SAYS("a negative size", ShapeError, zeros({-1, 2}), "zeros: negative size in shape (-1, 2)");
  SAYS("more elements than can be counted", ShapeError, zeros({many, many}),
       "zeros: shape (1099511627776, 1099511627776) has more elements than can be counted");
  SAYS("more bytes than there are", Error, zeros({many * 64}),
       "zeros: out of memory: 281474976710720 bytes asked for; use smaller batches or a smaller model");
  CHECK(zeros({2}).size() == 2);  // and the program goes on
  SAYS("rows of unequal length", ShapeError, tensor({{1., 2.}, {3.}}),
       "tensor: rows of unequal shape: (2,) and (1,); every row needs as many numbers as the first");
  SAYS("a dtype that cannot hold the number", DtypeError, full({2}, 2.5, {.dtype = i64}),
       "full: the number 2.5 is no i64; pass {.dtype = f64}");
}

TEST_CASE("joining") {
  const Tensor a = ones({2, 3}), b = ones({2, 4});
  SAYS("concatenate of other sizes", ShapeError, concatenate({a, b}, 0),
       "concatenate: tensor 1 is (2, 4), tensor 0 is (2, 3); they must agree except along axis 0");
  SAYS("concatenate of nothing", ValueError, concatenate({}, 0),
       "concatenate: expected at least one tensor, got an empty list");
  SAYS("stack of unequal shapes", ShapeError, stack({a, b}),
       "stack: tensor 1 is (2, 4), tensor 0 is (2, 3); they must be equal");
  SAYS("split into unequal parts", ShapeError, split(a, 2, 1),
       "split: axis 1 of shape (2, 3) does not divide into 2 equal parts; cut it with slice");
}

TEST_CASE("more than eight axes") {
  const std::vector<std::int64_t> nine(9, 1);
  SAYS("of a shape", ShapeError, Shape{nine}, "Shape: more than 8 axes; merge some with reshape");
  SAYS("of a new tensor", ShapeError, zeros(nine), "Shape: more than 8 axes; merge some with reshape");
  SAYS(
      "one after another", ShapeError,
      {
        Shape shape(1, 2, 3, 4, 5, 6, 7, 8);
        shape.push_back(9);
      },
      "Shape: more than 8 axes; merge some with reshape");
  SAYS("of an op's result", ShapeError, reshape(ones({}), nine), "reshape: more than 8 axes; merge some with reshape");
}

TEST_CASE("indices") {
  const Tensor x = ones({3}), five = tensor({5.}).to(i64);
  SAYS("take past the end", ValueError, take(x, five),
       "take: index 5 at position 0 is out of range for axis 0 of size 3");
  SAYS("take of the fourth of three", ValueError, take(ones({3, 2}), tensor({0., 4.}).to(i64)),
       "take: index 4 at position 1 is out of range for axis 0 of size 3");
  SAYS("gather before the start", ValueError, gather(x, 0, tensor({-4.}).to(i64)),
       "gather: index -4 at position 0 is out of range for axis 0 of size 3");
  SAYS("take with indices that are no integers", DtypeError, take(x, tensor({1.})),
       "take: the indices are f32, not i64; convert them with .to(i64)");
  SAYS("a negative class", ValueError, one_hot(tensor({0., -1.}).to(i64), 3),
       "one_hot: class -1 at position 1 of 2 is out of range; expected one in [0, 3)");
  SAYS("a class too large", ValueError, one_hot(tensor({4.}).to(i64), 3),
       "one_hot: class 4 at position 0 of 1 is out of range; expected one in [0, 3)");
}

TEST_CASE("one number from several, and none from nothing") {
  const Tensor two = ones({2});
  SAYS("item of two", ShapeError, static_cast<void>(two.item<double>()),
       "item: a tensor of shape (2,) has 2 elements, not one; reduce or slice it first");
  const char* const truth =
      "bool: the truth of a tensor of shape (2,) is that of 2 elements; ask all(x) or any(x), or choose for each "
      "element by where, maximum or minimum";
  SAYS("the truth of a comparison of several", ShapeError, if (two > 0) return, truth);
  SAYS("the truth of several numbers that are not a number", ShapeError, static_cast<void>(isnan(two) ? 1 : 0), truth);
  // A conversion has no place to take its line from, unless it is of what was compared just before.
  CHECK_THROWS_WITH_AS(static_cast<void>(static_cast<bool>(two)), truth, ShapeError);
#ifndef _LIBCPP_VERSION  // whose std::max does not compile with tensors
  CHECK(thrown<ShapeError>([&] { static_cast<void>(std::max(two, two)); }).ends_with(text(": ", truth)));
#endif
  SAYS("max of nothing", ValueError, max(ones({0})),
       "max: no elements to choose from: the input is (0,); check its size first");
  SAYS("clamp with the bounds swapped", ValueError, clamp(two, 1, 0),
       "clamp: low is 1, high is 0; expected low <= high");
}

TEST_CASE("elements of another type") {
  SAYS("data", DtypeError, ones({2}).data<double>(), "data: the tensor is f32, not f64; convert it with .to(f64)");
}

TEST_CASE("an op of one's own that asks what it was given") {
  const auto shared = [](const Operand& x) { return x / x.size(); };
  SAYS("a number", ValueError, shared(2.),
       "Operand: the argument is a plain number; make it a tensor with tensor(...)");
  SAYS("an undefined tensor", ValueError, shared(Tensor()),
       "array: the tensor is undefined (default-built); give it a value first");
}

TEST_CASE("an undefined tensor") {
  const Tensor none, a = ones({2, 3});
  SAYS("added", ValueError, a + none, "add: argument 1 is an undefined (default-built) tensor; give it a value first");
  SAYS("exponentiated", ValueError, exp(none),
       "exp: argument 0 is an undefined (default-built) tensor; give it a value first");
  SAYS("multiplied", ValueError, matmul(a, none),
       "matmul: the tensor is undefined (default-built); give it a value first");
  SAYS("summed", ValueError, sum(none), "sum: the tensor is undefined (default-built); give it a value first");
  SAYS("reshaped", ValueError, reshape(none, {2}),
       "reshape: the tensor is undefined (default-built); give it a value first");
  SAYS("joined", ValueError, concatenate({a, none}),
       "concatenate: argument 1 is an undefined (default-built) tensor; give it a value first");
  SAYS("asked for its number", ValueError, static_cast<void>(none.item<double>()),
       "item: the tensor is undefined (default-built); give it a value first");
  SAYS("differentiated", ValueError, none.backward(),
       "backward: the tensor to differentiate is undefined (default-built)");
  SAYS("asked for its shape", ValueError, none.shape(),
       "shape: the tensor is undefined (default-built); give it a value first");
  SAYS("asked for its rank", ValueError, none.ndim(),
       "ndim: the tensor is undefined (default-built); give it a value first");
  SAYS("asked for its size", ValueError, none.size(),
       "size: the tensor is undefined (default-built); give it a value first");
  SAYS("asked for its dtype", ValueError, none.dtype(),
       "dtype: the tensor is undefined (default-built); give it a value first");
  SAYS("asked for its array", ValueError, none.array(),
       "array: the tensor is undefined (default-built); give it a value first");
  SAYS("asked for its elements", ValueError, none.data<float>(),
       "data: the tensor is undefined (default-built); give it a value first");
  SAYS("converted", ValueError, static_cast<void>(none.to(f64)),
       "to: the tensor is undefined (default-built); give it a value first");
  SAYS("chosen", ValueError, where(a > 0, a, none),
       "where: the tensor is undefined (default-built); give it a value first");
  SAYS("indexed", ValueError, take(none, none), "take: the tensor is undefined (default-built); give it a value first");
  SAYS("normalised", ValueError, softmax(none),
       "softmax: the tensor is undefined (default-built); give it a value first");
}

TEST_CASE("a convolution that cannot move says why") {
  const Tensor x = ones({1, 1, 5, 5}), w = ones({1, 1, 3, 3});
  SAYS("no stride", ValueError, conv(x, w, {}, {.stride = 0}), "conv: the stride is (0,); it must be at least 1");
  SAYS("a padding below 0", ValueError, conv(x, w, {}, {.padding = -1}),
       "conv: the padding is (-1,); it must be at least 0");
}
