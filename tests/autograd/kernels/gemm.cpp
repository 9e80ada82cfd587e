#include <autograd/kernels/gemm.hpp>

#include "reference.hpp"

// Matrix products against naive loops.
using namespace reference;
using xgrad::kernels::Gemm;

namespace {

template <class T>
void check(const Gemm& s) {
  INFO("s.m, s.n, s.k, s.transpose_a, s.transpose_b, s.accumulate, sizeof(T): ", s.m, " ", s.n, " ", s.k, " ",
       s.transpose_a, " ", s.transpose_b, " ", s.accumulate, " ", sizeof(T));
  const auto a = values<T>(s.m * s.k, 1), b = values<T>(s.k * s.n, 2), before = values<T>(s.m * s.n, 3);
  auto c = before;
  if (!s.accumulate) c.assign(c.size(), T(NaN));  // what was there must not matter
  c.push_back(T(99));
  xgrad::kernels::table().gemm[int(xgrad::dtype_of<T>)](s, a.data(), b.data(), c.data());
  CHECK(c.back() == T(99));
  for (Size i = 0; i < s.m; ++i) {
    for (Size j = 0; j < s.n; ++j) {
      long double expected = s.accumulate ? before[at(i * s.n + j)] : 0, magnitude = std::fabs(expected);
      for (Size r = 0; r < s.k; ++r) {
        const long double term = static_cast<long double>(a[at(s.transpose_a ? r * s.m + i : i * s.k + r)]) *
                                 b[at(s.transpose_b ? j * s.k + r : r * s.n + j)];
        expected += term;
        magnitude += std::fabs(term);
      }
      if (!close(c[at(i * s.n + j)], expected, 8, magnitude)) {
        INFO("i, j: ", i, " ", j);
        CHECK(static_cast<long double>(c[at(i * s.n + j)]) == expected);
        return;
      }
    }
  }
}

void check_all(Size m, Size n, Size k) {
  for (const bool a : {false, true})
    for (const bool b : {false, true})
      for (const bool accumulate : {false, true}) {
        const Gemm s{.transpose_a = a, .transpose_b = b, .accumulate = accumulate, .m = m, .n = n, .k = k};
        check<float>(s);
        check<double>(s);
      }
}

}  // namespace

TEST_CASE("matrix products of every small size, transposed or not, accumulated or not") {
  for (const Size m : {0, 1, 2, 3, 4, 5, 17})
    for (const Size n : {0, 1, 2, 3, 4, 5, 17})
      for (const Size k : {0, 1, 2, 3, 4, 5, 17}) check_all(m, n, k);
}

TEST_CASE("matrix products in one block and in several, by kernels of our own and by oneDNN") {
  const Size shapes[][3] = {{1, 64, 784},   {784, 64, 1}, {1, 32, 64},    {64, 32, 1},   {32, 1, 32},   {1, 1, 1000},
                            {32, 32, 64},   {1, 1, 1},    {16, 16, 16},   {7, 133, 91},  {33, 64, 784}, {128, 128, 128},
                            {1000, 1, 3},   {64, 784, 1}, {784, 1, 64},   {65, 31, 1},   {3, 40, 300},  {4, 33, 257},
                            {50, 260, 130}, {3, 5, 9000}, {258, 2, 4100}, {2, 514, 4100}};
  for (const auto& s : shapes) check_all(s[0], s[1], s[2]);
}

TEST_CASE("matrix products of whole and of broken panels, and of a few columns") {
  for (const Size n : {2, 7, 8, 9, 48, 49, 63, 64, 65})
    for (const Size m : {31, 32, 300}) check_all(m, n, 150);
}

TEST_CASE("a matrix product leaves the gaps between its rows alone") {
  constexpr Size m = 40, n = 64, k = 70, gap = 3;
  for (const bool transposed : {false, true}) {
    Gemm s{.transpose_a = transposed, .transpose_b = transposed, .m = m, .n = n, .k = k};
    s.lda = s.row_a() + gap, s.ldb = s.row_b() + gap, s.ldc = n + gap;
    const auto a = values<float>(k * m + k * m, 1), b = values<float>(k * n + k * n, 2);
    std::vector<float> c(at(m * s.ldc), 99);
    xgrad::kernels::table().gemm[int(xgrad::f32)](s, a.data(), b.data(), c.data());
    for (Size i = 0; i < m; ++i) {
      for (Size j = 0; j < s.ldc; ++j) {
        long double expected = j < n ? 0 : 99, magnitude = 99;
        for (Size r = 0; r < k && j < n; ++r)
          expected += static_cast<long double>(a[at(transposed ? r * s.lda + i : i * s.lda + r)]) *
                      b[at(transposed ? j * s.ldb + r : r * s.ldb + j)];
        REQUIRE(close(c[at(i * s.ldc + j)], expected, 8, magnitude));
      }
    }
  }
}

TEST_CASE("a NaN or an infinity in an operand reaches the product") {
  for (const Size n : {1, 4, 64}) {
    std::vector<float> a(at(n * n), 0), b(at(n * n), 1), c(at(n * n));
    a[0] = float(NaN);
    a.back() = n > 1 ? float(inf) : a.back();
    xgrad::kernels::table().gemm[int(xgrad::f32)]({.m = n, .n = n, .k = n}, a.data(), b.data(), c.data());
    CHECK(std::isnan(c[0]));
    if (n > 1) CHECK(c.back() == float(inf));
  }
}
