#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/memory.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <support.hpp>

// Reductions beyond what the table checks.
using namespace xgrad;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("sums of f32 are accumulated so that 10^7 times 0.1 keeps 1e-6") {
  const Tensor x = full({10'000'000}, 0.1f);
  CHECK(sum(x).item<double>() == doctest::Approx(1e6).epsilon(1e-6));
  CHECK(mean(x).item<double>() == doctest::Approx(0.1).epsilon(1e-6));
  const Tensor columns = reshape(x, {5'000'000, 2});
  CHECK(sum(columns, {0}).data<float>()[1] == doctest::Approx(5e5).epsilon(1e-6));
}

TEST_CASE("products of f32 lose no more the longer they are") {
  constexpr std::int64_t n = 10'000'000;
  const Tensor x = full({n}, 0.1f), one = ones({n});
  const auto right = doctest::Approx(1e6).epsilon(2e-5);
  CHECK(dot(x, one).item<double>() == right);
  const Tensor column = reshape(x, {n, 1}), row = reshape(one, {1, n});
  CHECK(matmul(column, one, {.transpose_a = true}).item<double>() == right);
  CHECK(matmul(row, column).item<double>() == right);
  CHECK(matmul(row, x).item<double>() == right);
  // The gradient of what was broadcast is a sum of as many products.
  const Tensor w = zeros({1, 1, 1}, {.requires_grad = true});
  const Tensor many = reshape(slice(x, 0, 0, 1'000'000), {1'000'000, 1, 1});
  CHECK(grad(sum(matmul(many, w)), {w})[0].item<double>() == doctest::Approx(1e5).epsilon(1e-6));
  CHECK(prod(full({n}, 1 + 0x1p-23f)).item<double>() ==
        doctest::Approx(std::exp(n * std::log1p(0x1p-23))).epsilon(1e-6));
}

TEST_CASE("variance does not lose a small spread around a large mean") {
  Tensor x = tensor({1e8, 1e8 + 8}).set_requires_grad(true);
  const Tensor v = variance(x), unbiased = variance(x, {}, false, 1);
  CHECK(v.item<double>() == 16);
  CHECK(unbiased.item<double>() == 32);
  const Tensor g = grad(unbiased, {x})[0];
  CHECK(g.data<float>()[0] == -8);
  CHECK(g.data<float>()[1] == 8);
}

TEST_CASE(
    "a standard deviation holds where the variance is out of range, in a slice or a later run of a captured step") {
  auto step = capture([](const Tensor& v) { return stddev(v, {1}, true); });
  for (const double size : {2., 1e30, 1e-30, 3., 0.}) {
    const Tensor x = tensor({{1., -1., 0.5}, {size, -size, 0.}}), y = stddev(x, {1}, true);
    CHECK(y.data<float>()[0] == sqrt(variance(x, {1})).data<float>()[0]);
    CHECK(y.data<float>()[1] == doctest::Approx(size * std::sqrt(2. / 3)).epsilon(1e-6));
    CHECK(all(step(x) == y).item<bool>());
  }
}

TEST_CASE("axes are one integer, braces or a range of integers, or none") {
  const Tensor x = tensor({{1., 2.}, {3., 5.}});
  const std::vector<std::int64_t> both{0, 1};
  CHECK(sum(x, 1).str() == "[3. 8.]");
  CHECK(sum(x, x.ndim() - 2).str() == "[4. 7.]");
  CHECK(sum(x, {0, 1}, true).str() == "[[11.]]");
  CHECK(sum(x, both).str() == "11.0");
  CHECK(sum(x, {}).str() == "11.0");
  CHECK(max(x, -1).str() == "[2. 5.]");
  CHECK(mean(x, 0, true).shape() == Shape{1, 2});
  CHECK(variance(x, 0, false, 1).str() == "[2.  4.5]");
  CHECK(flip(x, 1).str() == "[[2. 1.]\n [5. 3.]]");
  CHECK(norm(x, 1, false, 1).str() == "[3. 8.]");
  CHECK(permute(x, std::vector<int>{1, 0}).str() == transpose(x).str());
}

TEST_CASE("the mean of booleans is the f32 share that is true") {
  const Tensor mask = tensor({{true, false, true}, {true, true, true}}, boolean);
  CHECK(mean(mask).dtype() == f32);
  CHECK(mean(mask).item<float>() == 5.f / 6);
  CHECK(mean(mask, 1).str() == "[0.6666667 1.       ]");
  CHECK(mean(mask, 0, true).shape() == Shape{1, 3});
  CHECK(mean(ones({(1 << 24) + 1}) > 0).item() == 1);
  CHECK(mean(zeros({0}) > 0).str() == "nan");
  auto share = capture([](const Tensor& x) { return mean(x > 0); });
  CHECK(share(tensor({1, -1})).item() == 0.5);
  CHECK(share(tensor({1, 1})).item() == 1);
}

TEST_CASE("integers reduce exactly, and booleans count") {
  constexpr std::int64_t large = (std::int64_t{1} << 53) + 1;
  const Tensor x = from_values<std::int64_t>({large, 2, -3, 4}, {2, 2});
  CHECK(sum(x).item<std::int64_t>() == large + 3);
  CHECK(max(x).item<std::int64_t>() == large);
  CHECK(min(x, {1}).data<std::int64_t>()[0] == 2);
  CHECK(prod(x, {1}).data<std::int64_t>()[1] == -12);
  CHECK(cumsum(x, 0).data<std::int64_t>()[2] == large - 3);
  CHECK(sort(x, 1).values.data<std::int64_t>()[1] == large);
  CHECK(argmax(x, 0).data<std::int64_t>()[1] == 1);
  const Tensor mask = x > 2;  // true, false; false, true
  CHECK(cumsum(mask, 1).dtype() == i64);
  CHECK(cumsum(mask, 1).str() == "[[1 1]\n [0 1]]");
  CHECK(cumprod(mask, 1).dtype() == i64);
  CHECK(cumprod(mask, 1).str() == "[[1 0]\n [0 0]]");
  CHECK(message_of<ShapeError>([&] { cumsum(mask, 2); }).starts_with("cumsum: axis 2 is out of range"));
  CHECK(sum(mask).dtype() == i64);
  CHECK(sum(mask).item<int>() == 2);
  CHECK(nanmean(mask).dtype() == f32);
  CHECK(nanmean(mask).item() == .5);
  CHECK(any(mask).dtype() == boolean);
  CHECK(any(mask).item<bool>());
  CHECK_FALSE(all(mask).item<bool>());
  CHECK(max(mask).dtype() == boolean);
  CHECK(to_vector<bool>(max(mask, 1)) == std::vector<bool>{true, true});
  CHECK(to_vector<bool>(min(mask, 1, true)) == std::vector<bool>{false, false});
  CHECK(message_of<ValueError>([] { max(zeros({0}, boolean)); }).starts_with("max: no elements to choose from"));
}

TEST_CASE("derivatives of products stay exact past zeros, to the third order") {
  const Tensor x = tensor({{0., 2., -1.}, {0.5, 0., 0.}}, {.dtype = f64});
  const GradcheckOptions third{.order = 3};
  for (const GradcheckReport& r : {gradcheck([](const Tensor& t) { return cumprod(t, 1); }, {x}, third),
                                   gradcheck([](const Tensor& t) { return cumprod(t, 0); }, {x}, third),
                                   gradcheck([](const Tensor& t) { return prod(t, {1}); }, {x}, third),
                                   gradcheck([](const Tensor& t) { return prod(t); }, {x}, third)})
    CHECK_MESSAGE(r.ok(), r.str());
}

TEST_CASE("statistics have right third derivatives") {
  const Tensor x = tensor({{0.3, 2., -1.}, {0.5, 1.2, -0.4}}, {.dtype = f64});
  const GradcheckOptions third{.order = 3};
  for (const GradcheckReport& r : {gradcheck([](const Tensor& t) { return logsumexp(t, {1}); }, {x}, third),
                                   gradcheck([](const Tensor& t) { return norm(t, {0}); }, {x}, third),
                                   gradcheck([](const Tensor& t) { return norm(t, {}, false, 3); }, {x}, third),
                                   gradcheck([](const Tensor& t) { return stddev(t, {1}); }, {x}, third)})
    CHECK_MESSAGE(r.ok(), r.str());
}

TEST_CASE("sum, mean, centre and cumsum keep no numbers for their derivative") {
  const Tensor x = ones({1000}, {.requires_grad = true});
  const auto kept = [&](auto op) {
    const std::int64_t before = memory::statistics().live_bytes;
    const Tensor y = op(x * 2);
    return memory::statistics().live_bytes - before - static_cast<std::int64_t>(y.array().bytes()) >= 4000;
  };
  CHECK_FALSE(kept([](const Tensor& t) { return sum(t); }));
  CHECK_FALSE(kept([](const Tensor& t) { return mean(t); }));
  CHECK_FALSE(kept([](const Tensor& t) { return centre(t); }));
  CHECK_FALSE(kept([](const Tensor& t) { return cumsum(t, 0); }));
  CHECK(kept([](const Tensor& t) { return prod(t); }));
}

TEST_CASE("sort and topk carry the gradient back to where the values came from") {
  Tensor x = tensor({{3., 1., 2.}, {4., 6., 5.}}, {.dtype = f64, .requires_grad = true});
  const Tensor weights = tensor({1., 10.}, {.dtype = f64});
  const auto [values, indices] = topk(x, 2);
  CHECK(indices.str() == "[[0 2]\n [1 2]]");
  const Tensor g = grad(sum(values * weights), {x})[0];
  CHECK(g.str() == tensor({{1., 0., 10.}, {0., 1., 10.}}, {.dtype = f64}).str());
}

TEST_CASE("misused reductions say what is wrong, where, and what to do") {
  const Tensor x = zeros({2, 3}), empty = zeros({0, 3}), whole = zeros({2}, {.dtype = i64});
  CHECK(message_of<ShapeError>([&] { sum(x, {2}); }) ==
        "sum: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]");
  CHECK(message_of<ShapeError>([&] {
          mean(x, {0, -2});
        }) == "mean: axis 0 of a tensor of shape (2, 3) appears more than once; give each axis once");
  CHECK(message_of<ShapeError>([&] { prod(sum(x), {0}); }) ==
        "prod: axis 0 of a 0-d tensor, which has no axes; reshape(x, {1}) gives it one");
  CHECK(message_of<ShapeError>([&] { cumsum(x, -3); }) ==
        "cumsum: axis -3 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]");
  CHECK(message_of<ShapeError>([&] { sort(x, 2); }) ==
        "sort: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]");
  CHECK(message_of<ValueError>([&] { max(empty, {0}); }) ==
        "max: no elements to choose from: the input is (0, 3); check its size first");
  CHECK(message_of<ValueError>([&] { min(empty); }) ==
        "min: no elements to choose from: the input is (0, 3); check its size first");
  CHECK(message_of<ValueError>([&] { argmin(empty, 0); }) ==
        "argmin: axis 0 of shape (0, 3) has no elements to choose from");
  CHECK(message_of<ValueError>([&] { argmax(empty); }) ==
        "argmax: no elements to choose from: the input is (0, 3); check its size first");
  CHECK(message_of<ValueError>([&] { argmin(empty); }) ==
        "argmin: no elements to choose from: the input is (0, 3); check its size first");
  CHECK(message_of<ValueError>([&] { topk(x, 4); }) ==
        "topk: k is 4, and axis 1 of shape (2, 3) has 3 elements; expected 0 <= k <= 3");
  CHECK(message_of<ValueError>([&] { topk(x, -1, 0); }) ==
        "topk: k is -1, and axis 0 of shape (2, 3) has 2 elements; expected 0 <= k <= 2");
  for (const double p : {0., -1., std::nan("")})
    CHECK(message_of<ValueError>([&] { norm(x, {}, false, p); }).ends_with("; expected p > 0, or infinity"));
  CHECK(message_of<ValueError>([&] { norm(empty, {}, false, inf); }).starts_with("norm: no elements to choose from"));
  CHECK(message_of<DtypeError>([&] { mean(whole); }) == "mean: not defined for i64; convert with .to(f32)");
  CHECK(message_of<DtypeError>([&] { variance(whole); }) == "variance: not defined for i64; convert with .to(f32)");
  CHECK(message_of<DtypeError>([&] { stddev(whole); }) == "stddev: not defined for i64; convert with .to(f32)");
  CHECK(message_of<DtypeError>([&] { logsumexp(whole); }) == "logsumexp: not defined for i64; convert with .to(f32)");
  CHECK(message_of<DtypeError>([&] { norm(whole); }) == "norm: not defined for i64; convert with .to(f32)");
  const std::string number = "the argument is a plain number; make it a tensor with tensor(...)";
  CHECK(message_of<ValueError>([&] { sum(3.); }) == "sum: " + number);
  CHECK(message_of<ValueError>([&] { max(3.); }) == "max: " + number);
  CHECK(message_of<ValueError>([&] { logsumexp(3.); }) == "logsumexp: " + number);
  CHECK(message_of<ValueError>([&] { sum(Tensor()); }).starts_with("sum: "));
}

TEST_CASE("layer_norm says which of its shapes does not fit") {
  const Tensor x = zeros({2, 5});
  CHECK(message_of<ShapeError>([&] { layer_norm(x, {4}); }) ==
        "layer_norm: x is (2, 5), the axes to normalise are (4,); they must be its last ones");
  CHECK(message_of<ShapeError>([&] {
          layer_norm(x, {3, 2, 5});
        }) == "layer_norm: x is (2, 5), the axes to normalise are (3, 2, 5); they must be its last ones");
  CHECK(message_of<ShapeError>([&] { layer_norm(x, {}); }) ==
        "layer_norm: no axis to normalise over; give the sizes of the last axes, such as {features}");
  CHECK(message_of<ShapeError>([&] { layer_norm(x, {5}, ones({4})); }) ==
        "layer_norm: the weight is (4,), the axes to normalise are (5,); they must be equal");
  CHECK(message_of<DtypeError>([&] { layer_norm(x, {5}, {}, ones({5}, {.dtype = f64})); }) ==
        "layer_norm: x is f32, the bias is f64; convert one with .to(...)");
  CHECK(message_of<DtypeError>([&] { layer_norm(x.to(i64), {5}); }) ==
        "layer_norm: not defined for i64; convert with .to(f32)");
  CHECK(message_of<ValueError>([&] { layer_norm(x, {5}, {}, {}, -1); }) ==
        "layer_norm: eps is -1; it must be at least 0");
}
