#include "parallel_support.hpp"

// Products spread over threads have the bits of one thread.
using namespace reference;
using xgrad::kernels::Gemm;

TEST_CASE_TEMPLATE("matrix products give the same bits for any number of threads", T, float, double) {
  const Size shapes[][3] = {{1024, 64, 150}, {400, 64, 300},  {30, 1024, 300}, {300, 300, 300},
                            {5000, 3, 700},  {257, 129, 513}, {70, 600, 4200}};
  for (const auto& s : shapes) {
    for (int flags = 0; flags < 8; ++flags) {
      const Gemm shape{.transpose_a = (flags & 1) != 0,
                       .transpose_b = (flags & 2) != 0,
                       .accumulate = (flags & 4) != 0,
                       .m = s[0],
                       .n = s[1],
                       .k = s[2]};
      INFO("m, n, k, flags: ", s[0], " ", s[1], " ", s[2], " ", flags);
      const auto a = values<T>(s[0] * s[2], 1), b = values<T>(s[2] * s[1], 2), c = values<T>(s[0] * s[1], 3);
      const double rounding = double(s[2]) * double(std::numeric_limits<T>::epsilon());
      check_close(c, rounding, [&](const Table& t, T* y) { t.gemm[of<T>](shape, a.data(), b.data(), y); });
    }
  }
}

TEST_CASE_TEMPLATE("batches of products give the same bits for any number of threads", T, float, double) {
  struct Case {
    Gemm each;
    Loop<3> batch;
    Size a, b, c;  // matrices
  };
  const Case cases[] = {
      {{.m = 17, .n = 20, .k = 31}, {2, {30, 41}, {{41, 1}, {41, 1}, {41, 1}}}, 1230, 1230, 1230},
      {{.m = 17, .n = 20, .k = 31}, {2, {30, 41}, {{41, 1}, {0, 1}, {0, 1}}}, 1230, 41, 41},
      {{.m = 17, .n = 20, .k = 31}, {2, {30, 41}, {{41, 1}, {0, 1}, {1, 0}}}, 1230, 41, 30},
      {{.m = 17, .n = 20, .k = 31}, {2, {100, 4}, {{4, 1}, {0, 1}, {0, 1}}}, 400, 4, 4},
      {{.m = 300, .n = 200, .k = 100}, {1, {3}, {{1}, {0}, {1}}}, 3, 1, 3},
      {{.m = 300, .n = 200, .k = 100}, {1, {3}, {{1}, {1}, {0}}}, 3, 3, 1},
  };
  for (const Case& s : cases) {
    INFO("rank, first size, m: ", s.batch.rank, " ", s.batch.sizes[0], " ", s.each.m);
    const auto a = values<T>(s.a * s.each.m * s.each.k, 1), b = values<T>(s.b * s.each.k * s.each.n, 2);
    const auto c = values<T>(s.c * s.each.m * s.each.n, 3);
    check_close(c, sizeof(T) == 4 ? 2e-5 : 1e-13,
                [&](const Table& t, T* y) { t.gemm_batch[of<T>](s.each, s.batch, a.data(), b.data(), y); });
  }
}
