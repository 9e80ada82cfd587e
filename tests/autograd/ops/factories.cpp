#include <doctest/doctest.h>
#include <algorithm>
#include <array>
#include <autograd/autograd.hpp>
#include <cmath>
#include <limits>
#include <span>
#include <support.hpp>

// The functions that make tensors.
using namespace xgrad;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("tensor takes a number or nested braces of up to four levels") {
  CHECK(tensor(3.).shape() == Shape{});
  CHECK(tensor(3.).item<double>() == 3);
  CHECK(tensor({1, 2, 3}).shape() == Shape{3});
  CHECK(tensor({{1., 2.}, {3., 4.}, {5., 6.}}).shape() == Shape{3, 2});
  CHECK(tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}).shape() == Shape{2, 2, 2});
  const Tensor four = tensor({{{{1, 2, 3}}}, {{{4, 5, 6}}}});
  CHECK(four.shape() == Shape{2, 1, 1, 3});
  CHECK(four.data<float>()[4] == 5);
  CHECK(tensor({7.5}).shape() == Shape{1});
  CHECK(tensor({{1.}, {2.}}).shape() == Shape{2, 1});
}

TEST_CASE("factories default to f32, and take every dtype") {
  CHECK(tensor(1.).dtype() == f32);
  CHECK(zeros({2}).dtype() == f32);
  CHECK(tensor({{1., 2.}}, {.dtype = f64, .requires_grad = true}).requires_grad());
  CHECK(tensor({0.1}, {.dtype = f64}).item<double>() == 0.1);
  CHECK(tensor({0.1}).item<double>() == static_cast<double>(0.1f));
  CHECK(tensor({true, false}, {.dtype = boolean}).str() == "[ True False]");
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  CHECK(tensor({large}, {.dtype = i64}).item<std::int64_t>() == large);
  CHECK(ones({2}, {.dtype = i64}).str() == "[1 1]");
  CHECK(full({2}, 2.5).str() == "[2.5 2.5]");
  CHECK(full({}, inf).item<double>() == inf);
  CHECK(full({0, 3}, 1).size() == 0);
  CHECK(from_values(std::vector<double>{1, 2, 3, 4}, {2, 2}).dtype() == f64);
  CHECK(from_values(std::vector<bool>{true, false}, {2}).dtype() == boolean);
}

TEST_CASE("without options, nothing but true and false makes a boolean tensor, which hides keys as a mask") {
  CHECK(tensor(true).dtype() == boolean);
  CHECK(tensor({{true}, {false}}).str() == "[[ True]\n [False]]");
  CHECK(tensor({{true, false}}, {}).dtype() == f32);
  CHECK(tensor({true, false}, f64).dtype() == f64);
  for (const Tensor& t : {tensor({true, 0}), tensor({{true}, {0.5}}), tensor({}), tensor({1, 0})})
    CHECK(t.dtype() == f32);
  const Tensor q = ones({1, 1, 1}), k = ones({1, 2, 1}), v = tensor({{{1}, {5}}});
  CHECK(scaled_dot_product_attention(q, k, v, {.mask = tensor({false, true})}).item() == 5);
}

TEST_CASE("a dtype stands in for options") {
  CHECK(zeros({3}, f64).dtype() == f64);
  CHECK(ones({2}, i64).str() == "[1 1]");
  CHECK(full({2}, true, boolean).str() == "[ True  True]");
  CHECK(tensor({0, 2}, i64).str() == "[0 2]");
  CHECK(arange(0, 3, 1, i64).str() == "[0 1 2]");
  CHECK(linspace(0, 1, 3, f64).dtype() == f64);
  CHECK(eye(2, boolean).dtype() == boolean);
  CHECK(rand({2}, f64).dtype() == f64);
  CHECK(randn({2}, f64).dtype() == f64);
  CHECK(message_of<DtypeError>([] { (void)rand({2}, i64); }) == "rand: not defined for i64; use f32 or f64");
}

TEST_CASE("sizes come from any range of integers") {
  const std::array<std::uint8_t, 2> narrow{2, 3};
  const int plain[] = {3, 2};
  CHECK(zeros(std::vector<int>{2, 3}).shape() == Shape{2, 3});
  CHECK(zeros(narrow).shape() == Shape{2, 3});
  CHECK(reshape(zeros(narrow), plain).shape() == Shape{3, 2});
  CHECK(reshape(zeros(narrow), std::vector<int>{-1}).shape() == Shape{6});
  CHECK(broadcast_to(ones({}), std::vector<std::size_t>{2}).shape() == Shape{2});
  CHECK(message_of<ShapeError>([] { (void)zeros(std::vector<int>(9, 1)); }) ==
        "Shape: more than 8 axes; merge some with reshape");
}

TEST_CASE("from_values takes any range of numbers, with a shape or without") {
  const int plain[] = {1, 2, 3};
  const std::array<double, 2> pair{0.5, 1.5};
  const std::vector<std::uint8_t> bytes{250, 251};
  CHECK(from_values(plain).str() == "[1 2 3]");
  CHECK(from_values(plain).dtype() == i64);
  CHECK(from_values(pair).dtype() == f64);
  CHECK(from_values(std::span(pair).first(1)).str() == "[0.5]");
  CHECK(from_values(bytes).str() == "[250 251]");
  CHECK(from_values(bytes, {2, 1}).shape() == Shape{2, 1});
  CHECK(from_values(std::vector<float>{1, 2}).dtype() == f32);
  CHECK(from_values(std::vector<bool>{true}).dtype() == boolean);
  CHECK(from_values(pair, {2}, true).requires_grad());
  CHECK(message_of<ShapeError>([&] { (void)from_values(pair, {3}); }) ==
        "from_values: 2 values for shape (3,), which holds 3");
}

TEST_CASE("tensors like another have its shape and dtype, and no history") {
  const Tensor x = full({2, 1}, 3, {.dtype = f64, .requires_grad = true}), n = tensor({4, 5}, i64);
  for (const Tensor& like : {zeros_like(x), ones_like(x), full_like(x, 2.5), rand_like(x), randn_like(x)}) {
    CHECK(like.shape() == x.shape());
    CHECK(like.dtype() == f64);
    CHECK_FALSE(like.requires_grad());
  }
  CHECK(full_like(x, 2.5).str() == "[[2.5]\n [2.5]]");
  CHECK(ones_like(n).str() == "[1 1]");
  CHECK(message_of<DtypeError>([&] { (void)full_like(n, 2.5); }).starts_with("full_like: the number 2.5 is no i64"));
  CHECK(message_of<DtypeError>([&] { (void)rand_like(n); }) == "rand_like: not defined for i64; use f32 or f64");
  CHECK(message_of<ValueError>([&] { (void)zeros_like(Tensor()); }).find("undefined") != std::string::npos);
}

TEST_CASE("uniform, normal and randint draw what they say, again after the same seed, and in replays") {
  manual_seed(3);
  const Tensor u = uniform({20000}, -2, 6, f64), z = normal({20000}, 5, 0.5, f64), k = randint({20000}, -1, 3);
  CHECK(min(u).item() >= -2);
  CHECK(max(u).item() <= 6);
  CHECK(mean(u).item() == doctest::Approx(2).epsilon(0.03));
  CHECK(stddev(u).item() == doctest::Approx(8 / std::sqrt(12)).epsilon(0.03));
  CHECK(mean(z).item() == doctest::Approx(5).epsilon(0.01));
  CHECK(stddev(z).item() == doctest::Approx(0.5).epsilon(0.03));
  CHECK(k.dtype() == i64);
  for (int i = -1; i < 3; ++i) CHECK(mean(k == i).item() == doctest::Approx(0.25).epsilon(0.05));
  CHECK(sum(logical_or(k<-1, k> 2)).item() == 0);
  manual_seed(3);
  CHECK(all(uniform({20000}, -2, 6, f64) == u).item<bool>());
  CHECK(uniform({2}, 0, 1, {.requires_grad = true}).is_leaf());
  CHECK(normal({2}, 0, 1, {.requires_grad = true}).requires_grad());
  auto step = capture([](const Tensor& x) { return x + randint({1}, 0, 1000000).to(f32); });
  (void)step(zeros({1})), (void)step(zeros({1}));
  CHECK(step(zeros({1})).item() != step(zeros({1})).item());
}

TEST_CASE("bounds and spreads that make no sense are refused") {
  CHECK(message_of<ValueError>([] { (void)uniform({1}, 2, 1); }) ==
        "uniform: the bounds are 2 and 1; expected finite ones, low <= high");
  CHECK(message_of<ValueError>([] { (void)normal({1}, 0, -1); }) ==
        "normal: the mean is 0, the standard deviation -1; expected finite ones, the second not negative");
  CHECK(message_of<ValueError>([] { (void)randint({1}, 3, 3); }) ==
        "randint: the bounds are 3 and 3; expected low < high, at most 2^53 apart");
  CHECK(message_of<ValueError>([] {
          (void)randint({1}, std::numeric_limits<std::int64_t>::min(), 5);
        }).starts_with("randint: the bounds are "));
  CHECK(message_of<DtypeError>([] { (void)uniform({1}, 0, 1, i64); }) ==
        "uniform: not defined for i64; use f32 or f64");
}

TEST_CASE("arange, linspace and eye give NumPy's numbers") {
  CHECK(arange(0, 5).str() == "[0. 1. 2. 3. 4.]");
  CHECK(arange(5, 0, -2, {.dtype = i64}).str() == "[5 3 1]");
  CHECK(arange(0, 1, 0.25).str() == "[0.   0.25 0.5  0.75]");
  CHECK(arange(1, 1).shape() == Shape{0});
  CHECK(arange(1, 0).shape() == Shape{0});
  CHECK(linspace(0, 1, 5, {.dtype = f64}).str() == "[0.   0.25 0.5  0.75 1.  ]");
  CHECK(linspace(2, 7, 1).str() == "[2.]");
  CHECK(linspace(2, 7, 0).shape() == Shape{0});
  CHECK(linspace(0.1, 0.7, 7, {.dtype = f64}).data<double>()[6] == 0.7);
  CHECK(linspace(-1e308, 1e308, 3, {.dtype = f64}).str() == "[-1.e+308  0.e+000  1.e+308]");
  CHECK(linspace(1.7e308, -1.7e308, 5, {.dtype = f64}).str() == "[ 1.7e+308  8.5e+307  0.0e+000 -8.5e+307 -1.7e+308]");
  CHECK(eye(2).str() == "[[1. 0.]\n [0. 1.]]");
  CHECK(eye(0).shape() == Shape{0, 0});
}

TEST_CASE("linspace of integers rounds down, exactly, as NumPy does") {
  CHECK(linspace(0, 10, 5, i64).str() == "[ 0  2  5  7 10]");
  CHECK(linspace(10, 0, 5, i64).str() == "[10  7  5  2  0]");
  CHECK(linspace(-3, 4, 4, i64).str() == "[-3 -1  1  4]");
  CHECK(linspace(0.5, 3.5, 4, i64).str() == "[0 1 2 3]");
  CHECK(linspace(7, 9, 1, i64).str() == "[7]");
  CHECK(linspace(7, 9, 0, i64).shape() == Shape{0});
  const Tensor large = linspace((std::int64_t{1} << 53) + 1, (std::int64_t{1} << 53) + 5, 3, i64);
  CHECK(large.data<std::int64_t>()[0] == 9007199254740993);
  CHECK(large.data<std::int64_t>()[1] == 9007199254740995);
}

TEST_CASE("an identity need not be square") {
  CHECK(eye(2, 3).str() == "[[1. 0. 0.]\n [0. 1. 0.]]");
  CHECK(eye(3, 2, {.dtype = i64}).str() == "[[1 0]\n [0 1]\n [0 0]]");
  CHECK(eye(0, 2).shape() == Shape{0, 2});
  CHECK(eye(2, {}).shape() == Shape{2, 2});
}

TEST_CASE("multinomial draws positions by their shares") {
  manual_seed(3);
  const Tensor weights = tensor({{1., 2., 0., 1.}, {0., 0., 5., 0.}}, {.dtype = f64});
  const Tensor drawn = multinomial(weights, 40'000);
  CHECK(drawn.shape() == Shape{2, 40'000});
  CHECK(drawn.dtype() == i64);
  for (const auto& [position, share] : {std::pair{0, .25}, {1, .5}, {2, 0.}, {3, .25}})
    CHECK(mean(drawn[0] == position).item() == doctest::Approx(share).epsilon(.03));
  CHECK(all(drawn[1] == 2).item<bool>());
  manual_seed(3);
  CHECK(all(multinomial(weights, 40'000) == drawn).item<bool>());
  CHECK(multinomial(tensor({0., 3.}), 1).str() == "[1]");
  CHECK(multinomial(zeros({0}), 0).shape() == Shape{0});

  Tensor first = zeros({4}, {.dtype = i64});
  for (int i = 0; i < 2000; ++i) {
    const Tensor apart = multinomial(weights[0], 3, {.replacement = false});
    CHECK(sort(apart).values.str() == "[0 1 3]");
    first = index_add(first, 0, slice(apart, 0, 0, 1), ones({1}, {.dtype = i64}));
  }
  CHECK(first.at(1).item() == doctest::Approx(1000).epsilon(.1));
  CHECK(first.at(0).item() == doctest::Approx(500).epsilon(.2));

  const Tensor p = tensor({1., 1.});
  auto step = capture([&] { return multinomial(p, 64); });
  CHECK_FALSE(all(step() == step()).item<bool>());
  CHECK_FALSE(all(step() == step()).item<bool>());
}

TEST_CASE("multinomial names weights that make no sense") {
  CHECK(message_of<ValueError>([] {
          return multinomial(tensor({1., -1.}), 2);
        }) == "multinomial: probability -1 at position 1 of the last axis; expected finite ones that are not negative");
  CHECK(message_of<ValueError>([] {
          return multinomial(tensor({inf, 1.}), 2);
        }) ==
        "multinomial: probability inf at position 0 of the last axis; expected finite ones that are not negative");
  CHECK(message_of<ValueError>([] { return multinomial(zeros({2}), 1); }) ==
        "multinomial: the 2 probabilities sum to 0; expected some above it");
  CHECK(message_of<ValueError>([] { return multinomial(ones({2}), 3, {.replacement = false}); }) ==
        "multinomial: 3 draws without replacement from 2 positive probabilities; pass {.replacement = true}");
  CHECK(message_of<ValueError>([] { return multinomial(ones({2}), -1); }) ==
        "multinomial: the number of draws is -1; expected at least 0");
  CHECK(message_of<ShapeError>([] { return multinomial(tensor(1.), 1); }) ==
        "multinomial: the probabilities are (); expected (..., n)");
  CHECK(message_of<DtypeError>([] {
          return multinomial(tensor({1, 2}, i64), 1);
        }) == "multinomial: the probabilities are i64, not f32 or f64; convert them with .to(f32)");
}

TEST_CASE("arange of integers is exact over all of i64") {
  constexpr std::int64_t odd = (std::int64_t{1} << 53) + 1, largest = std::numeric_limits<std::int64_t>::max();
  const TensorOptions integers{.dtype = i64};
  CHECK(arange(odd, odd + 3, 1, integers).str() == "[9007199254740993 9007199254740994 9007199254740995]");
  CHECK(arange(largest - 3, largest, 2, integers).str() == "[9223372036854775804 9223372036854775806]");
  CHECK(arange(-largest - 1, largest, largest, integers).str() ==
        "[-9223372036854775808                   -1  9223372036854775806]");
  CHECK(arange(largest, -largest - 1, -largest - 1, integers).str() == "[9223372036854775807                  -1]");
  CHECK(arange(odd, odd, -1, integers).shape() == Shape{0});
  CHECK(arange(odd, odd - 2, -1, {.dtype = f64}).data<double>()[1] == 0x1p53);
  CHECK(arange(odd, odd + 2, 1, {.dtype = f64}).size() == 2);
  CHECK(arange(0., 3., 1., integers).str() == "[0 1 2]");
  CHECK(message_of<ValueError>([=] { arange(-largest, largest); }) ==
        "arange: 18446744073709551614 elements are more than can be counted");
}

TEST_CASE("from_values takes vectors of any arithmetic type") {
  CHECK(from_values(std::vector<int>{1, -2, 3}, {3}).str() == "[ 1 -2  3]");
  CHECK(from_values(std::vector<int>{1}, {1}).dtype() == i64);
  CHECK(from_values(std::vector<unsigned char>{255}, {1}).item<int>() == 255);
  CHECK(from_values(std::vector<long long>{1}, {1}).dtype() == i64);
  CHECK(from_values(std::vector<std::uint64_t>{1, 2}, {2}).str() == "[1 2]");
  CHECK(from_values(std::vector<long double>{0.5}, {1}, true).requires_grad());
  CHECK(from_values(std::vector<long double>{0.5}, {1}).dtype() == f64);
  CHECK(message_of<ShapeError>([] {
          from_values(std::vector<int>{1, 2, 3}, {2, 2});
        }) == "from_values: 3 values for shape (2, 2), which holds 4");
  CHECK(message_of<DtypeError>([] { from_values(std::vector<int>{1}, {1}, true); }) ==
        "from_values: a tensor of type i64 cannot require a gradient; use f32 or f64");
  CHECK(message_of<ValueError>([] {
          from_values(std::vector<std::uint64_t>{1, 1ull << 63}, {2});
        }) == "from_values: the integer 9223372036854775808 at position 1 is no i64; convert it to double first");
}

TEST_CASE("random numbers depend on the seed and the order of calls") {
  manual_seed(42);
  const Tensor a = rand({1000}), b = randn({1000}, {.dtype = f64}), c = randperm(100);
  const RandomState state = random_state();
  const Tensor next = rand({3});
  manual_seed(42);
  CHECK(all(a == rand({1000})).item<bool>());
  CHECK(all(b == randn({1000}, {.dtype = f64})).item<bool>());
  CHECK(all(c == randperm(100)).item<bool>());
  CHECK(!all(a == rand({1000})).item<bool>());
  set_random_state(state);
  CHECK(all(next == rand({3})).item<bool>());
  manual_seed(43);
  CHECK(!all(a == rand({1000})).item<bool>());
}

TEST_CASE("random numbers have the moments and ranges of their distributions") {
  manual_seed(1);
  const Tensor u = rand({100000}, {.dtype = f64}), n = randn({100000}, {.dtype = f64});
  const double count = 100000;
  CHECK(all(logical_and(u >= 0, u < 1)).item<bool>());
  CHECK(sum(u).item<double>() / count == doctest::Approx(0.5).epsilon(0.01));
  CHECK(std::abs(sum(n).item<double>() / count) < 0.02);
  CHECK(sum(n * n).item<double>() / count == doctest::Approx(1).epsilon(0.02));
  const Tensor order = randperm(50), keep = bernoulli({10000}, 0.3);
  std::vector<std::int64_t> seen(order.data<std::int64_t>(), order.data<std::int64_t>() + 50);
  std::sort(seen.begin(), seen.end());
  for (std::size_t i = 0; i < 50; ++i) CHECK(seen[i] == static_cast<std::int64_t>(i));
  CHECK(sum(keep.to(f64)).item<double>() == doctest::Approx(3000).epsilon(0.06));
  CHECK(!any(bernoulli({100}, 0)).item<bool>());
  CHECK(all(bernoulli({100}, 1)).item<bool>());
  CHECK(randperm(0).shape() == Shape{0});
}

TEST_CASE("factories name what they cannot make") {
  CHECK(message_of<ShapeError>([] { zeros({-1, 2}); }) == "zeros: negative size in shape (-1, 2)");
  CHECK(message_of<ShapeError>([] {
          zeros({std::int64_t{1} << 40, std::int64_t{1} << 40});
        }) == "zeros: shape (1099511627776, 1099511627776) has more elements than can be counted");
  CHECK(zeros({std::int64_t{1} << 40, 0}).size() == 0);
  CHECK(message_of<ShapeError>([] { randperm(-1); }) == "randperm: negative size in shape (-1,)");
  CHECK(message_of<ShapeError>([] {
          tensor({{1., 2.}, {3.}});
        }) == "tensor: rows of unequal shape: (2,) and (1,); every row needs as many numbers as the first");
  CHECK(message_of<DtypeError>([] { tensor({1.5}, {.dtype = i64}); }) ==
        "tensor: the number 1.5 is no i64; pass {.dtype = f64}");
  CHECK(message_of<DtypeError>([] { zeros({2}, {.dtype = i64, .requires_grad = true}); }) ==
        "zeros: a tensor of type i64 cannot require a gradient; use f32 or f64");
  CHECK(message_of<ShapeError>([] {
          from_values(std::vector<float>{1, 2, 3}, {2, 2});
        }) == "from_values: 3 values for shape (2, 2), which holds 4");
  CHECK(message_of<ValueError>([] { arange(0, 1, 0); }) == "arange: the step is 0; pass a positive or negative one");
  CHECK(message_of<ValueError>([] { arange(0, inf); }) == "arange: start, stop and step must be finite; got inf");
  CHECK(message_of<ValueError>([] { linspace(0, 1, -1); }) == "linspace: negative count -1");
  CHECK(message_of<ValueError>([] { linspace(0, inf, 3); }) == "linspace: start and stop must be finite; got inf");
  CHECK(message_of<DtypeError>([] { linspace(0, 1, 3, {.dtype = boolean}); }) ==
        "linspace: not defined for boolean; use f32, f64 or i64");
  CHECK(message_of<ValueError>([] { linspace(INT64_MIN, 1, 3, {.dtype = i64}); }) ==
        "linspace: 3 integers from -9223372036854775808 to 1 cannot be counted in i64; use f64");
  CHECK(message_of<ValueError>([] { linspace(0, 1e20, 3, {.dtype = i64}); }) ==
        "linspace: the number 1e+20 is past what i64 holds");
  CHECK(message_of<ShapeError>([] { return eye(2, -1); }) == "eye: negative size in shape (2, -1)");
  CHECK(message_of<DtypeError>([] { rand({2}, {.dtype = i64}); }) == "rand: not defined for i64; use f32 or f64");
  CHECK(message_of<ValueError>([] { bernoulli({2}, 1.5); }) ==
        "bernoulli: the probability is 1.5; expected one in [0, 1]");
}

TEST_CASE("more memory than there is throws an error that names the bytes, and the process goes on") {
  const std::string said = message_of<Error>([] { zeros({std::int64_t{1} << 46}); });
  CHECK(said.substr(0, 58) == "zeros: out of memory: 281474976710720 bytes asked for; use");
  CHECK(zeros({3}).size() == 3);
}

TEST_CASE("item and truth need exactly one element") {
  CHECK(tensor({{5.}}).item<double>() == 5);
  CHECK(tensor(2).item<int>() == 2);
  CHECK(static_cast<bool>(tensor(1.)));
  CHECK(message_of<ShapeError>([] {
          return tensor({1., 2.}).item<double>();
        }) == "item: a tensor of shape (2,) has 2 elements, not one; reduce or slice it first");
  CHECK_THROWS_AS(static_cast<void>(static_cast<bool>(tensor({1., 2.}))), ShapeError);
}
