#include <cstring>

#include "reference.hpp"

// Reductions, softmax and logsumexp against sums in long double.
using namespace reference;
using xgrad::dtype_of;
using xgrad::kernels::Reduce;
using xgrad::kernels::Softmax;

namespace {

long double reduced(Reduce kind, const std::vector<long double>& x) {
  long double result = kind == Reduce::prod ? 1 : kind == Reduce::max ? -inf : kind == Reduce::min ? inf : 0;
  for (const long double v : x) {
    if (std::isnan(v) || std::isnan(result))
      result = NaN;
    else if (kind == Reduce::sum)
      result += v;
    else if (kind == Reduce::prod)
      result *= v;
    else if (kind == Reduce::max)
      result = std::max(result, v);
    else if (kind == Reduce::min)
      result = std::min(result, v);
    else
      result = std::hypot(result, v);
  }
  return result;
}

/// Calls body(slice, magnitude, o, i) with each slice along the axis and the sum of its magnitudes.
template <class T, class Body>
void for_each_slice(const T* x, Size outer, Size count, Size inner, Body body) {
  for (Size o = 0; o < outer; ++o) {
    for (Size i = 0; i < inner; ++i) {
      std::vector<long double> slice;
      long double magnitude = 0;
      for (Size r = 0; r < count; ++r) {
        slice.push_back(static_cast<long double>(x[(o * count + r) * inner + i]));
        magnitude += std::fabs(slice.back());
      }
      body(slice, magnitude, o, i);
    }
  }
}

template <class T>
void check_reduce(const Table& t, Reduce kind, Size outer, Size count, Size inner) {
  if (count == 0 && (kind == Reduce::max || kind == Reduce::min)) return;
  INFO("int(kind), outer, count, inner: ", int(kind), " ", outer, " ", count, " ", inner);
  const auto x = values<T>(outer * count * inner + 1);
  std::vector<T> y(at(outer * inner), T(77));
  t.reduce[int(kind)][int(dtype_of<T>)](x.data() + 1, y.data(), outer, count, inner);  // + 1: unaligned
  for_each_slice(x.data() + 1, outer, count, inner, [&](const auto& slice, long double magnitude, Size o, Size i) {
    const long double expected = reduced(kind, slice);
    // f32 is held in f64; f64 rounds at every step.
    const double ulps = sizeof(T) == 4 ? 1 : 1 + (kind == Reduce::prod ? double(count) : std::sqrt(double(count)));
    CHECK(close(y[at(o * inner + i)], expected, ulps, kind == Reduce::sum ? magnitude : 0));
  });
}

template <class T>
void check_centre(const Table& t, Size outer, Size count, Size inner) {
  INFO("outer, count, inner: ", outer, " ", count, " ", inner);
  const auto x = values<T>(outer * count * inner);
  auto y = x;
  std::vector<T> squares(at(outer * inner));
  t.centre[int(dtype_of<T>)](x.data(), y.data(), outer, count, inner);
  t.squared_deviations[int(dtype_of<T>)](x.data(), squares.data(), outer, count, inner);
  for_each_slice(x.data(), outer, count, inner, [&](const auto& slice, long double, Size o, Size i) {
    const long double mean = reduced(Reduce::sum, slice) / static_cast<long double>(count);
    long double sum = 0;
    for (Size r = 0; r < count; ++r) {
      CHECK(close(y[at((o * count + r) * inner + i)], slice[at(r)] - mean, 2, 1));
      sum += (slice[at(r)] - mean) * (slice[at(r)] - mean);
    }
    CHECK(close(squares[at(o * inner + i)], sum, 4 + std::sqrt(double(count)), 1));
  });
}

template <class T>
void check_softmax(const Table& t, Size outer, Size count, Size inner) {
  INFO("outer, count, inner: ", outer, " ", count, " ", inner);
  const auto x = values<T>(outer * count * inner);
  std::vector<T> y(x.size()), z(x.size()), sums(at(outer * inner));
  t.reduce[int(Reduce::logsumexp)][int(dtype_of<T>)](x.data(), sums.data(), outer, count, inner);
  t.softmax[int(Softmax::softmax)][int(dtype_of<T>)](x.data(), y.data(), outer, count, inner);
  t.softmax[int(Softmax::log_softmax)][int(dtype_of<T>)](x.data(), z.data(), outer, count, inner);
  for_each_slice(x.data(), outer, count, inner, [&](const auto& slice, long double, Size o, Size i) {
    long double sum = 0;
    for (const long double v : slice) sum += std::exp(v);
    CHECK(close(sums[at(o * inner + i)], std::log(sum), 2, 1));
    for (Size r = 0; r < count; ++r) {
      const std::size_t p = at((o * count + r) * inner + i);
      CHECK(close(y[p], std::exp(slice[at(r)]) / sum, 6));
      CHECK(close(z[p], slice[at(r)] - std::log(sum), 3, 4));
    }
  });
}

template <class T, class Kernel>
std::vector<T> apply(Kernel kernel, const std::vector<T>& x, Size outputs = 1) {
  std::vector<T> y(at(outputs));
  kernel(x.data(), y.data(), 1, Size(x.size()), 1);
  return y;
}

}  // namespace

TEST_CASE("reductions agree with long double over every axis position and length") {
  for_each_table([](const Table& t) {
    for (const Reduce kind : {Reduce::sum, Reduce::prod, Reduce::max, Reduce::min, Reduce::norm2}) {
      const auto all = [&](Size outer, Size count, Size inner) {
        check_reduce<float>(t, kind, outer, count, inner);
        check_reduce<double>(t, kind, outer, count, inner);
        const bool exact = kind != Reduce::norm2 && (kind != Reduce::prod || count < 25);
        if (exact) check_reduce<std::int64_t>(t, kind, outer, count, inner);
      };
      for (Size count = 0; count < 70; ++count) all(2, count, 1);
      for (const Size count : {127, 128, 129, 511, 512, 513, 700, 1025}) all(2, count, 1);
      for (const Size inner : {2, 3, 7, 16, 63, 64, 65, 513, 1100})
        for (const Size count : {0, 1, 2, 5, 9, 40, 300}) all(count > 100 ? 1 : 2, count, inner);
      all(0, 3, 2), all(3, 2, 0), all(5, 1, 1);
    }
    CHECK(!t.reduce[int(Reduce::sum)][int(xgrad::boolean)]);
  });
}

TEST_CASE("reductions of special values") {
  for_each_table([](const Table& t) {
    const auto reduce = [&](Reduce kind, const std::vector<double>& x) {
      const double wide = apply(t.reduce[int(kind)][int(xgrad::f64)], x)[0];
      const std::vector<float> narrow_x(x.begin(), x.end());
      const float narrow = apply(t.reduce[int(kind)][int(xgrad::f32)], narrow_x)[0];
      CHECK(close(narrow, static_cast<float>(wide), 1));
      return wide;
    };
    for (const Size n : {1, 3, 20, 600}) {
      for (Size where = 0; where < n; where += std::max<Size>(1, n / 7)) {
        std::vector<double> x(at(n), 1.5);
        x[at(where)] = NaN;
        for (const Reduce kind : {Reduce::sum, Reduce::prod, Reduce::max, Reduce::min, Reduce::norm2})
          CHECK(std::isnan(reduce(kind, x)));
        if (n > 1) x[at(where == 0 ? 1 : 0)] = inf;
        CHECK(std::isnan(reduce(Reduce::norm2, x)));
        CHECK(std::isnan(reduce(Reduce::max, x)));
      }
      CHECK(reduce(Reduce::max, std::vector<double>(at(n), -inf)) == -inf);
      CHECK(reduce(Reduce::min, std::vector<double>(at(n), inf)) == inf);
      CHECK(reduce(Reduce::norm2, std::vector<double>(at(n), -inf)) == inf);
    }
    const auto norm = t.reduce[int(Reduce::norm2)][int(xgrad::f64)];
    for (const double big : {1e200, 1e-200, 4e-320}) {
      CHECK(close(apply<double>(norm, {big, -big})[0], std::sqrt(2.L) * big, big < 1e-310 ? 1e15 : 2));
      const std::vector<double> columns{big, 3, big, 4};
      double y[2];
      norm(columns.data(), y, 1, 2, 2);
      CHECK(close(y[0], std::sqrt(2.L) * big, big < 1e-310 ? 1e15 : 2));
      CHECK(y[1] == 5);
    }
    const std::int64_t most = std::numeric_limits<std::int64_t>::max();
    CHECK(apply<std::int64_t>(t.reduce[int(Reduce::sum)][int(xgrad::i64)], {most, 1})[0] == -most - 1);
    CHECK(apply<std::int64_t>(t.reduce[int(Reduce::prod)][int(xgrad::i64)], {most, 2})[0] == -2);
  });
}

TEST_CASE("f32 sums keep 1e-6 over ten million values") {
  const std::vector<float> x(10'000'000, 0.1f);
  for_each_table([&](const Table& t) {
    const auto sum = t.reduce[int(Reduce::sum)][int(xgrad::f32)];
    CHECK(close(apply(sum, x)[0], 1e7L * 0.1f, 1));
    float columns[4];
    sum(x.data(), columns, 1, Size(x.size()) / 4, 4);
    for (const float y : columns) CHECK(close(y, 2.5e6L * 0.1f, 1));
  });
}

TEST_CASE("centre subtracts a mean held in double, and squared deviations are summed from it") {
  for_each_table([](const Table& t) {
    for (const Size count : {1, 2, 3, 15, 16, 17, 100, 1000, 3000}) {
      check_centre<float>(t, 3, count, 1), check_centre<double>(t, 3, count, 1);
      check_centre<float>(t, 2, count, 3), check_centre<double>(t, 1, count, 520);
    }
    const auto centre = t.centre[int(xgrad::f32)];
    CHECK(apply<float>(centre, {1e8f, 1e8f + 8}, 2) == std::vector<float>{-4, 4});
    const auto squared = t.squared_deviations[int(xgrad::f32)];
    CHECK(apply<float>(squared, {1e8f, 1e8f + 8})[0] == 32);
    std::vector<float> far(3000, 1e8f);  // several pieces of which each is constant
    std::fill(far.begin() + 2048, far.end(), 1e8f + 8);
    CHECK(close(apply<float>(squared, far)[0], 64.L * 2048 * 952 / 3000, 1));
    far[1] = float(inf);
    CHECK(std::isnan(apply<float>(squared, far)[0]));
  });
}

TEST_CASE("squared deviations of what is hard on one pass: trends, outliers, constants, far and huge numbers") {
  for_each_table([](const Table& t) {
    const auto squared = [&](const std::vector<double>& x, Size inner) {
      std::vector<double> y(at(inner));
      t.squared_deviations[int(xgrad::f64)](x.data(), y.data(), 1, Size(x.size()) / inner, inner);
      return y;
    };
    for (const Size inner : {1, 3, 40, 1100}) {
      INFO("columns: ", inner);
      const Size count = 120'000 / inner;
      const auto n = static_cast<long double>(count);
      std::vector<double> trend(at(count * inner)), outlier, constant(trend.size(), 0.1);
      for (Size p = 0; p < count * inner; ++p) trend[at(p)] = 1e6 + double(p / inner) * double(1 + p % inner);
      outlier = values<double>(count * inner);
      for (Size i = 0; i < inner; ++i) outlier[at(i)] = 1e8;
      const auto of_trend = squared(trend, inner), of_outlier = squared(outlier, inner);
      for (Size i = 0; i < inner; ++i) {
        const auto step = static_cast<long double>(1 + i);
        CHECK(close(of_trend[at(i)], step * step * n * (n * n - 1) / 12, 50));
        long double mean = 0, expected = 0;
        for (Size r = 0; r < count; ++r) mean += outlier[at(r * inner + i)] / n;
        for (Size r = 0; r < count; ++r) expected += std::pow(outlier[at(r * inner + i)] - mean, 2);
        CHECK(close(of_outlier[at(i)], expected, 200));
      }
      for (const double y : squared(constant, inner)) CHECK(y == 0);
      for (const double y : squared({}, inner)) CHECK(y == 0);
      const std::vector<double> first_rows(trend.begin(), trend.begin() + 3 * inner);
      for (Size i = 0; i < inner; ++i) CHECK(squared(first_rows, inner)[at(i)] == 2. * double((1 + i) * (1 + i)));
      std::vector<double> huge(at(50 * inner), 1e200);
      for (std::size_t p = 0; p < huge.size(); p += 2) huge[p] = -1e199;
      for (Size i = 0; i < inner; ++i) huge[at(i)] = 1e198;
      for (const double y : squared(huge, inner)) CHECK(y == inf);
      huge.back() = inf;
      CHECK(std::isnan(squared(huge, inner).back()));
    }
  });
}

TEST_CASE("softmax, log_softmax and logsumexp") {
  for_each_table([](const Table& t) {
    for (const Size count : {1, 2, 3, 10, 15, 16, 17, 33, 100, 2047, 2048, 2049, 5000})
      for (const Size outer : {0, 1, 3, 300})
        if (outer * count < 20000) check_softmax<float>(t, outer, count, 1), check_softmax<double>(t, outer, count, 1);
    for (const Size inner : {0, 2, 3, 17, 511, 513, 1100})
      check_softmax<float>(t, 2, 5, inner), check_softmax<double>(t, 1, 7, inner);
    check_softmax<float>(t, 2, 1500, 2);

    for (const auto kind : {Softmax::softmax, Softmax::log_softmax}) {
      const auto both = [&](const std::vector<double>& x) {
        const auto y = apply(t.softmax[int(kind)][int(xgrad::f64)], x, Size(x.size()));
        const auto narrow =
            apply(t.softmax[int(kind)][int(xgrad::f32)], std::vector<float>(x.begin(), x.end()), Size(x.size()));
        for (std::size_t i = 0; i < y.size(); ++i) CHECK(close(narrow[i], y[i], 4));
        return y;
      };
      const bool log = kind == Softmax::log_softmax;
      CHECK(both({1000, -1000, 0}) == (log ? std::vector<double>{0, -2000, -1000} : std::vector<double>{1, 0, 0}));
      CHECK(both({-inf, 0})[0] == (log ? -inf : 0));
      CHECK(both({-inf, 0})[1] == (log ? 0 : 1));
      for (const double v : both({-inf, -inf})) CHECK(std::isnan(v));
      for (const double v : both({inf, 0, -inf})) CHECK(std::isnan(v));
      for (const double v : both({NaN, 0, 1})) CHECK(std::isnan(v));
    }
    const auto sum = t.reduce[int(Reduce::logsumexp)][int(xgrad::f32)];
    CHECK(apply<float>(sum, {1000, -1000, 0})[0] == 1000);
    CHECK(apply<float>(sum, {float(-inf), 0})[0] == 0);
    CHECK(apply<float>(sum, {float(-inf), float(-inf)})[0] == -inf);
    CHECK(apply<float>(sum, {float(inf), 0, float(-inf)})[0] == inf);
    CHECK(std::isnan(apply<float>(sum, {float(NaN), 0, float(inf)})[0]));
  });
}

TEST_CASE_TEMPLATE("softmax of elements far below the largest: as exact as T, and 0 where they are masked", T, float,
                   double) {
  for_each_table([](const Table& t) {
    const Size shapes[][3] = {{1, 1, 1},    {1, 2, 1},    {1, 33, 1},   {1, 100, 1}, {3, 3000, 1},
                              {1, 9000, 1}, {50, 9, 1},   {300, 31, 1}, {40, 17, 3}, {1, 500, 3},
                              {2, 3000, 5}, {1, 17, 999}, {1, 3, 530}};
    for (const auto& shape : shapes) {
      const Size outer = shape[0], count = shape[1], inner = shape[2];
      INFO("outer, count, inner: ", outer, " ", count, " ", inner);
      auto x = values<T>(outer * count * inner);
      for (std::size_t p = 0; p < x.size(); ++p)  // differences are exact
        x[p] = p % 7 == 3 && count > 9 ? -T(inf) : std::round(x[p] * 256) / T(sizeof(T) == 4 ? 16 : 2);
      std::vector<T> y(x.size());
      t.softmax[int(Softmax::softmax)][int(dtype_of<T>)](x.data(), y.data(), outer, count, inner);
      for_each_slice(x.data(), outer, count, inner, [&](const auto& slice, long double, Size o, Size i) {
        long double sum = 0;
        for (const long double v : slice) sum += std::exp(v);
        for (Size r = 0; r < count; ++r) {
          const long double expected = std::exp(slice[at(r)]) / sum, got = y[at((o * count + r) * inner + i)];
          const auto exact = static_cast<long double>(std::numeric_limits<T>::epsilon()) * expected;
          CHECK(std::fabs(got - expected) <= 6 * exact + std::numeric_limits<T>::denorm_min());
        }
      });
    }
  });
}

TEST_CASE_TEMPLATE("logsumexp over what rises, falls, lies far apart or is special, wherever it stands", T, float,
                   double) {
  const T infinite = T(inf);
  for_each_table([&](const Table& t) {
    for (const Size inner : {1, 3, 40, 1100}) {
      const auto sums = [&](const std::vector<T>& x) {
        std::vector<T> y(at(inner));
        t.reduce[int(Reduce::logsumexp)][int(dtype_of<T>)](x.data(), y.data(), 1, Size(x.size()) / inner, inner);
        return y;
      };
      for (const Size count : {1, 2, 15, 33, inner < 10 ? 700 : 17, inner == 1 ? 9001 : 65}) {
        INFO("count, inner: ", count, " ", inner);
        for (const T slope : {T(0), T(1e-3), T(-1e-3), T(0.3), T(-0.3), T(7), T(-7), T(100), T(-2000)}) {
          std::vector<T> x(at(count * inner));
          for (Size p = 0; p < count * inner; ++p) x[at(p)] = slope * T(p / inner) + T(p % inner % 5);
          const auto y = sums(x);
          for (Size i = 0; i < inner; ++i) {
            const auto largest = static_cast<long double>(std::max(x[at(i)], x[at((count - 1) * inner + i)]));
            long double sum = 0;
            for (Size r = 0; r < count; ++r) sum += std::exp(static_cast<long double>(x[at(r * inner + i)]) - largest);
            CHECK(close(y[at(i)], largest + std::log(sum), 2, 1));
          }
        }
        for (const Size where : {Size(0), count / 2, count - 1}) {
          for (const T special : {infinite, -infinite, T(NaN)}) {
            auto x = values<T>(count * inner), without = x;
            for (Size i = 0; i < inner; i += 2)
              x[at(where * inner + i)] = special, without[at(where * inner + i)] = -300;
            const auto y = sums(x), plain = sums(without);
            for (Size i = 0; i < inner; ++i) {
              const bool is_special = i % 2 == 0 && (special != -infinite || count == 1);
              CHECK(close(y[at(i)], static_cast<long double>(is_special ? special : plain[at(i)]), 0));
            }
            if (count > 1) x[at((where == 0 ? 1 : 0) * inner)] = T(inf);
            if (std::isnan(special)) CHECK(std::isnan(sums(x)[0]));
          }
        }
        for (const T all : {-infinite, infinite, std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max(), T(0)})
          for (const T y : sums(std::vector<T>(at(count * inner), all)))
            CHECK(close(y, static_cast<long double>(all) + std::log(static_cast<long double>(count)), 1));
        // Of a mask, which begins late.
        std::vector<T> late(at(count * inner), -infinite);
        for (Size i = 0; i < inner; ++i) late[at((count - 1) * inner + i)] = T(i - 2000);
        const auto y = sums(late);
        for (Size i = 0; i < inner; ++i) CHECK(y[at(i)] == T(i - 2000));
      }
    }
  });
}

TEST_CASE("add_row adds a row to every row") {
  for_each_table([](const Table& t) {
    for (const Size rows : {0, 1, 7, 16, 33}) {
      for (const Size cols : {0, 1, 3, 15, 16, 17, 64}) {
        const auto check = [&](auto zero) {
          using T = decltype(zero);
          const auto row = values<T>(cols, 2), before = values<T>(rows * cols, 3);
          auto c = before;
          t.add_row[int(dtype_of<T>)](row.data(), c.data(), rows, cols);
          for (std::size_t i = 0; i < c.size(); ++i) CHECK(c[i] == before[i] + row[i % at(cols)]);
        };
        check(0.f), check(0.), check(std::int64_t{});
      }
    }
  });
}
