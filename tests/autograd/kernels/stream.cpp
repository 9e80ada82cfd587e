#include <autograd/kernels/stream.hpp>

#include "parallel_support.hpp"

// Results that are stored past the caches are the same.
using namespace reference;
using namespace xgrad::kernels;
using xgrad::f32, xgrad::f64, xgrad::i64;

namespace {

/// What `call(y)` writes to n elements that begin anywhere in a line, streamed and not, and no more than these.
template <class Out, class Call>
void check_streamed(Size n, Call call) {
  const Size line = 64 / Size(sizeof(Out));
  for (const Size shift : {Size(0), Size(1), line / 2 + 1, line - 1}) {
    std::vector<Out> plain(at(n + 3 * line), Out(7)), streamed = plain;
    const auto begin = [&](std::vector<Out>& v) {
      const auto address = reinterpret_cast<std::uintptr_t>(v.data());
      return v.data() + (64 - address % 64) % 64 / sizeof(Out) + shift;
    };
    call(begin(plain));
    {
      const Streaming on(true);
      call(begin(streamed));
    }
    CHECK(!streaming);
    INFO("elements and shift: ", n, " ", shift);
    CHECK(std::memcmp(begin(plain) - shift, begin(streamed) - shift, at(n + 2 * line) * sizeof(Out)) == 0);
  }
}

template <class T>
void check_elementwise(const Table& t) {
  for (const Size n : {1, 1024, 1025, 1100, 4099, 20'011}) {
    const auto x = values<T>(n + 1);
    const T* from = x.data() + 1;
    for (const Unary f : {Unary::relu, Unary::exp, Unary::tan})
      check_streamed<T>(n, [&](T* y) { t.unary[int(f)][of<T>](from, y, n); });
    check_streamed<std::uint8_t>(n, [&](auto* y) { t.predicate[int(Predicate::isfinite)][of<T>](from, y, n); });
    check_streamed<std::int64_t>(n, [&](auto* y) { t.cast[of<T>][int(i64)](from, y, n); });
  }
}

template <class T>
void check_walks(const Table& t) {
  const auto a = values<T>(40'000, 1), b = values<T>(40'000, 2);
  for (const auto& loop :
       {loop2({1}, {1}, {1}), loop2({1025}, {1}, {0}), loop2({20'011}, {1}, {1}), loop2({37, 101}, {101, 1}, {0, 1}),
        loop2({37, 101}, {101, 1}, {1, 0}), loop2({3, 5000}, {5000, 1}, {0, 1}), loop2({999, 10}, {10, 1}, {0, 1}),
        loop2({999, 10}, {10, 1}, {1, 0}), loop2({999, 10}, {0, 0}, {1, 0}), loop2({60, 70}, {1, 60}, {70, 1}),
        loop2({3, 9, 31}, {1, 3, 27}, {279, 31, 1})}) {
    check_streamed<T>(loop.count(),
                      [&](T* y) { t.binary[int(Binary::multiply)][of<T>](a.data() + 1, b.data(), y, loop); });
    check_streamed<std::uint8_t>(
        loop.count(), [&](auto* y) { t.compare[int(Compare::less)][of<T>](a.data() + 1, b.data(), y, loop); });
  }
  const std::vector<std::uint8_t> mask{1, 0, 1, 1, 0, 0, 1};
  const Loop<3> loop{2, {1000, 7}, {{0, 1}, {7, 1}, {1, 0}}};
  check_streamed<T>(loop.count(), [&](T* y) {
    t.select[of<T>](reinterpret_cast<const bool*>(mask.data()), a.data() + 1, b.data(), y, loop);
  });
}

template <class T>
void check_copies(const Table& t) {
  const auto x = values<T>(70'000);
  const auto copied = [&](const Loop<2>& loop) {
    check_streamed<T>(loop.count(), [&](T* y) { t.copy[of<T>](x.data() + 1, y, loop); });
  };
  copied(loop2({4099}, {1}, {1}));
  for (const Size m : {1, 7, 10, 33, 130})
    for (const Size n : {1, 9, 40, 300, 517})
      copied(loop2({m, n}, {n, 1}, {1, m})), copied(loop2({m, n}, {1, m}, {n, 1}));
  copied(loop2({3, 70, 90}, {6300, 90, 1}, {6300, 1, 70}));
}

template <class T>
void check_softmax(const Table& t) {
  const auto x = values<T>(20'001);
  const Size shapes[][3] = {{1, 20'000, 1}, {3, 1001, 1}, {7, 257, 1}, {1000, 10, 1},
                            {3, 2, 1},      {200, 7, 5},  {2, 9, 300}};
  for (const auto& s : shapes)
    for (const auto kernel : t.softmax)
      check_streamed<T>(s[0] * s[1] * s[2], [&](T* y) { kernel[of<T>](x.data() + 1, y, s[0], s[1], s[2]); });
}

}  // namespace

TEST_CASE_TEMPLATE("copies that are streamed have the same bits", T, float, double, std::int64_t) {
  for_each_table([](const Table& t) { check_copies<T>(t); });
}

TEST_CASE_TEMPLATE("what is streamed past the caches has the same bits, and nothing beside it is touched", T, float,
                   double) {
  for_each_table([](const Table& t) {
    check_elementwise<T>(t);
    check_walks<T>(t);
    check_softmax<T>(t);
  });
}

TEST_CASE("large results, which are streamed, are whole in whatever pieces and in the place of an operand") {
  CHECK(!outgrows_caches(Size(1) << 20));
  CHECK(outgrows_caches(Size(32) << 20));
  constexpr Size n = (Size(8) << 20) + 77;  // more than 32 MiB of f32
  const auto x = values<float>(n);
  const auto check = [&](const auto& got, auto expected) {
    Size wrong = 0;
    for (Size i = 0; i < n; ++i) wrong += got[at(i)] != expected(i);
    CHECK(wrong == 0);
    CHECK(!streaming);
  };
  const auto product = same_for_any_threads(std::vector<float>(at(n)), [&](const Table& t, float* y) {
    t.binary[int(Binary::multiply)][int(f32)](x.data(), x.data(), y, loop2({n}, {1}, {0}));
  });
  check(product, [&](Size i) { return x[at(i)] * x[0]; });
  auto negated = same_for_any_threads(std::vector<float>(at(n)), [&](const Table& t, float* y) {
    t.unary[int(Unary::negate)][int(f32)](x.data(), y, n);
  });
  check(negated, [&](Size i) { return -x[at(i)]; });
  for (const Size rows : {Size(10), Size(2900)}) {
    const Size cols = n / rows;
    const auto turned = same_for_any_threads(std::vector<float>(at(n)), [&](const Table& t, float* y) {
      t.copy[int(f32)](x.data(), y, loop2({rows, cols}, {cols, 1}, {1, rows}));
    });
    Size wrong = 0;
    for (Size i = 0; i < rows; ++i)
      for (Size j = 0; j < cols; ++j) wrong += turned[at(i * cols + j)] != x[at(j * rows + i)];
    CHECK(wrong == 0);
  }
  process_table().unary[int(Unary::negate)][int(f32)](negated.data(), negated.data(), n);
  check(negated, [&](Size i) { return x[at(i)]; });
}
