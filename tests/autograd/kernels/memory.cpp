#include <numeric>

#include "reference.hpp"

// Kernels that copy, add up and broadcast blocks of memory.
using namespace reference;
namespace k = xgrad::kernels;
using xgrad::dtype_of;

namespace {

template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, unsigned char, T>;

/// Copies (or adds) between two blocks of memory with the given strides, and checks every element of the target.
template <class T>
void check_walk(const Table& t, std::vector<Size> sizes, std::vector<Size> to_strides, std::vector<Size> from_strides) {
  Loop<2> loop;
  Size low[2] = {1, 1}, high[2] = {1, 1};  // elements before and after the first one, and a guard on both sides
  for (std::size_t d = 0; d < sizes.size(); ++d, ++loop.rank) {
    const Size strides[2] = {to_strides[d], from_strides[d]};
    loop.sizes[d] = sizes[d];
    for (int a = 0; a < 2; ++a) {
      loop.strides[a][d] = strides[a];
      (strides[a] < 0 ? low[a] : high[a]) += std::max<Size>(sizes[d] - 1, 0) * std::abs(strides[a]);
    }
  }
  INFO("sizes, strides of to, of from: ", text(sizes), text(to_strides), text(from_strides));
  using S = Stored<T>;
  const auto from = values<S>(low[1] + high[1] + 1, 1), before = values<S>(low[0] + high[0] + 1, 2);
  for (const bool add : {false, true}) {
    const auto kernel = (add ? t.accumulate : t.copy)[int(dtype_of<T>)];
    if (std::is_same_v<T, bool> && add) {
      CHECK(!kernel);
      continue;
    }
    auto to = before, expected = before;
    if (loop.count() > 0) {
      k::for_each_row(loop, [&](const Size* offsets) {
        const int last = loop.rank - 1;
        for (Size i = 0; i < loop.sizes[last]; ++i) {
          S& e = expected[at(low[0] + offsets[0] + i * loop.strides[0][last])];
          const S f = from[at(low[1] + offsets[1] + i * loop.strides[1][last])];
          e = static_cast<S>(add ? e + f : f);
        }
      });
    }
    kernel(from.data() + low[1], to.data() + low[0], loop);
    CHECK(to == expected);
  }
}

template <class T>
void check_walks(const Table& t) {
  for (Size n = 0; n < 40; ++n) check_walk<T>(t, {n}, {1}, {1});
  for (const Size n : {1, 5, 16, 17, 100}) {
    for (const Size step : {-3, -2, -1, 0, 2, 5}) check_walk<T>(t, {n}, {1}, {step});
    for (const Size step : {-3, -1, 2}) check_walk<T>(t, {n}, {step}, {1}), check_walk<T>(t, {n}, {step}, {0});
  }
  for (const Size m : {0, 1, 2, 15, 16, 17, 33, 130, 300}) {
    for (const Size n : {0, 1, 3, 16, 31, 32, 49, 131, 280}) {
      check_walk<T>(t, {m, n}, {n, 1}, {1, m});  // transposes
      check_walk<T>(t, {m, n}, {1, m}, {n, 1});
      check_walk<T>(t, {m, n}, {n + 3, 1}, {1, -m - 1});
      if (m * n > 3000) continue;
      check_walk<T>(t, {m, n}, {n, 1}, {0, 1});  // broadcasts
      check_walk<T>(t, {m, n}, {n, 1}, {1, 0});
      check_walk<T>(t, {m, n}, {n + 2, 1}, {2 * n, 2});  // slices with steps
      check_walk<T>(t, {m, n}, {n, 1}, {-n, -1});        // flips
    }
  }
  check_walk<T>(t, {3, 4, 5}, {20, 5, 1}, {1, 3, 12});
  check_walk<T>(t, {5, 17, 18}, {306, 18, 1}, {306, 1, 17});
  check_walk<T>(t, {17, 5, 18}, {90, 18, 1}, {1, 306, 17});
  check_walk<T>(t, {2, 3, 4, 5}, {60, 20, 5, 1}, {60, 1, 15, 3});
  check_walk<T>(t, {2, 1, 2, 1, 3, 2, 1, 2}, {24, 24, 12, 12, 4, 2, 2, 1}, {1, 2, 0, 5, -2, 6, 7, 18});
}

constexpr Size outer = 2, count = 4, inner = 3, picks = 5;
const std::vector<Size> index{3, 0, 0, 2, 3};

/// All positions (o, j, i) of (outer, n, inner).
template <class Body>
void for_each_position(Size n, Body body) {
  for (Size o = 0; o < outer; ++o)
    for (Size j = 0; j < n; ++j)
      for (Size i = 0; i < inner; ++i) body((o * n + j) * inner + i, o, j, i);
}

template <class T>
void check_indexing() {
  const Table& t = k::serial_table();
  using S = Stored<T>;
  const int d = int(dtype_of<T>);
  const auto x = values<S>(outer * count * inner, 1), source = values<S>(outer * picks * inner, 2);
  std::vector<Size> each(at(outer * picks * inner));
  for (std::size_t p = 0; p < each.size(); ++p) each[p] = Size(p * 7 % at(count));
  std::vector<S> taken(source.size()), gathered(source.size());
  auto added = x, scattered = x;
  using Sum = std::conditional_t<std::is_same_v<T, float>, double, S>;
  std::vector<Sum> expected_added(x.begin(), x.end()), expected_scattered = expected_added;
  t.take[d](x.data(), index.data(), taken.data(), outer, count, picks, inner);
  t.gather[d](x.data(), each.data(), gathered.data(), outer, count, picks, inner);
  for_each_position(picks, [&](Size p, Size o, Size j, Size i) {
    const std::size_t row = at((o * count + index[at(j)]) * inner + i), own = at((o * count + each[at(p)]) * inner + i);
    CHECK(taken[at(p)] == x[row]);
    CHECK(gathered[at(p)] == x[own]);
    expected_added[row] = static_cast<Sum>(expected_added[row] + source[at(p)]);
    expected_scattered[own] = static_cast<Sum>(expected_scattered[own] + source[at(p)]);
  });
  if (dtype_of<T> == xgrad::boolean) return;
  t.index_add[d](added.data(), index.data(), source.data(), outer, count, picks, inner);
  t.scatter_add[d](scattered.data(), each.data(), source.data(), outer, count, picks, inner);
  for (std::size_t p = 0; p < x.size(); ++p) {
    CHECK(added[p] == static_cast<S>(expected_added[p]));
    CHECK(scattered[p] == static_cast<S>(expected_scattered[p]));
  }
}

template <class T>
void check_scans(Size width) {
  const auto x = values<T>(outer * count * width);
  for (const bool reverse : {false, true}) {
    for (const bool exclusive : {false, true}) {
      std::vector<T> sums(x.size()), products(x.size());
      k::serial_table().cumsum[int(dtype_of<T>)](x.data(), sums.data(), outer, count, width, reverse, exclusive);
      k::serial_table().cumprod[int(dtype_of<T>)](x.data(), products.data(), outer, count, width, reverse, exclusive);
      for (Size p = 0; p < outer * count * width; ++p) {
        const Size o = p / (count * width), j = p / width % count, i = p % width;
        long double sum = 0, product = 1;
        for (Size r = 0; r < count; ++r) {
          const auto v = static_cast<long double>(x[at((o * count + r) * width + i)]);
          if ((reverse ? r < j : r > j) || (r == j && exclusive)) continue;
          sum += v;
          product *= v;
        }
        CHECK(close(sums[at(p)], sum, 4, 4));
        CHECK(close(products[at(p)], product, 4));
      }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("copy and accumulate walk any strides", T, float, double, std::int64_t, bool) {
  for_each_table([](const Table& t) { check_walks<T>(t); });
}

TEST_CASE_TEMPLATE("take, gather, index_add and scatter_add", T, float, double, std::int64_t, bool) {
  check_indexing<T>();
  k::serial_table().take[int(dtype_of<T>)](nullptr, nullptr, nullptr, 0, 3, 0, 2);
}

TEST_CASE_TEMPLATE("cumsum and cumprod in both directions", T, float, double, std::int64_t) {
  for (const Size width : {1, 3, 600}) check_scans<T>(width);
}

TEST_CASE("cumsum and cumprod of special values") {
  const double x[4] = {1, inf, -inf, 1};
  double y[4];
  k::serial_table().cumsum[int(xgrad::f64)](x, y, 1, 4, 1, false, false);
  CHECK((y[0] == 1 && y[1] == inf && std::isnan(y[2]) && std::isnan(y[3])));
  const std::vector<float> tenths(10'000'000, 0.1f);
  std::vector<float> sums(tenths.size());
  k::serial_table().cumsum[int(xgrad::f32)](tenths.data(), sums.data(), 1, Size(tenths.size()), 1, false, false);
  CHECK(close(sums.back(), 1e7L * 0.1f, 1));
}

TEST_CASE("argmax and argmin give the first of equals, and the first NaN before all") {
  const auto both = [](std::vector<double> x) {
    Size most = -1, least = -1;
    k::serial_table().argmax[int(xgrad::f64)](x.data(), &most, 1, Size(x.size()), 1);
    k::serial_table().argmin[int(xgrad::f64)](x.data(), &least, 1, Size(x.size()), 1);
    return std::pair(most, least);
  };
  CHECK(both({1, 3, 0, 3, 0}) == std::pair<Size, Size>(1, 2));
  CHECK(both({1, NaN, inf, -inf, NaN}) == std::pair<Size, Size>(1, 1));
  CHECK(both({-inf, -inf}) == std::pair<Size, Size>(0, 0));
  const std::int64_t x[6] = {1, 9, 5, 2, 5, 9};  // columns (1, 5, 5) and (9, 2, 9)
  Size most[2];
  k::serial_table().argmax[int(xgrad::i64)](x, most, 1, 3, 2);
  CHECK((most[0] == 1 && most[1] == 0));
}

TEST_CASE("argsort is stable and puts NaN where NumPy would") {
  const std::vector<double> x{2, NaN, -inf, 2, 1, NaN, inf, 1};
  const auto picked = [&](bool descending, Size n) {
    std::vector<Size> first(at(n));
    k::serial_table().argsort[int(xgrad::f64)](x.data(), first.data(), 1, Size(x.size()), n, 1, descending);
    return first;
  };
  const auto sorted = [&](bool descending) { return picked(descending, Size(x.size())); };
  CHECK(sorted(false) == std::vector<Size>{2, 4, 7, 0, 3, 6, 1, 5});
  CHECK(sorted(true) == std::vector<Size>{1, 5, 6, 0, 3, 4, 7, 2});
  const float columns[6] = {3, 10, 1, 30, 2, 20};
  std::vector<Size> order(6);
  k::serial_table().argsort[int(xgrad::f32)](columns, order.data(), 1, 3, 3, 2, false);
  CHECK(order == std::vector<Size>{1, 0, 2, 2, 0, 1});
  for (const bool descending : {false, true}) {
    const std::vector<Size> all = sorted(descending);
    for (Size n = 0; n <= Size(x.size()); ++n)
      CHECK(picked(descending, n) == std::vector<Size>(all.begin(), all.begin() + n));
  }
  order.resize(4);
  k::serial_table().argsort[int(xgrad::f32)](columns, order.data(), 1, 3, 2, 2, true);
  CHECK(order == std::vector<Size>{0, 1, 2, 2});
}
