#include <autograd/kernels/pieces.hpp>
#include <autograd/kernels/table.hpp>
#include <vector>

#include "native.hpp"
#include "sections.hpp"

namespace bench {
namespace {

using xgrad::kernels::Gemm;

/// Layers of small networks, forward and backward (the second is a weight's gradient, whose left factor is stored
/// transposed), and squares.
constexpr Gemm shapes[] = {
    {.m = 32, .n = 64, .k = 784},   {.transpose_a = true, .m = 784, .n = 64, .k = 32},
    {.m = 32, .n = 32, .k = 64},    {.m = 1024, .n = 64, .k = 784},
    {.m = 512, .n = 512, .k = 512}, {.m = 4, .n = 4, .k = 4},
};

std::string size_of(const Gemm& s) {
  const std::string product = std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k);
  return s.transpose_a ? product + " (A transposed)" : product;
}

template <class T>
void products(Run& run, const char* name, int threads) {
  constexpr std::int64_t rounds = 2000;
  const int pieces = 50 * threads;
  const double peak_flops = multiply_add<T>(rounds) * pieces;
  const auto peak = [pieces] { xgrad::kernels::run_pieces(pieces, [](std::int64_t) { multiply_add<T>(rounds); }); };
  for (const Gemm& shape : shapes) {
    const auto matrix = [](std::int64_t rows, std::int64_t cols) {
      return std::vector<T>(static_cast<std::size_t>(rows * cols), T(0.5));
    };
    const auto a = matrix(shape.m, shape.k), b = matrix(shape.k, shape.n);
    auto c = matrix(shape.m, shape.n);
    const auto gemm = xgrad::kernels::table().gemm[int(xgrad::dtype_of<T>)];
    const double flops = 2.0 * static_cast<double>(shape.m * shape.n * shape.k);
    const auto series =
        measure({{"xgrad", repeat([&] { gemm(shape, a.data(), b.data(), c.data()); }), gigaflops(flops)},
                 {"FMA peak", repeat(peak), gigaflops(peak_flops)}},
                shortened(run.settings));
    run.rows.push_back(compare({name, "size", size_of(shape), threads}, series[0], series[1]));
  }
}

}  // namespace

void matrix_products(Run& run) {
  for (const int threads : run.threads) {
    set_threads(threads);
    run.progress("threads: " + std::to_string(threads));
    products<float>(run, "matrix product, f32", threads);
    products<double>(run, "matrix product, f64", threads);
  }
}

}  // namespace bench
