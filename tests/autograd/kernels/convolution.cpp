#include <autograd/kernels/convolution.hpp>

#include "parallel_support.hpp"

// Convolutions, pooling and normalisations spread over threads have the bits of one thread.
using namespace reference;
using xgrad::kernels::Convolution;
using xgrad::kernels::Slices;

namespace {

/// Two axes with stride 1 and a padding that keeps their size.
Convolution kept(Size images, Size channels, Size outputs, Size groups, Size size, Size kernel) {
  const Size before = kernel / 2;
  return {images,          channels,        outputs,
          groups,          {1, size, size}, {1, kernel, kernel},
          {1, size, size}, {1, 1, 1},       {0, before, before},
          {1, 1, 1}};
}

/// run(y) for several numbers of threads, which must agree, and what it gave.
template <class T, class Run>
std::vector<T> same_bits_of(Size n, Run run) {
  return same_for_any_threads(std::vector<T>(static_cast<std::size_t>(n)),
                              [&](const xgrad::kernels::Table&, T* y) { run(y); });
}

}  // namespace

TEST_CASE_TEMPLATE("convolutions give the same bits for any number of threads", T, float, double) {
  // Many images; few with many channels, whose outputs are shared out; groups; small and empty ones.
  const Convolution cases[] = {kept(64, 3, 8, 1, 28, 5),  kept(2, 64, 96, 1, 24, 3), kept(5, 48, 48, 48, 60, 3),
                               kept(3, 96, 128, 1, 8, 3), kept(1, 1, 1, 1, 4, 3),    kept(0, 2, 2, 1, 4, 3)};
  const xgrad::Dtype dtype = xgrad::dtype_of<T>;
  for (const Convolution& c : cases) {
    INFO("images, channels, outputs: ", c.images, " ", c.channels, " ", c.outputs);
    const Size in = c.images * c.channels * c.in_size(), out = c.images * c.outputs * c.out_size(),
               taps = c.outputs * c.group_channels() * c.kernel_size();
    const auto x = values<T>(in, 1), w = values<T>(taps, 2), g = values<T>(out, 3), b = values<T>(c.outputs, 4);
    const auto y =
        same_bits_of<T>(out, [&](T* to) { xgrad::kernels::convolve(c, dtype, x.data(), w.data(), b.data(), to); });
    const auto dx = same_bits_of<T>(
        in, [&](T* to) { xgrad::kernels::convolve_transposed(c, dtype, g.data(), w.data(), nullptr, to); });
    const auto dw =
        same_bits_of<T>(taps, [&](T* to) { xgrad::kernels::convolve_weights(c, dtype, x.data(), g.data(), to); });
    // The three maps are those of one trilinear form.
    const auto dot = [](const std::vector<T>& a, const std::vector<T>& of) {
      double sum = 0;
      for (std::size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * double(of[i]);
      return sum;
    };
    double biased = 0, size = 1;
    for (std::size_t i = 0; i < g.size(); ++i) {
      const Size output = Size(i) / c.out_size() % c.outputs;
      biased += double(g[i]) * double(b[std::size_t(output)]);
      size += std::fabs(double(g[i]) * double(y[i]));
    }
    const double tolerance = (sizeof(T) == 4 ? 1e-6 : 1e-14) * size;
    CHECK(std::fabs(dot(g, y) - biased - dot(dx, x)) <= tolerance);
    CHECK(std::fabs(dot(dx, x) - dot(dw, w)) <= tolerance);
  }
}

TEST_CASE_TEMPLATE("pooling gives the same bits for any number of threads", T, float, double) {
  Convolution c = kept(600, 1, 1, 1, 40, 3);
  const auto x = values<T>(c.images * c.in_size(), 1);
  check_exact(std::vector<T>(std::size_t(c.images * c.out_size())), [&](const xgrad::kernels::Table& t, T* y) {
    std::vector<Size> index(std::size_t(c.images * c.out_size()));
    t.max_windows[of<T>](c, x.data(), y, index.data());
    for (Size i = 0; i < Size(index.size()); ++i)
      if (y[i] != x[std::size_t(i / c.out_size() * c.in_size() + index[std::size_t(i)])]) FAIL("at ", i);
  });
}

TEST_CASE_TEMPLATE("normalisations give the same bits for any number of threads and instruction set", T, float,
                   double) {
  const Slices cases[] = {{1, 900, 700, 0, 900, 1},
                          {64, 40, 300, 0, 40, 1},
                          {3000, 200, 1, 0, 200, 1},
                          {1, 900, 700, 0, 900, 0},
                          {3, 5, 7, 0, 5, 1}};
  for (const Slices& s : cases) {
    INFO("outer, slices, inner: ", s.outer, " ", s.slices, " ", s.inner);
    const Size n = s.outer * s.slices * s.inner;
    const auto x = values<T>(n, 1), g = values<T>(n, 2);
    std::vector<double> moments(std::size_t(2 * s.slices));
    std::vector<T> y;
    const auto forward = [&](const xgrad::kernels::Table& t, T* to) {
      t.standardise[of<T>](s, 1e-5, x.data(), to, moments.data());
    };
    check_exact(std::vector<T>(std::size_t(n)), forward);
    y.resize(std::size_t(n));
    forward(process_table(), y.data());
    const auto backward = [&](const xgrad::kernels::Table& t, T* to) {
      t.standardise_grad[of<T>](s, 1e-5, g.data(), y.data(), moments.data(), to);
    };
    check_exact(std::vector<T>(std::size_t(n)), backward);
    for (int i = 0; i < xgrad::kernels::available_tables().count; ++i) {
      const xgrad::kernels::Table& t = *xgrad::kernels::available_tables().entries[i];
      INFO(t.name);
      const SubnormalsAreZero scope;
      std::vector<T> other(y.size());
      forward(t, other.data());
      CHECK(same_bits(other, y));
    }
  }
}
