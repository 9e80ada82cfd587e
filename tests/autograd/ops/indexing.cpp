#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <support.hpp>

// Indexing beyond what the table checks.
using namespace xgrad;

namespace {

Tensor counted(const Shape& shape) {
  return reshape(arange(0, shape.size(), 1, {.dtype = f64}), {shape.begin(), shape.end()});
}

}  // namespace

TEST_CASE("a slice of leading rows shares storage, and every other one copies") {
  const Tensor x = counted({4, 3});
  const Tensor rows = slice(x, 0, 1, 3);
  CHECK(rows.data<double>() == x.data<double>() + 3);
  CHECK(slice(x, 0, -1, INT64_MAX).data<double>() == x.data<double>() + 9);
  CHECK(slice(unsqueeze(x, 0), 1, 2, 4).data<double>() == x.data<double>() + 6);
  CHECK(slice(x, 1, 0, 2).array().storage() != x.array().storage());
  CHECK(slice(x, 0, 0, 4, 2).array().storage() != x.array().storage());
  CHECK(slice(x, 0, 3, 3).shape() == Shape{0, 3});
}

TEST_CASE("an assignment to a tensor is seen through a slice that shares its storage") {
  const Tensor x = tensor({1., 2.}, {.dtype = f64, .requires_grad = true});
  Tensor whole = counted({3});
  const Tensor y = sum(x * slice(whole, 0, 1, 3));
  whole.assign(zeros({3}, {.dtype = f64}));
  CHECK_THROWS_AS(y.backward(), GraphError);
}

TEST_CASE("slice reads bounds and steps as NumPy does") {
  const Tensor x = arange(0, 5);
  CHECK(slice(x, 0, -3, -1).str() == "[2. 3.]");
  CHECK(slice(x, 0, -100, 100).str() == "[0. 1. 2. 3. 4.]");
  CHECK(slice(x, 0, 4, 1).str() == "[]");
  CHECK(slice(x, 0, 4, 1, -2).str() == "[4. 2.]");
  CHECK(slice(x, 0, 100, INT64_MIN, -3).str() == "[4. 1.]");
  CHECK(slice(x, 0, INT64_MAX, INT64_MIN, INT64_MIN).str() == "[4.]");
  CHECK(slice(x, 0, INT64_MIN, INT64_MAX, INT64_MAX).str() == "[0.]");
  CHECK(slice(x, 0, 0, INT64_MIN, -1).str() == "[0.]");
  CHECK(slice(zeros({0}), 0, INT64_MAX, INT64_MIN, -1).str() == "[]");
}

TEST_CASE("repeated indices add their gradients, and unpicked elements get exact zeros") {
  Tensor x = tensor({1., 2., 3.}, {.dtype = f64, .requires_grad = true});
  sum(take(x, tensor({0, 2, 0, -1, 0}, i64))).backward();
  CHECK(x.grad().str() == "[3. 0. 2.]");
  x.zero_grad();
  sum(gather(x, 0, tensor({1, 1, -2}, i64))).backward();
  CHECK(x.grad().str() == "[0. 3. 0.]");
}

TEST_CASE("sums of f32 at repeated indices keep what sum keeps") {
  constexpr std::int64_t n = 2'000'000;
  const Tensor tenth = full({n}, 0.1f), same = zeros({n}, {.dtype = i64});
  const auto right = doctest::Approx(2e5).epsilon(1e-7);
  CHECK(index_add(zeros({1}), 0, same, tenth).item<double>() == right);
  CHECK(index_add(zeros({2, 1, 1}), 1, same, broadcast_to(unsqueeze(tenth, 1), {2, n, 1})).data<float>()[1] == right);
  const Tensor x = zeros({1}, {.requires_grad = true});
  CHECK(grad(sum(take(x, same) * tenth), {x})[0].item<double>() == right);
  CHECK(grad(sum(gather(broadcast_to(x, {n}), 0, same) * tenth), {x})[0].item<double>() == right);
}

TEST_CASE("index_add adds repeated indices and keeps its input as it was") {
  const Tensor x = ones({3, 2});
  const Tensor y = index_add(x, 0, tensor({0, 0, -1}, i64), tensor({{1, 2}, {3, 4}, {5, 6}}));
  CHECK(y.str() == "[[5. 7.]\n [1. 1.]\n [6. 7.]]");
  CHECK(x.str() == "[[1. 1.]\n [1. 1.]\n [1. 1.]]");
}

TEST_CASE("ops that move elements take every dtype") {
  const Tensor whole = tensor({1, 2, 3}, i64), mask = tensor({1, 0, 1}, {.dtype = boolean});
  CHECK(concatenate({whole, whole}).str() == "[1 2 3 1 2 3]");
  CHECK(stack({mask, mask}).str() == "[[ True False  True]\n [ True False  True]]");
  CHECK(flip(mask, {0}).str() == "[ True False  True]");
  CHECK(pad(whole, {{1, 1}}, 7).str() == "[7 1 2 3 7]");
  CHECK(pad(mask, {{0, 1}}).str() == "[ True False  True False]");
  CHECK(tile(whole, {2}).str() == "[1 2 3 1 2 3]");
  CHECK(take(whole, tensor({{2, 0}}, i64)).str() == "[[3 1]]");
  CHECK(gather(mask, 0, tensor({1, 0}, i64)).str() == "[False  True]");
  CHECK(index_add(whole, 0, tensor({1}, i64), tensor({10}, i64)).str() == "[ 1 12  3]");
  CHECK(one_hot(whole, 4).str() == "[[0. 1. 0. 0.]\n [0. 0. 1. 0.]\n [0. 0. 0. 1.]]");
  CHECK(split(whole, 3)[1].str() == "[2]");
}

TEST_CASE("indices outside an axis are named with their position and the axis") {
  const Tensor x = zeros({3, 2});
  CHECK(message_of<ValueError>([&] {
          take(x, tensor({0, 4}, i64));
        }) == "take: index 4 at position 1 is out of range for axis 0 of size 3");
  CHECK(message_of<ValueError>([&] {
          take(x, tensor({{0, 1}, {0, -3}}, i64), -1);
        }) == "take: index -3 at position (1, 1) is out of range for axis 1 of size 2");
  CHECK(message_of<ValueError>([&] {
          gather(x, 0, tensor({{0, 3}}, i64));
        }) == "gather: index 3 at position (0, 1) is out of range for axis 0 of size 3");
  CHECK(message_of<ValueError>([&] {
          index_add(x, 0, tensor({-4}, i64), zeros({1, 2}));
        }) == "index_add: index -4 at position 0 is out of range for axis 0 of size 3");
  CHECK(message_of<ValueError>([&] { take(zeros({0}), tensor(0, i64)); }) ==
        "take: index 0 at position 0 is out of range for axis 0 of size 0");
  CHECK(message_of<ValueError>([] {
          one_hot(tensor({0, 1, 4}, i64), 3);
        }) == "one_hot: class 4 at position 2 of 3 is out of range; expected one in [0, 3)");
  CHECK(message_of<ValueError>([] { one_hot(tensor({-1}, i64), 3); }) ==
        "one_hot: class -1 at position 0 of 1 is out of range; expected one in [0, 3)");
  CHECK(message_of<DtypeError>([&] {
          take(x, tensor({0., 1.}));
        }) == "take: the indices are f32, not i64; convert them with .to(i64)");
  CHECK(message_of<DtypeError>([] {
          one_hot(tensor({0., 1.}), 3);
        }) == "one_hot: the classes are f32, not i64; convert them with .to(i64)");
}

TEST_CASE("shapes that do not fit an index are named") {
  const Tensor x = zeros({3, 2});
  CHECK(message_of<ShapeError>([&] {
          gather(x, 0, tensor({1, 0}, i64));
        }) == "gather: x is (3, 2), the index is (2,); they must agree except along axis 0");
  CHECK(message_of<ShapeError>([&] {
          gather(x, 1, tensor({{1, 0}}, i64));
        }) == "gather: x is (3, 2), the index is (1, 2); they must agree except along axis 1");
  CHECK(message_of<ShapeError>([&] {
          index_add(x, 0, tensor({1, 0}, i64), zeros({3, 2}));
        }) == "index_add: x is (3, 2) and there are 2 indices, so the source must be (2, 2); it is (3, 2)");
  CHECK(message_of<ShapeError>([&] {
          index_add(x, 0, tensor({{1, 0}}, i64), zeros({2, 2}));
        }) == "index_add: the indices are (1, 2); expected one axis");
  CHECK(message_of<DtypeError>([&] {
          index_add(x, 0, tensor({1}, i64), zeros({1, 2}, {.dtype = f64}));
        }) == "index_add: x is f32, the source is f64; convert one with .to(...)");
  CHECK(message_of<ShapeError>([] { take(tensor(1.), tensor({0}, i64)); }) ==
        "take: axis 0 of a 0-d tensor, which has no axes; reshape(x, {1}) gives it one");
  CHECK(message_of<ValueError>([&] { take(x, Tensor()); }) ==
        "take: the tensor is undefined (default-built); give it a value first");
}

TEST_CASE("joining names the tensor that does not fit") {
  const Tensor a = zeros({2, 3}), b = zeros({2, 4});
  CHECK(message_of<ShapeError>([&] {
          concatenate({a, b}, 0);
        }) == "concatenate: tensor 1 is (2, 4), tensor 0 is (2, 3); they must agree except along axis 0");
  CHECK(concatenate({a, b}, -1).shape() == Shape{2, 7});
  CHECK(message_of<ShapeError>([&] {
          concatenate({a, a, zeros({0})});
        }) == "concatenate: tensor 2 is (0,), tensor 0 is (2, 3); they must agree except along axis 0");
  CHECK(message_of<ShapeError>([] {
          concatenate({tensor(1.), tensor(2.)});
        }) == "concatenate: axis 0 of a 0-d tensor, which has no axes; reshape(x, {1}) gives it one");
  CHECK(message_of<ValueError>([] { concatenate({}); }) ==
        "concatenate: expected at least one tensor, got an empty list");
  CHECK(message_of<ValueError>([] { stack({}); }) == "stack: expected at least one tensor, got an empty list");
  CHECK(message_of<ShapeError>([&] {
          stack({a, b});
        }) == "stack: tensor 1 is (2, 4), tensor 0 is (2, 3); they must be equal");
  CHECK(message_of<ShapeError>([&] {
          stack({a, a}, 3);
        }) == "stack: axis 3 is out of range for a tensor of shape (2, 3); expected one in [-3, 2]");
  CHECK(message_of<DtypeError>([&] {
          concatenate({a, zeros({2, 3}, {.dtype = f64})});
        }) == "concatenate: tensor 0 is f32, tensor 1 is f64; convert one with .to(...)");
  CHECK(message_of<ValueError>([&] {
          stack({a, Tensor()});
        }) == "stack: argument 1 is an undefined (default-built) tensor; give it a value first");
}

TEST_CASE("cutting and repeating name what cannot be done") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of<ValueError>([&] { slice(x, 0, 0, 2, 0); }) ==
        "slice: the step is 0; pass a positive or negative one");
  CHECK(message_of<ShapeError>([&] { slice(x, 2, 0, 1); }) ==
        "slice: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]");
  CHECK(message_of<ShapeError>([&] { split(x, 2, 1); }) ==
        "split: axis 1 of shape (2, 3) does not divide into 2 equal parts; cut it with slice");
  CHECK(message_of<ValueError>([&] { split(x, 0); }) == "split: the number of sections is 0; expected at least 1");
  CHECK(message_of<ShapeError>([&] {
          pad(x, {{1, 1}});
        }) == "pad: 1 pairs of widths for an input of shape (2, 3); give one for each axis");
  CHECK(message_of<ValueError>([&] {
          pad(x, {{0, 0}, {-1, 2}});
        }) == "pad: widths (-1, 2) of axis 1 are negative; cut the axis with slice instead");
  CHECK(message_of<DtypeError>([] {
          pad(tensor({1}, i64), {{1, 1}}, 0.5);
        }) == "pad: the number 0.5 is no i64; convert the tensor with .to(f64)");
  CHECK(message_of<ShapeError>([&] {
          flip(x, {0, -2});
        }) == "flip: axis 0 of a tensor of shape (2, 3) appears more than once; give each axis once");
  CHECK(message_of<ValueError>([&] {
          tile(x, {2, -1});
        }) == "tile: axis 1 is to be repeated -1 times; expected at least 0");
  CHECK(message_of<ShapeError>([&] {
          tile(x, {INT64_MAX, 1});
        }) ==
        "tile: shape (2, 3) repeated 9223372036854775807 times along axis 0 has more elements than can be counted");
}

TEST_CASE("reshaping names what does not fit") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of<ShapeError>([&] {
          reshape(x, {4, 2});
        }) == "reshape: shape (4, 2) is invalid for an input of 6 elements, (2, 3)");
  CHECK(message_of<ShapeError>([&] {
          reshape(x, {4, -1});
        }) == "reshape: shape (4, -1) is invalid for an input of 6 elements, (2, 3)");
  CHECK(message_of<ShapeError>([&] {
          reshape(x, {-1, -1});
        }) == "reshape: only one size can be -1, and shape (-1, -1) has two");
  CHECK(message_of<ShapeError>([&] { reshape(x, {-2, 3}); }) == "reshape: negative size in shape (-2, 3)");
  CHECK(message_of<ShapeError>([] {
          reshape(zeros({0}), {0, -1});
        }) == "reshape: the -1 in shape (0, -1) can be any size for 0 elements; write the size");
  CHECK(reshape(zeros({0, 3}), {3, 0}).shape() == Shape{3, 0});
  CHECK(message_of<ShapeError>([&] {
          permute(x, {0, 0});
        }) == "permute: axis 0 of a tensor of shape (2, 3) appears more than once; give each axis once");
  CHECK(message_of<ShapeError>([&] { permute(x, {0}); }) ==
        "permute: 1 axes for a tensor of shape (2, 3); give each of its 2 axes once");
  CHECK(message_of<ShapeError>([&] {
          permute(x, {0, 2});
        }) == "permute: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]");
  CHECK(message_of<ShapeError>([] { transpose(zeros({3})); }) ==
        "transpose: needs at least 2 axes, and the input is (3,)");
  CHECK(message_of<ShapeError>([&] { squeeze(x, 0); }) == "squeeze: axis 0 of shape (2, 3) has size 2, not 1");
  CHECK(message_of<ShapeError>([&] { unsqueeze(x, 3); }) ==
        "unsqueeze: axis 3 is out of range for a tensor of shape (2, 3); expected one in [-3, 2]");
  CHECK(message_of<ShapeError>([] { broadcast_to(zeros({3}), {4}); }) ==
        "broadcast_to: shape (3,) does not broadcast to (4,); sizes must agree or be 1, counted from the last axis");
  CHECK(message_of<ShapeError>([&] { broadcast_to(x, {3}); }) ==
        "broadcast_to: shape (2, 3) does not broadcast to (3,); sizes must agree or be 1, counted from the last axis");
  CHECK(message_of<ShapeError>([&] { sum_to(x, {2}); }) == "sum_to: shape (2,) was not broadcast to (2, 3)");
  CHECK(message_of<ShapeError>([&] { sum(x, {2}); }) ==
        "sum: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]");
  CHECK(message_of<ShapeError>([&] {
          sum(x, {0, 0});
        }) == "sum: axis 0 of a tensor of shape (2, 3) appears more than once; give each axis once");
  CHECK(sum(x, {-1}).shape() == Shape{2});
  CHECK(message_of<ValueError>([] { reshape(Tensor(), {1}); }) ==
        "reshape: the tensor is undefined (default-built); give it a value first");
}
