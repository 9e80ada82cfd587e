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

/// The three maps by their definition, in double.
struct Defined {
  std::vector<double> y, dx, dw;

  template <class T>
  Defined(const Convolution& c, const std::vector<T>& x, const std::vector<T>& w, const std::vector<T>& g)
      : y(g.size()), dx(x.size()), dw(w.size()) {
    const Size outputs = c.group_outputs(), channels = c.group_channels();
    std::size_t at = 0;
    for (Size n = 0; n < c.images; ++n)
      for (Size o = 0; o < c.outputs; ++o)
        for (Size i = 0; i < c.out[1]; ++i)
          for (Size j = 0; j < c.out[2]; ++j, ++at)
            for (Size k = 0; k < channels * c.kernel_size(); ++k) {
              const Size channel = k / c.kernel_size(), tap = k % c.kernel_size();
              const Size a = c.stride[1] * i + c.dilation[1] * (tap / c.kernel[2]) - c.before[1];
              const Size b = c.stride[2] * j + c.dilation[2] * (tap % c.kernel[2]) - c.before[2];
              if (a < 0 || b < 0 || a >= c.in[1] || b >= c.in[2]) continue;
              const auto from =
                  std::size_t(((n * c.groups + o / outputs) * channels + channel) * c.in_size() + a * c.in[2] + b);
              const auto by = std::size_t(o * channels * c.kernel_size() + k);
              y[at] += double(x[from]) * double(w[by]);
              dx[from] += double(g[at]) * double(w[by]);
              dw[by] += double(g[at]) * double(x[from]);
            }
  }
};

/// How many values are apart by more than the tolerance, beside the largest of them.
template <class T>
int apart(const std::vector<T>& found, const std::vector<double>& expected, double tolerance) {
  double largest = 0;
  for (const double e : expected) largest = std::max(largest, std::fabs(e));
  int count = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    count += !(std::fabs(double(found[i]) - expected[i]) <= tolerance * largest);
  return count;
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

TEST_CASE_TEMPLATE("convolutions of many and of few channels are what their definition says", T, float, double) {
  // Rows that fill vectors and rows that do not, several panels of them, more taps than are summed at a time, images
  // of one line and of a few elements, strides, dilations and groups.
  const Convolution strided{2, 16, 20, 1, {1, 10, 10}, {1, 3, 3}, {1, 5, 5}, {1, 2, 2}, {0, 1, 1}, {1, 1, 1}},
      dilated{2, 3, 80, 1, {1, 11, 11}, {1, 3, 3}, {1, 11, 11}, {1, 1, 1}, {0, 2, 2}, {1, 2, 2}},
      one_line{2, 5, 32, 1, {1, 1, 700}, {1, 1, 3}, {1, 1, 698}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}},
      long_kernel{2, 2, 3, 1, {1, 2, 40}, {1, 1, 301}, {1, 2, 40}, {1, 1, 1}, {0, 0, 150}, {1, 1, 1}},
      far_padded{2, 2, 3, 1, {1, 4, 5}, {1, 2, 2}, {1, 9, 10}, {1, 1, 1}, {0, 3, 3}, {1, 1, 1}};
  const Convolution cases[] = {kept(3, 5, 32, 1, 9, 3),
                               kept(2, 16, 48, 1, 8, 3),
                               kept(2, 32, 64, 1, 7, 1),
                               kept(3, 32, 64, 2, 6, 3),
                               kept(1, 64, 256, 1, 4, 3),
                               kept(2, 300, 17, 1, 3, 3),
                               kept(1, 40, 112, 1, 17, 3),
                               kept(4, 6, 6, 1, 12, 5),
                               strided,
                               dilated,
                               one_line,
                               long_kernel,
                               far_padded};
  const xgrad::Dtype dtype = xgrad::dtype_of<T>;
  const double tolerance = sizeof(T) == 4 ? 5e-6 : 1e-14;
  for (const Convolution& c : cases) {
    INFO("images, channels, outputs: ", c.images, " ", c.channels, " ", c.outputs);
    const auto x = values<T>(c.images * c.channels * c.in_size(), 1),
               w = values<T>(c.outputs * c.group_channels() * c.kernel_size(), 2),
               g = values<T>(c.images * c.outputs * c.out_size(), 3);
    const Defined defined(c, x, w, g);
    std::vector<T> y(g.size()), dx(x.size()), dw(w.size());
    xgrad::kernels::convolve(c, dtype, x.data(), w.data(), nullptr, y.data());
    xgrad::kernels::convolve_transposed(c, dtype, g.data(), w.data(), nullptr, dx.data());
    xgrad::kernels::convolve_weights(c, dtype, x.data(), g.data(), dw.data());
    CHECK(apart(y, defined.y, tolerance) == 0);
    CHECK(apart(dx, defined.dx, tolerance) == 0);
    CHECK(apart(dw, defined.dw, tolerance) == 0);
  }
}

TEST_CASE_TEMPLATE("wide correlations are the same sums in every instruction set", T, float, double) {
  // More taps than are summed at a time, more positions than T holds the sums of, and lines of any length.
  constexpr Size lanes = 64 / Size(sizeof(T)), taps = 300, images = 2;
  const double tolerance = sizeof(T) == 4 ? 5e-6 : 1e-14;
  std::vector<Size> offsets(taps);
  for (Size k = 0; k < taps; ++k) offsets[std::size_t(k)] = k * 7 % 40;
  for (const Size rows : {lanes, 2 * lanes, 3 * lanes})
    for (Size length = 1; length < 34; ++length) {
      INFO("rows, length: ", rows, " ", length);
      const std::vector<Size> lines = length == 33 ? std::vector<Size>(9, 50) : std::vector<Size>{0, 50, 51};
      const xgrad::kernels::WideCorrelation c{rows,   taps, images, offsets.data(), lines.data(), Size(lines.size()),
                                              length, 128};
      const auto source = values<T>(images * c.source_image, 1), w = values<T>(taps * rows, 2), b = values<T>(rows, 3),
                 g = values<T>(images * c.positions() * rows, 4);
      std::vector<double> to(g.size()), sums(w.size());
      for (std::size_t at = 0; at < g.size(); ++at) {
        const Size r = Size(at) % rows, p = Size(at) / rows % c.positions(), image = Size(at) / rows / c.positions();
        to[at] = double(b[std::size_t(r)]);
        for (Size k = 0; k < taps; ++k) {
          const double x = double(source[std::size_t(image * c.source_image + lines[std::size_t(p / length)] +
                                                     p % length + offsets[std::size_t(k)])]);
          to[at] += double(w[std::size_t(k * rows + r)]) * x;
          sums[std::size_t(k * rows + r)] += double(g[at]) * x;
        }
      }
      for (int i = 0; i < xgrad::kernels::available_tables().count; ++i) {
        const xgrad::kernels::Table& t = *xgrad::kernels::available_tables().entries[i];
        INFO(t.name);
        std::vector<T> found(g.size());
        t.correlate_wide[of<T>](c, source.data(), w.data(), b.data(), found.data());
        CHECK(apart(found, to, tolerance) == 0);
        std::vector<double> found_sums(sums.size());
        t.tap_sums_wide[of<T>](c, source.data(), g.data(), found_sums.data());
        CHECK(apart(found_sums, sums, tolerance) == 0);
      }
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
  const Slices cases[] = {{1, 900, 700, 0, 900, 1}, {64, 40, 300, 0, 40, 1}, {3000, 200, 1, 0, 200, 1},
                          {1, 900, 700, 0, 900, 0}, {1, 90, 1500, 0, 90, 1}, {3, 5, 7, 0, 5, 1}};
  for (const Slices& s : cases) {
    INFO("outer, slices, inner: ", s.outer, " ", s.slices, " ", s.inner);
    const Size n = s.outer * s.slices * s.inner;
    const auto x = values<T>(n, 1), g = values<T>(n, 2);
    std::vector<double> moments(std::size_t(2 * s.slices));
    std::vector<T> y;
    const auto forward = [&](const xgrad::kernels::Table& t, T* to) {
      t.standardise[of<T>](s, 1e-5, x.data(), nullptr, nullptr, to, moments.data());
    };
    check_exact(std::vector<T>(std::size_t(n)), forward);
    y.resize(std::size_t(n));
    forward(process_table(), y.data());
    const auto backward = [&](const xgrad::kernels::Table& t, T* to) {
      t.standardise_grad[of<T>](s, 1e-5, g.data(), nullptr, y.data(), moments.data(), to, nullptr);
    };
    check_exact(std::vector<T>(std::size_t(n)), backward);
    if (s.outer == 1) {
      const auto w = values<T>(s.inner, 3), b = values<T>(s.inner, 4);
      check_exact(std::vector<T>(std::size_t(n)), [&](const xgrad::kernels::Table& t, T* to) {
        t.standardise[of<T>](s, 1e-5, x.data(), w.data(), b.data(), to, moments.data());
      });
      std::vector<double> sums(std::size_t(2 * s.inner));
      check_exact(std::vector<T>(std::size_t(n)), [&](const xgrad::kernels::Table& t, T* to) {
        t.standardise_grad[of<T>](s, 1e-5, g.data(), w.data(), x.data(), moments.data(), to, sums.data());
      });
      check_close(sums, 1e-12, [&](const xgrad::kernels::Table& t, double* to) {  // which pieces put together
        std::vector<T> dx(static_cast<std::size_t>(n));
        t.standardise_grad[of<T>](s, 1e-5, g.data(), w.data(), x.data(), moments.data(), dx.data(), to);
      });
    }
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
