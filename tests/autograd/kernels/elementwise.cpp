#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "environment.hpp"
#include "support.hpp"

// Elementwise kernels at every length and stride, and what comparisons, integers and instruction sets do.
using namespace kernels_support;

namespace {

/// The kernel on `n` elements, from and to addresses that suit no alignment, must do to each what it does to one.
template <class T, class Out>
void check_lengths(Table::UnaryFn f, const std::string& what) {
  const std::vector<T> values = sweep<T>();
  int wrong = 0;
  for (int n = 0; n <= 70; ++n) {
    for (int shift = 0; shift < 2; ++shift) {
      std::vector<T> x(values.begin() + 3 * n, values.begin() + 4 * n);
      x.insert(x.begin(), std::size_t(shift), T(7));
      std::vector<Out> y(x.size() + 2, Out(5));
      f(x.data() + shift, y.data() + shift, n);
      for (int i = 0; i < n; ++i) {
        Out alone;
        f(&x[std::size_t(shift + i)], &alone, 1);
        wrong += !same_bits(alone, y[std::size_t(shift + i)]);
      }
      wrong += y[std::size_t(shift + n)] != Out(5) || (shift && y[0] != Out(5));
      if constexpr (std::is_same_v<T, Out>) {
        f(x.data() + shift, x.data() + shift, n);
        for (int i = 0; i < n; ++i) wrong += !same_bits(x[std::size_t(shift + i)], y[std::size_t(shift + i)]);
      }
    }
  }
  INFO("kernel " << what << " of " << std::string(name_of(dtype_of<T>)));
  CHECK(wrong == 0);
}

template <class T>
struct Walked {
  std::vector<T> a, b;
  Loop<2> loop;
  Size a_start = 0, b_start = 0;
};

/// Operands for a loop with these sizes, the strides of each being `strides` and its data beginning where needed.
template <class T>
Walked<T> layout(std::vector<Size> sizes, std::vector<Size> a_strides, std::vector<Size> b_strides) {
  Walked<T> w;
  w.loop.rank = int(sizes.size());
  Size spans[2] = {1, 1}, starts[2] = {};
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    w.loop.sizes[d] = sizes[d];
    for (int k = 0; k < 2; ++k) {
      const Size stride = w.loop.strides[k][d] = (k == 0 ? a_strides : b_strides)[d];
      spans[k] += std::abs(stride) * std::max<Size>(sizes[d] - 1, 0);
      if (stride < 0) starts[k] += -stride * (sizes[d] - 1);
    }
  }
  std::mt19937 random(3);
  const auto fill = [&](std::vector<T>& v, Size n) {
    for (Size i = 0; i < n; ++i) v.push_back(T(int(random() % 13) - 6));
  };
  fill(w.a, spans[0]), fill(w.b, spans[1]);
  w.a_start = starts[0], w.b_start = starts[1];
  return w;
}

template <class T>
std::vector<Walked<T>> layouts() {
  std::vector<Walked<T>> all;
  for (Size n : {1, 3, 8, 17, 64, 300}) {
    for (Size sa : {1, 0, -1, 2}) {
      for (Size sb : {1, 0, -1, -3}) {
        all.push_back(layout<T>({n}, {sa}, {sb}));
        all.push_back(layout<T>({5, n}, {n, sa}, {0, sb}));
      }
    }
    all.push_back(layout<T>({5, n}, {1, 0}, {0, 1}));
    all.push_back(layout<T>({2, 3, n}, {-3 * n, n, 1}, {n, 0, 1}));
    all.push_back(layout<T>({4, 2, n}, {1, 8 * n, 8}, {0, 1, 0}));
  }
  for (Size n : {2, 3, 10, 31}) {  // many short rows
    all.push_back(layout<T>({300, n}, {n, 1}, {0, 1}));
    all.push_back(layout<T>({300, n}, {1, 0}, {n, 1}));
    all.push_back(layout<T>({300, n}, {n, -1}, {0, 0}));
    all.push_back(layout<T>({2, 150, n}, {0, n, 1}, {150, 1, 0}));
    all.push_back(layout<T>({2, 150, n}, {n, 0, 1}, {3, 2, 5}));
  }
  all.push_back(layout<T>({0}, {1}, {1}));
  all.push_back(layout<T>({3, 0}, {1, 1}, {0, 1}));
  return all;
}

/// Each element of the walk must be what the kernel gives for its two operands alone.
template <class T, class Out>
void check_layouts(Table::BinaryFn f, const std::vector<Walked<T>>& all, const char* isa, int kernel) {
  Loop<2> one;
  one.collapse();
  int wrong = 0;
  for (const Walked<T>& w : all) {
    std::vector<Out> y(std::size_t(w.loop.count()) + 1, Out(9));
    f(w.a.data() + w.a_start, w.b.data() + w.b_start, y.data(), w.loop);
    std::size_t at = 0;
    const Size inner = w.loop.rank - 1;
    for_each_row(w.loop, [&](const Size* offsets) {
      for (Size i = 0; i < w.loop.sizes[inner]; ++i) {
        Out alone;
        f(&w.a[std::size_t(w.a_start + offsets[0] + i * w.loop.strides[0][inner])],
          &w.b[std::size_t(w.b_start + offsets[1] + i * w.loop.strides[1][inner])], &alone, one);
        wrong += !same_bits(alone, y[at++]);
      }
    });
    wrong += y[at] != Out(9);
  }
  INFO("kernel " << kernel << " of " << std::string(name_of(dtype_of<T>)) << " on " << std::string(isa));
  CHECK(wrong == 0);
}

template <class T>
void check_comparisons(const Table* t) {
  const double values[] = {0, 1, -2, inf, NaN};
  for (double p : values) {
    for (double q : values) {
      if (!is_floating(dtype_of<T>) && !(std::isfinite(p) && std::isfinite(q))) continue;
      const T a = T(p), b = T(q);
      const bool want[] = {a == b,           a != b,           a<b, a <= b, a> b,   a >= b,
                           a != 0 && b != 0, a != 0 || b != 0, (a != 0) != (b != 0)};
      for (int k = 0; k < int(Compare::count); ++k) {
        const auto f = t->compare[k][int(dtype_of<T>)];
        if (!f) continue;
        bool y = !want[k];
        f(&a, &b, &y, contiguous(1));
        CHECK(y == want[k]);
      }
    }
    if (!is_floating(dtype_of<T>) && !std::isfinite(p)) continue;
    const T x = T(p);
    const bool want[] = {x != x, std::isfinite(double(x)), x == 0};
    for (int k = 0; k < int(Predicate::count); ++k) {
      bool y = !want[k];
      t->predicate[k][int(dtype_of<T>)](&x, &y, 1);
      CHECK(y == want[k]);
    }
  }
}

template <class T>
void check_select(const Table* t) {
  int wrong = 0;
  for (Size n : {0, 1, 7, 16, 40, 300}) {
    const Size rows = n == 7 ? 200 : 3;  // 200: many short ones
    for (Size sm : {1, 0, -1}) {
      for (Size sa : {1, 0, 2}) {
        Loop<3> loop;
        loop.rank = 2;
        loop.sizes[0] = rows, loop.sizes[1] = n;
        loop.strides[0][1] = sm, loop.strides[1][1] = sa, loop.strides[2][1] = 1;
        loop.strides[0][0] = loop.strides[2][0] = n, loop.strides[1][0] = 0;
        std::vector<T> a, b, y(std::size_t(rows * n));
        std::vector<char> mask;
        for (Size i = 0; i < (rows + 1) * n + 2; ++i)
          a.push_back(T(i)), b.push_back(T(i % 2)), mask.push_back(i % 3 == 0);
        const Size start = sm < 0 ? n : 0;
        t->select[int(dtype_of<T>)](reinterpret_cast<const bool*>(mask.data()) + start, a.data(), b.data(), y.data(),
                                    loop);
        for (Size i = 0; i < rows * n; ++i) {
          const Size row = i / n, column = i % n;
          const bool m = mask[std::size_t(start + row * n + column * sm)];
          wrong += y[std::size_t(i)] != (m ? a[std::size_t(column * sa)] : b[std::size_t(i)]);
        }
      }
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("an element's value depends on neither its place nor the array's length") {
  for (const Table* t : tables()) {
    INFO(std::string(t->name));
    for (int k = 0; k < int(Unary::count); ++k) {
      check_lengths<float, float>(t->unary[k][int(f32)], std::to_string(k));
      check_lengths<double, double>(t->unary[k][int(f64)], std::to_string(k));
    }
    for (const auto& predicate : t->predicate) check_lengths<float, std::uint8_t>(predicate[int(f32)], "a predicate");
    check_lengths<double, float>(t->cast[int(f64)][int(f32)], "a cast to f32");
    check_lengths<double, std::int64_t>(t->cast[int(f64)][int(i64)], "a cast to i64");
    check_lengths<float, std::uint8_t>(t->cast[int(f32)][int(boolean)], "a cast to boolean");
  }
}

TEST_CASE("operands of any strides") {
  const auto floats = layouts<float>();
  const auto doubles = layouts<double>();
  const auto integers = layouts<std::int64_t>();
  for (const Table* t : tables()) {
    for (int k = 0; k < int(Binary::count); ++k) {
      check_layouts<float, float>(t->binary[k][int(f32)], floats, t->name, k);
      check_layouts<double, double>(t->binary[k][int(f64)], doubles, t->name, k);
      if (t->binary[k][int(i64)])
        check_layouts<std::int64_t, std::int64_t>(t->binary[k][int(i64)], integers, t->name, k);
    }
    for (int k = 0; k < int(Compare::count); ++k)
      check_layouts<float, std::uint8_t>(t->compare[k][int(f32)], floats, t->name, 100 + k);
    check_select<float>(t);
    check_select<double>(t);
    check_select<std::int64_t>(t);
  }
}

TEST_CASE("comparisons and predicates") {
  for (const Table* t : tables()) {
    INFO(std::string(t->name));
    check_comparisons<float>(t);
    check_comparisons<double>(t);
    check_comparisons<std::int64_t>(t);
    check_comparisons<bool>(t);
  }
}

TEST_CASE("integers wrap around and casts saturate") {
  using Integer = std::int64_t;
  constexpr Integer least_i64 = std::numeric_limits<Integer>::min(), most_i64 = std::numeric_limits<Integer>::max();
  for (const Table* t : tables()) {
    INFO(std::string(t->name));
    CHECK(unary<Integer>(t, Unary::negate, least_i64) == least_i64);
    CHECK(unary<Integer>(t, Unary::abs, -5) == 5);
    CHECK(unary<Integer>(t, Unary::abs, least_i64) == least_i64);
    CHECK(unary<Integer>(t, Unary::sign, -5) == -1);
    CHECK(unary<Integer>(t, Unary::square, -3) == 9);
    CHECK(binary<Integer>(t, Binary::add, most_i64, 1) == least_i64);
    CHECK(binary<Integer>(t, Binary::subtract, 3, 5) == -2);
    CHECK(binary<Integer>(t, Binary::multiply, Integer(1) << 62, 4) == 0);
    CHECK(binary<Integer>(t, Binary::minimum, -1, 1) == -1);
    CHECK(binary<Integer>(t, Binary::maximum, -1, 1) == 1);
    CHECK(!t->binary[int(Binary::divide)][int(i64)]);
    CHECK(!t->binary[int(Binary::subtract)][int(boolean)]);
    CHECK(binary<Integer>(t, Binary::floor_divide, -7, 2) == -4);
    CHECK(binary<Integer>(t, Binary::floor_divide, least_i64, -1) == least_i64);
    CHECK(binary<Integer>(t, Binary::floor_divide, 7, 0) == 0);
    CHECK(binary<Integer>(t, Binary::remainder, -7, 2) == 1);
    CHECK(binary<Integer>(t, Binary::remainder, 7, -2) == -1);
    CHECK(binary<Integer>(t, Binary::remainder, least_i64, -1) == 0);
    CHECK(binary<Integer>(t, Binary::fmod, -7, 2) == -1);
    CHECK(binary<Integer>(t, Binary::fmod, 7, 0) == 0);
    CHECK(binary<Integer>(t, Binary::pow, -3, 3) == -27);
    CHECK(binary<Integer>(t, Binary::pow, 2, 64) == 0);
    CHECK(binary<Integer>(t, Binary::pow, -1, -3) == -1);
    CHECK(binary<Integer>(t, Binary::pow, 2, -1) == 0);
    CHECK(unary<Integer>(t, Unary::floor, -5) == -5);

    CHECK(cast<double, Integer>(t, -2.9) == -2);
    CHECK(cast<double, Integer>(t, NaN) == 0);
    CHECK(cast<double, Integer>(t, 1e300) == most_i64);
    CHECK(cast<float, Integer>(t, -std::numeric_limits<float>::infinity()) == least_i64);
    CHECK(cast<double, float>(t, 1e300) == std::numeric_limits<float>::infinity());
    CHECK(cast<double, bool>(t, NaN));
    CHECK(cast<double, bool>(t, .5));
    CHECK_FALSE(cast<float, bool>(t, -0.f));
    CHECK(cast<bool, float>(t, true) == 1.f);
    CHECK(cast<Integer, bool>(t, Integer(1) << 40));
    CHECK(cast<Integer, double>(t, -7) == -7.);
  }
}

TEST_CASE("XGRAD_ISA forces an instruction set") {
  set_variable("XGRAD_ISA", "sse9");
  CHECK_THROWS_WITH(table(), "XGRAD_ISA is 'sse9'; set it to baseline, avx2 or avx512, or leave it unset");
  set_variable("XGRAD_ISA", "baseline");
  CHECK(std::string(table().name) == "baseline");
}
