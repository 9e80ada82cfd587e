#define XGRAD_ISA tested
#include <autograd/kernels/simd/philox.hpp>
#include <memory>

#include "reference.hpp"

// Random kernels: known numbers, statistics and independence of the split.
using namespace reference;
using xgrad::f32, xgrad::f64;

namespace {

constexpr std::uint64_t seed = 0x123456789ABCDEF0, stream = 0xFEDCBA9876543210;

template <class T>
std::vector<T> draw(Table::RandomFn kernel, Size n, std::uint64_t key = seed, std::uint64_t counter = stream) {
  std::vector<T> y(at(n));
  kernel(y.data(), n, 0, key, counter);
  return y;
}

std::vector<char> draw_keep(const Table& t, Size n, double p, std::uint64_t counter = stream) {
  std::unique_ptr<bool[]> y(new bool[at(n) + 1]);
  t.keep(y.get(), n, 0, p, seed, counter);
  return {y.get(), y.get() + n};
}

struct Moments {
  double mean = 0, variance = 0, third = 0, fourth = 0;
};
template <class T>
Moments moments(const std::vector<T>& x) {
  Moments m;
  for (const T v : x) m.mean += double(v) / double(x.size());
  for (const T v : x) {
    const double d = double(v) - m.mean, n = double(x.size());
    m.variance += d * d / n, m.third += d * d * d / n, m.fourth += d * d * d * d / n;
  }
  return m;
}

/// Chi-square of the counts against a uniform distribution.
double chi_square(const std::vector<Size>& counts, double expected) {
  double sum = 0;
  for (const Size c : counts) sum += (double(c) - expected) * (double(c) - expected) / expected;
  return sum;
}

}  // namespace

TEST_CASE("Philox 4x32-10 gives the known answers of Random123") {
  // kat_vectors; the third counter is the digits of pi with its lowest four bits, which number the lanes, taken as
  // lane.
  struct Known {
    std::uint64_t block, stream, seed;
    std::uint32_t words[4];
  };
  const std::uint64_t ones = ~std::uint64_t(0);
  const Known known[] = {
      {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {ones, ones, ones, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {0x85a308d3243f6a88, 0x0370734413198a2e, 0x299f31d0a4093822, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for (const Known& k : known) {
    std::uint32_t words[4][16];
    xgrad::kernels::tested::philox(words, k.block / 16 * 16, k.seed, k.stream);
    for (int w = 0; w < 4; ++w) CHECK(words[w][k.block % 16] == k.words[w]);
  }
  // Element 16 w of a call is word w of block 0.
  for_each_table([&](const Table& t) {
    const auto* zeros = known[0].words;
    const auto y = draw<float>(t.uniform[int(f32)], 64, 0, 0);
    for (int w = 0; w < 4; ++w) CHECK(y[at(16 * w)] == float(zeros[w] >> 8) * 0x1p-24f);
    const auto z = draw<double>(t.uniform[int(f64)], 32, 0, 0);
    for (int w = 0; w < 2; ++w)
      CHECK(z[at(16 * w)] == double(zeros[2 * w] >> 5) * 0x1p-27 + double(zeros[2 * w + 1] >> 6) * 0x1p-53);
  });
}

TEST_CASE("the same bits for every instruction set, whatever the length of the call") {
  const Table& first = *xgrad::kernels::available_tables().entries[0];
  const auto u = draw<float>(first.uniform[int(f32)], 1000), v = draw<float>(first.normal[int(f32)], 1000);
  const auto ud = draw<double>(first.uniform[int(f64)], 1000), vd = draw<double>(first.normal[int(f64)], 1000);
  const auto k = draw_keep(first, 1000, 0.3);
  const auto same = [](const auto& part, const auto& whole) {
    return std::equal(part.begin(), part.end(), whole.begin());
  };
  for_each_table([&](const Table& t) {
    for (const Size n : {0, 1, 2, 15, 16, 31, 32, 33, 63, 64, 65, 127, 1000}) {
      CAPTURE(n);
      CHECK(same(draw<float>(t.uniform[int(f32)], n), u));
      CHECK(same(draw<float>(t.normal[int(f32)], n), v));
      CHECK(same(draw<double>(t.uniform[int(f64)], n), ud));
      CHECK(same(draw<double>(t.normal[int(f64)], n), vd));
      CHECK(same(draw_keep(t, n, 0.3), k));
    }
  });
}

TEST_CASE("seeds and streams give unrelated numbers") {
  for_each_table([](const Table& t) {
    const auto a = draw<double>(t.uniform[int(f64)], 10000, 1, 1);
    for (const auto& b :
         {draw<double>(t.uniform[int(f64)], 10000, 1, 2), draw<double>(t.uniform[int(f64)], 10000, 2, 1),
          draw<double>(t.uniform[int(f64)], 10000, 1, 1 + (std::uint64_t(1) << 32)),
          draw<double>(t.uniform[int(f64)], 10000, 1 + (std::uint64_t(1) << 32), 1)}) {
      double correlation = 0;
      for (std::size_t i = 0; i < a.size(); ++i) correlation += (a[i] - 0.5) * (b[i] - 0.5) * 12 / double(a.size());
      CHECK(std::fabs(correlation) < 0.05);
    }
  });
}

TEST_CASE_TEMPLATE("uniform and normal have their distributions' moments", T, float, double) {
  constexpr Size n = 1 << 20;
  for_each_table([](const Table& t) {
    const int d = int(xgrad::dtype_of<T>);
    const auto u = draw<T>(t.uniform[d], n);
    const Moments mu = moments(u);
    CHECK(std::fabs(mu.mean - 0.5) < 5 * std::sqrt(1. / 12 / n));
    CHECK(std::fabs(mu.variance - 1. / 12) < 5 * std::sqrt(1. / 180 / n));
    std::vector<Size> counts(256), pairs(256);
    for (std::size_t i = 0; i < u.size(); ++i) {
      REQUIRE((u[i] >= 0 && u[i] < 1));
      ++counts[at(Size(u[i] * 256))];
      if (i % 2) ++pairs[at(Size(u[i - 1] * 16) * 16 + Size(u[i] * 16))];
    }
    // 255 degrees of freedom: mean 255, standard deviation 22.6.
    CHECK(chi_square(counts, n / 256.) == doctest::Approx(255).epsilon(0.45));
    CHECK(chi_square(pairs, n / 512.) == doctest::Approx(255).epsilon(0.45));

    const Moments mn = moments(draw<T>(t.normal[d], n));
    CHECK(std::fabs(mn.mean) < 5 / std::sqrt(n));
    CHECK(std::fabs(mn.variance - 1) < 5 * std::sqrt(2. / n));
    CHECK(std::fabs(mn.third) < 5 * std::sqrt(15. / n));
    CHECK(std::fabs(mn.fourth - 3) < 5 * std::sqrt(96. / n));
  });
}

TEST_CASE("keep is true with probability p") {
  for_each_table([](const Table& t) {
    constexpr Size n = 1 << 18;
    for (const double p : {0.0, 1e-12, 0.01, 0.5, 0.8, 0.999, 1 - 1e-12, 1.0}) {
      CAPTURE(p);
      Size kept = 0;
      for (const char k : draw_keep(t, n, p)) kept += k;
      if (p == 0 || p == 1) CHECK(kept == Size(p) * n);
      CHECK(std::fabs(double(kept) / n - p) <= 5 * std::sqrt(p * (1 - p) / n));
    }
  });
}

TEST_CASE_TEMPLATE("dropout scales what it keeps and never multiplies what it drops", T, float, double) {
  for_each_table([](const Table& t) {
    for (const Size n : {0, 1, 5, 16, 17, 100}) {
      auto x = values<T>(n);
      std::unique_ptr<bool[]> kept(new bool[at(n) + 1]);
      t.keep(kept.get(), n, 0, 0.5, seed, stream);
      for (Size i = 0; i < n; ++i)
        if (!kept[at(i)]) x[at(i)] = T(i % 2 ? inf : NaN);
      std::vector<T> y(x.size());
      t.dropout[int(xgrad::dtype_of<T>)](x.data(), kept.get(), 2, y.data(), n);
      for (Size i = 0; i < n; ++i) CHECK(y[at(i)] == (kept[at(i)] ? 2 * x[at(i)] : 0));
    }
  });
}

TEST_CASE("a call that begins at a later number continues the one that began at the first") {
  for_each_table([](const Table& t) {
    constexpr Size n = 300;
    for (const Size first : {64, 128, 256}) {
      const auto check = [&](auto kind, const auto& kernels) {
        using T = decltype(kind);
        const auto kernel = kernels[int(xgrad::dtype_of<T>)];
        const auto whole = draw<T>(kernel, n);
        auto rest = draw<T>(kernel, first);
        rest.resize(at(n));
        kernel(rest.data() + first, n - first, first, seed, stream);
        CHECK(whole == rest);
      };
      check(float{}, t.uniform);
      check(double{}, t.uniform);
      check(float{}, t.normal);
      check(double{}, t.normal);
      std::unique_ptr<bool[]> rest(new bool[at(n)]);
      t.keep(rest.get(), n - first, first, 0.3, seed, stream);
      const auto whole = draw_keep(t, n, 0.3);
      for (Size i = first; i < n; ++i) CHECK(rest[at(i - first)] == (whole[at(i)] != 0));
    }
  });
}
