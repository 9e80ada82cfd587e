#include <nn/init.hpp>

#include "support.hpp"

using namespace xgrad;
namespace init = nn::init;

/// What each initialiser draws.
namespace {

struct Moments {
  double mean = 0, variance = 0, low = 1e9, high = -1e9;
  explicit Moments(const Tensor& t) {
    const std::vector<double> x = to_vector(t);
    const auto n = static_cast<double>(x.size());
    for (const double v : x) {
      mean += v / n;
      low = std::min(low, v);
      high = std::max(high, v);
    }
    for (const double v : x) variance += (v - mean) * (v - mean) / n;
  }
};

/// Mean 0 and the variance within five standard errors; nothing beyond `limit`, and something near it.
void check_scaled(const init::Initializer& make, double variance, double limit) {
  for (const Dtype dtype : {f32, f64}) {
    const Tensor t = make({200, 300}, {.dtype = dtype});
    CHECK(t.dtype() == dtype);
    const Moments m(t);
    CHECK(std::abs(m.mean) < 5 * std::sqrt(variance / 60000));
    CHECK(std::abs(m.variance / variance - 1) < 5 * std::sqrt(2. / 60000));
    CHECK(m.high <= limit);
    CHECK(m.low >= -limit);
    CHECK(m.high > 0.98 * limit);
    CHECK(m.low < -0.98 * limit);
  }
}

}  // namespace

TEST_CASE("constants fill the shape") {
  check_close(init::zeros()({2}), {0, 0});
  check_close(init::ones()({2}), {1, 1});
  check_close(init::constant(2.5)({2}, {.dtype = f64}), {2.5, 2.5});
  CHECK(init::ones()({2}, {.requires_grad = true}).requires_grad());
  CHECK(!init::ones()({2}).requires_grad());
}

TEST_CASE("random initialisers have their stated distribution") {
  manual_seed(3);
  const Moments uniform(init::uniform(-1, 3)({60000}));
  CHECK(std::abs(uniform.mean - 1) < 0.03);
  CHECK(std::abs(uniform.variance - 16. / 12) < 0.03);
  CHECK(uniform.low >= -1);
  CHECK(uniform.high < 3);
  const Moments normal(init::normal(2, 0.5)({60000}));
  CHECK(std::abs(normal.mean - 2) < 0.01);
  CHECK(std::abs(normal.variance - 0.25) < 0.008);
  CHECK(normal.high > 3.5);
  const Moments cut(init::truncated_normal(2, 0.5)({60000}));
  CHECK(std::abs(cut.mean - 2) < 0.01);
  CHECK(std::abs(cut.variance - 0.25 * 0.77374) < 0.006);
  CHECK(cut.high <= 3);
  CHECK(cut.low >= 1);
}

TEST_CASE("uniform numbers stay below the upper bound, and at the lower one where there is no other") {
  manual_seed(1);
  const Tensor x = init::uniform(1, 2)({1 << 25});
  CHECK(max(x).item<float>() == 2 - 0x1p-23f);
  CHECK(min(x).item<float>() >= 1);
  CHECK(max(init::uniform(-2, -1)({1000})).item<double>() < -1);
  check_close(init::uniform(3, 3)({2}), {3, 3});
  CHECK_ERROR(
      init::uniform(-3e38, 3e38)({2}), "init.cpp",
      "init: uniform: the bounds are -3e+38 and 3e+38, and f32 cannot hold their difference; bring them closer");
  CHECK(std::isfinite(init::uniform(-3e38, 3e38)({1}, {.dtype = f64}).item<double>()));
}

TEST_CASE("Glorot's, He's and LeCun's initialisers scale by the fans of (in, out)") {
  manual_seed(4);
  const double cut = 2 / 0.87962566103423978;
  check_scaled(init::glorot_uniform(), 2. / 500, std::sqrt(6. / 500));
  check_scaled(init::glorot_normal(), 2. / 500, cut * std::sqrt(2. / 500));
  check_scaled(init::he_uniform(), 2. / 200, std::sqrt(6. / 200));
  check_scaled(init::he_normal(), 2. / 200, cut * std::sqrt(2. / 200));
  check_scaled(init::lecun_uniform(), 1. / 200, std::sqrt(3. / 200));
  check_scaled(init::lecun_normal(), 1. / 200, cut * std::sqrt(1. / 200));
  const Moments kernel(init::he_normal()({3, 3, 20, 300}));
  CHECK(std::abs(kernel.variance * 180 / 2 - 1) < 0.05);
}

TEST_CASE("orthogonal matrices have orthonormal columns or rows, times the gain") {
  manual_seed(5);
  const auto check = [](const Tensor& q, std::int64_t n, double square, double tolerance) {
    const Tensor product = q.shape()[0] < q.shape()[1] ? matmul(q, transpose(q)) : matmul(transpose(q), q);
    check_close(product, to_vector(square * eye(n, {.dtype = f64})), tolerance);
  };
  check(init::orthogonal()({30, 30}, {.dtype = f64}), 30, 1, 1e-13);
  check(init::orthogonal(2)({40, 7}, {.dtype = f64}), 7, 4, 1e-13);
  check(init::orthogonal()({7, 40}), 7, 1, 1e-6);
  check(reshape(init::orthogonal()({2, 5, 4}, {.dtype = f64}), {10, 4}), 4, 1, 1e-13);
}

TEST_CASE("manual_seed repeats every initialiser") {
  for (const init::Initializer& make :
       {init::uniform(), init::truncated_normal(), init::he_normal(), init::orthogonal()}) {
    manual_seed(6);
    const Tensor a = make({5, 6}), b = make({5, 6});
    manual_seed(6);
    CHECK(equal(make({5, 6}), a));
    CHECK(!equal(a, b));
  }
}

TEST_CASE("empty shapes give empty tensors; bad arguments are named") {
  for (const init::Initializer& make : {init::glorot_uniform(), init::lecun_normal(), init::orthogonal()})
    CHECK(make({0, 4}).shape() == Shape{0, 4});
  CHECK_ERROR(init::orthogonal()({3}), "init.cpp", "init: orthogonal needs at least 2 axes, and the shape is (3,)");
  CHECK_ERROR(init::normal(0, -1), "init.cpp",
              "normal: mean and deviation are 0 and -1; the deviation must be at least 0");
  CHECK_ERROR(init::uniform(2, 1), "init.cpp", "uniform: the bounds are 2 and 1; the first must not be larger");
  CHECK_ERROR(init::zeros()({3}, {.dtype = i64}), "init.cpp", "init: not defined for i64; use f32 or f64");
}
