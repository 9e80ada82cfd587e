#include "parallel_support.hpp"

// Reductions spread over threads have the bits of one thread.
using namespace reference;
using namespace xgrad::kernels;
using xgrad::f32, xgrad::f64;

TEST_CASE_TEMPLATE("reductions give the same bits for any number of threads, and what the serial kernel gives", T,
                   float, double, std::int64_t) {
  const Size shapes[][3] = {{1, 300'011, 1}, {1, 9001, 67},   {3, 301, 401},  {2000, 151, 1},
                            {1, 9, 40'001},  {1, 1, 300'011}, {4, 80'001, 1}, {300'011, 1, 1}};
  for (const auto& s : shapes) {
    INFO("shape ", s[0], " ", s[1], " ", s[2]);
    const auto x = values<T>(s[0] * s[1] * s[2]);
    const std::vector<T> y(at(s[0] * s[2]));
    for (int kind = 0; kind < int(Reduce::count); ++kind) {
      if (!serial_table().reduce[kind][of<T>]) continue;
      INFO("kind ", kind);
      check_close(y, sizeof(T) == 4 ? 2e-7 : 1e-12,
                  [&](const Table& t, T* to) { t.reduce[kind][of<T>](x.data(), to, s[0], s[1], s[2]); });
    }
    if constexpr (std::is_floating_point_v<T>) {
      check_close(y, sizeof(T) == 4 ? 2e-7 : 1e-12,
                  [&](const Table& t, T* to) { t.squared_deviations[of<T>](x.data(), to, s[0], s[1], s[2]); });
      check_exact(x, [&](const Table& t, T* to) { t.centre[of<T>](x.data(), to, s[0], s[1], s[2]); });
      for (int kind = 0; kind < int(Softmax::count); ++kind)
        check_exact(x, [&](const Table& t, T* to) { t.softmax[kind][of<T>](x.data(), to, s[0], s[1], s[2]); });
    }
  }
}

TEST_CASE("a sum of 10^7 values in pieces is as exact as f64 makes it") {
  constexpr Size n = 10'000'000;
  auto x = values<float>(n);
  x[0] = 3e8f, x[at(n / 2)] = -3e8f;  // pieces whose own sums f32 could not hold
  long double expected = 0;
  for (const float v : x) expected += v;
  const auto sum = same_for_any_threads(std::vector<float>(1), [&](const Table& t, float* y) {
    t.reduce[int(Reduce::sum)][int(f32)](x.data(), y, 1, n, 1);
  });
  CHECK(std::fabs(double(sum[0] - expected)) <= 1e-6 * std::fabs(double(expected)));
}

TEST_CASE_TEMPLATE("squared deviations in pieces are those of the whole: of a trend, far from 0, huge or special", T,
                   float, double) {
  constexpr Size count = 40'000;
  for (const Size inner : {1, 40, 3000}) {
    INFO("columns ", inner);
    const Size rows = inner == 3000 ? 400 : count;
    const auto squared = [&](const std::vector<T>& x) {
      return same_for_any_threads(std::vector<T>(at(inner)), [&](const Table& t, T* y) {
        t.squared_deviations[of<T>](x.data(), y, 1, rows, inner);
      });
    };
    std::vector<T> x(at(rows * inner));
    for (Size p = 0; p < rows * inner; ++p) x[at(p)] = T(1'000'000 + p / inner * (1 + p % inner % 7));
    auto y = squared(x);
    for (Size i = 0; i < inner; ++i) {
      const auto step = static_cast<long double>(1 + i % 7), n = static_cast<long double>(rows);
      CHECK(close(y[at(i)], step * step * n * (n * n - 1) / 12, 50));
    }
    for (const T v : squared(std::vector<T>(x.size(), T(0.1)))) CHECK(v == 0);
    x.back() = T(inf);
    y = squared(x);
    CHECK(std::isnan(y.back()));
    if (inner > 1) CHECK(std::isfinite(y[0]));
    const T huge = sizeof(T) == 4 ? T(1e38) : T(1e200);
    x.assign(x.size(), huge);
    for (Size p = 0; p < rows * inner / 2; ++p) x[at(p)] = -huge;
    for (const T v : squared(x)) CHECK(v == T(inf));
  }
}

TEST_CASE("a product whose pieces leave the range of f32 stays in it as a whole") {
  constexpr Size n = 1 << 20;
  std::vector<float> x(n, 1);
  x[0] = x[1] = 1e30f, x[n - 2] = x[n - 1] = 1e-30f;
  const auto product = same_for_any_threads(std::vector<float>(1), [&](const Table& t, float* y) {
    t.reduce[int(Reduce::prod)][int(f32)](x.data(), y, 1, n, 1);
  });
  CHECK(product[0] == doctest::Approx(1));
}
