#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <cmath>
#include <limits>
#include <support.hpp>

// The ops that rearrange, choose and place elements: every dtype, and what they say to wrong arguments.
using namespace xgrad;

TEST_CASE("ops that rearrange take every dtype") {
  const Tensor whole = tensor({1, 2, 3}, i64), mask = tensor({1, 0, 1}, {.dtype = boolean});
  CHECK(roll(whole, 1, 0).str() == "[3 1 2]");
  CHECK(roll(mask, -1, 0).str() == "[False  True  True]");
  CHECK(repeat_interleave(whole, 2, 0).str() == "[1 1 2 2 3 3]");
  CHECK(pad(whole, {{2, 1}}, PadMode::reflect).str() == "[3 2 1 2 3 2]");
  CHECK(pad(mask, {{0, 2}}, PadMode::replicate).str() == "[ True False  True  True  True]");
  CHECK(pad(whole, {{1, 2}}, PadMode::circular).str() == "[3 1 2 3 1 2]");
  CHECK(unfold(whole, 0, 2).str() == "[[1 2]\n [2 3]]");
  CHECK(meshgrid({whole, mask})[0].str() == "[[1 1 1]\n [2 2 2]\n [3 3 3]]");
  CHECK(meshgrid({whole, mask})[1].str() == "[[ True False  True]\n [ True False  True]\n [ True False  True]]");
  CHECK(diag(whole, 1).str() == "[[0 1 0 0]\n [0 0 2 0]\n [0 0 0 3]\n [0 0 0 0]]");
  CHECK(trace(tensor({{1, 2}, {3, 4}}, i64)).str() == "5");
  CHECK(tril(tensor({{1, 2}, {3, 4}}, i64)).str() == "[[1 0]\n [3 4]]");
  CHECK(triu(tensor({{1, 1}, {1, 1}}, {.dtype = boolean})).str() == "[[ True  True]\n [False  True]]");
  CHECK(swap_axes(tensor({{1, 2}}, i64), 0, 1).str() == "[[1]\n [2]]");
  CHECK(flatten(zeros({2, 3, 4, 5}), 1, 2).shape() == Shape{2, 12, 5});
  CHECK(squeeze(zeros({1, 2, 1, 3, 1})).shape() == Shape{2, 3});
  CHECK(squeeze(zeros({1, 2, 1}), {0, -1}).shape() == Shape{2});
  CHECK(diff(whole).str() == "[1 1]");
  CHECK(cummax(tensor({1, 3, 2}, i64), 0).str() == "[1 3 3]");
  CHECK(cummin(mask, 0).str() == "[ True False False]");
}

TEST_CASE("ops that choose and place take every dtype") {
  const Tensor whole = tensor({1, 2, 3}, i64), mask = tensor({1, 0, 1}, {.dtype = boolean});
  CHECK(nonzero(mask).str() == "[[0]\n [2]]");
  CHECK(nonzero(tensor({{0, 5}, {6, 0}}, i64)).str() == "[[0 1]\n [1 0]]");
  CHECK(nonzero(tensor(2.)).shape() == Shape{1, 0});
  CHECK(masked_select(whole, mask).str() == "[1 3]");
  CHECK(masked_select(tensor(7.), mask).str() == "[7. 7.]");
  CHECK(scatter_add(whole, 0, tensor({0, 0}, i64), tensor({10, 20}, i64)).str() == "[31  2  3]");
  CHECK(index_put(whole, {tensor({0, -1}, i64)}, 7).str() == "[7 2 7]");
  CHECK(index_put(mask, {tensor({1}, i64)}, true).str() == "[ True  True  True]");
  CHECK(index_put(whole, {tensor({1, 1}, i64)}, tensor({4, 5}, i64), true).str() == "[ 1 11  3]");
  CHECK(index_put(zeros({2, 3}), {tensor({0, 1}, i64), tensor({2, 0}, i64)}, tensor({8., 9.})).str() ==
        "[[0. 0. 8.]\n [9. 0. 0.]]");
  CHECK(index_add(zeros({3}), 0, tensor({0, 0, 2}, i64), ones({3}), 2).str() == "[4. 0. 2.]");
  CHECK(searchsorted(tensor({1, 3, 5}, i64), tensor({3, 4}, i64)).str() == "[1 2]");
  CHECK(searchsorted(tensor({1., 3., 5.}), 3, true).str() == "2");
  CHECK(embedding(tensor({{1, 2}, {3, 4}}, i64), tensor({1, 1}, i64)).str() == "[[3 4]\n [3 4]]");
}

TEST_CASE("each element of a repeat may have a number of its own") {
  const Tensor x = tensor({{1., 2.}, {3., 4.}, {5., 6.}}, {.dtype = f64, .requires_grad = true});
  const Tensor y = repeat_interleave(x, tensor({2, 0, 1}, i64), 0);
  CHECK(y.str() == "[[1. 2.]\n [1. 2.]\n [5. 6.]]");
  CHECK(grad(sum(y), x).str() == "[[2. 2.]\n [0. 0.]\n [1. 1.]]");
  CHECK(message_of<ShapeError>([&] {
          repeat_interleave(x, tensor({2, 1}, i64), 0);
        }) == "repeat_interleave: the counts are (2,); expected a number, or one for each element, (3,)");
  CHECK(message_of<DtypeError>([&] {
          repeat_interleave(x, tensor({2., 0., 1.}), 0);
        }) == "repeat_interleave: the counts are f32, not i64; convert them with .to(i64)");
  CHECK(message_of<ValueError>([&] {
          repeat_interleave(x, tensor({2, -1, 1}, i64), 0);
        }) == "repeat_interleave: element 1 is to be repeated -1 times; expected at least 0");
  CHECK(message_of<ValueError>([&] { repeat_interleave(x, -1, 0); }) ==
        "repeat_interleave: elements are to be repeated -1 times; expected an integer of at least 0");
  CHECK(message_of<ShapeError>([&] { repeat_interleave(x, INT64_MAX, 0); }) ==
        "repeat_interleave: axis 0 of shape (3, 2) repeated 9223372036854775807 times has more elements than can be "
        "counted");
}

TEST_CASE("the gradient of what a padding index picks is dropped") {
  const Tensor weight = tensor({{1., 2.}, {3., 4.}}, {.dtype = f64, .requires_grad = true});
  const Tensor rows = embedding(weight, tensor({{0, 1}, {1, 1}}, i64), {.padding_index = 1});
  CHECK(rows.str() == "[[[1. 2.]\n  [3. 4.]]\n\n [[3. 4.]\n  [3. 4.]]]");
  CHECK(grad(sum(rows), weight).str() == "[[1. 1.]\n [0. 0.]]");
  CHECK(message_of<ValueError>([&] { embedding(weight, tensor({0}, i64), {.padding_index = 2}); }) ==
        "embedding: the padding index is 2; expected one of 2 rows, or -1 for none");
  CHECK(message_of<ShapeError>([&] { embedding(tensor(1.), tensor({0}, i64)); }) ==
        "embedding: the weight is (); expected (count, features...)");
  CHECK(message_of<ValueError>([&] { embedding(weight, tensor({2}, i64)); }) ==
        "embedding: index 2 at position 0 is out of range for axis 0 of size 2");
}

TEST_CASE("rearranging names what cannot be done") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of<ShapeError>([&] { roll(x, 1, 2); }) ==
        "roll: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]");
  CHECK(roll(zeros({0}), 3, 0).shape() == Shape{0});
  CHECK(roll(tensor({1, 2, 3}, i64), INT64_MIN, 0).size() == 3);
  CHECK(message_of<ValueError>([&] { unfold(x, 1, 4); }) ==
        "unfold: the size is 4, and axis 1 of shape (2, 3) has 3 elements; expected 0 <= size <= 3");
  CHECK(message_of<ValueError>([&] { unfold(x, 1, 2, 0); }) == "unfold: the step is 0; expected at least 1");
  CHECK(message_of<ValueError>([&] {
          pad(x, {{2, 0}, {0, 0}}, PadMode::reflect);
        }) == "pad: widths (2, 0) of axis 0, which has 2 elements; expected 0 to 1 in this mode");
  CHECK(message_of<ValueError>([&] {
          pad(x, {{0, 0}, {-1, 0}}, PadMode::circular);
        }) == "pad: widths (-1, 0) of axis 1, which has 3 elements; expected 0 to 3 in this mode");
  CHECK(message_of<ValueError>([&] {
          pad(zeros({0}), {{0, 1}}, PadMode::replicate);
        }) == "pad: widths (0, 1) of axis 0, which has 0 elements; expected 0 to 0 in this mode");
  CHECK(message_of<ShapeError>([&] {
          pad(x, {{1, 1}}, PadMode::reflect);
        }) == "pad: 1 pairs of widths for an input of shape (2, 3); give one for each axis");
  CHECK(message_of<ValueError>([] { meshgrid({}); }) == "meshgrid: expected at least one tensor, got an empty list");
  CHECK(message_of<ShapeError>([&] { meshgrid({x}); }) == "meshgrid: tensor 0 is (2, 3); expected one axis");
  CHECK(message_of<ShapeError>([] { tril(zeros({3})); }) == "tril: needs at least 2 axes, and the input is (3,)");
  CHECK(message_of<ShapeError>([] { triu(zeros({})); }) == "triu: needs at least 2 axes, and the input is ()");
  CHECK(message_of<ShapeError>([] { diagonal(zeros({3})); }) ==
        "diagonal: needs at least 2 axes, and the input is (3,)");
  CHECK(message_of<ShapeError>([&] { diagonal(x, 0, 1, -1); }) ==
        "diagonal: both axes are 1; a diagonal is one of two");
  CHECK(message_of<ShapeError>([] {
          diag(zeros({2, 2, 2}));
        }) == "diag: the input is (2, 2, 2); expected one axis or two");
  CHECK(message_of<ValueError>([] { diag(zeros({2}), INT64_MAX); }) ==
        "diag: diagonal 9223372036854775807 needs a matrix of more elements than can be counted");
  CHECK(message_of<ShapeError>([] { trace(zeros({3})); }) == "trace: needs at least 2 axes, and the input is (3,)");
  CHECK(message_of<ShapeError>([&] { swap_axes(x, 0, 2); }) ==
        "swap_axes: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]");
  CHECK(message_of<ShapeError>([&] { flatten(x, 1, 0); }) ==
        "flatten: axis 1 comes after axis 0; give the first one first");
  CHECK(message_of<ShapeError>([&] { squeeze(x, {0, 1}); }) == "squeeze: axis 1 of shape (2, 3) has size 3, not 1");
  CHECK(message_of<ValueError>([&] { diff(x, -1); }) ==
        "diff: differences are to be taken -1 times; expected at least 0");
}

TEST_CASE_TEMPLATE("a quantile of equal numbers is that number, and it never falls as its share grows", T, float,
                   double) {
  const auto number = [](const Tensor& t) { return t.item<T>(); };
  for (const T x : {T(.1), T(-.7), T(1e30), T(3)})
    for (int i = 0; i <= 1000; ++i) CHECK(number(quantile(full({4}, x, dtype_of<T>), i / 1000.)) == x);
  const T above = std::nextafter(T(1), T(2));
  const std::vector<std::vector<T>> lines{
      {1, above, T(1.5)}, {-above, -1, above}, {T(-.1), T(.1), T(.3)}, {-3, T(1e-7), T(1e7)}};
  for (const std::vector<T>& line : lines) {
    const Tensor x = from_values(line, Shape{std::ssize(line)});
    T before = line.front();
    for (int i = 0; i <= 1000; ++i) {
      const T y = number(quantile(x, i / 1000.));
      CHECK(y >= before);
      before = y;
    }
    CHECK(before == line.back());
  }
}

TEST_CASE("a quantile between infinities, or one and a number, is a number where NumPy's is") {
  const double inf = std::numeric_limits<double>::infinity();
  const auto quantile_of = [](double low, double high, double q) {
    return quantile(from_values(std::vector<double>{low, high}, {2}), q).item();
  };
  for (const double q : {.25, .5, .75}) {
    CHECK(quantile_of(inf, inf, q) == inf);
    CHECK(quantile_of(-inf, -inf, q) == -inf);
    CHECK(quantile_of(1, inf, q) == inf);
    CHECK(quantile_of(-inf, 1, q) == -inf);
    CHECK(quantile_of(-inf, -1, q) == -inf);
    CHECK(std::isnan(quantile_of(-inf, inf, q)));
  }
  CHECK(quantile_of(-inf, inf, 0) == -inf);
  CHECK(quantile_of(-inf, inf, 1) == inf);
}

TEST_CASE("choosing and placing name what does not fit") {
  const Tensor x = zeros({3, 2});
  CHECK(message_of<ValueError>([&] { quantile(x, 1.5); }) == "quantile: q is 1.5; expected a share, 0 <= q <= 1");
  CHECK(message_of<ValueError>([] {
          quantile(zeros({0, 2}), .5, 0);
        }) == "quantile: no elements to choose from: the input is (0, 2); check its size first");
  CHECK(message_of<ValueError>([] { median(zeros({0})); }) ==
        "median: no elements to choose from: the input is (0,); check its size first");
  CHECK(message_of<DtypeError>([] {
          median(tensor({1, 2}, i64));
        }) == "median: not defined for i64; convert with .to(f32)");
  CHECK(message_of<ShapeError>([] { searchsorted(tensor(1.), 2.); }) ==
        "searchsorted: the sorted numbers are (); expected at least one axis");
  CHECK(message_of<ShapeError>([&] {
          searchsorted(x, zeros({2, 2}));
        }) ==
        "searchsorted: the sorted numbers are (3, 2), the values are (2, 2); they must agree except in the last axis");
  CHECK(message_of<DtypeError>([&] { searchsorted(x, tensor({1}, i64)); }) ==
        "searchsorted: the sorted numbers are f32, the values are i64; convert one with .to(...)");
  CHECK(message_of<ShapeError>([&] {
          scatter_add(x, 0, tensor({{0, 1}}, i64), zeros({2, 2}));
        }) ==
        "scatter_add: x is (3, 2), the index is (1, 2), the source is (2, 2); they must agree, x except along "
        "axis 0");
  CHECK(message_of<ValueError>([&] {
          scatter_add(x, 0, tensor({{0, 3}}, i64), zeros({1, 2}));
        }) == "scatter_add: index 3 at position (0, 1) is out of range for axis 0 of size 3");
  CHECK(message_of<DtypeError>([&] {
          scatter_add(x, 0, tensor({{0, 1}}, i64), tensor({{0, 1}}, i64));
        }) == "scatter_add: x is f32, the source is i64; convert one with .to(...)");
  CHECK(message_of<ShapeError>([&] { index_put(x, {}, 1); }) ==
        "index_put: 0 indices for x of shape (3, 2); expected one to 2, for its leading axes");
  CHECK(message_of<ValueError>([&] {
          index_put(x, {tensor({0}, i64), tensor({2}, i64)}, 1);
        }) == "index_put: index 2 at position 0 is out of range for axis 1 of size 2");
  CHECK(message_of<ShapeError>([&] {
          index_put(x, {tensor({0, 1, 2}, i64)}, zeros({3}));
        }) ==
        "index_put: the indices choose (3, 2) of x of shape (3, 2), and the values are (3,); they must broadcast "
        "to it");
  CHECK(message_of<ShapeError>([&] {
          index_put(x, {tensor({0, 1, 2}, i64), tensor({0, 1}, i64)}, 1);
        }) ==
        "index_put: shapes do not broadcast: index 0 is (3,), index 1 is (2,); sizes must agree or be 1, counted from "
        "the last axis");
  CHECK(message_of<DtypeError>([&] { index_put(x, {tensor({0}, i64)}, tensor({1}, i64)); }) ==
        "index_put: x is f32, the values are i64; convert one with .to(...)");
  CHECK(message_of<DtypeError>([&] { masked_select(x, x); }) ==
        "masked_select: the mask is f32, not boolean; compare it, as in mask != 0");
  CHECK(message_of<ShapeError>([&] { masked_select(x, zeros({4}) == 0); }) ==
        "masked_select: shapes do not broadcast: x is (3, 2), the mask is (4,); sizes must agree or be 1, counted from "
        "the last axis");
}
