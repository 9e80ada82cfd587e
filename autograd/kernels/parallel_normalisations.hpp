#pragma once
#include <autograd/kernels/parallel_common.hpp>
#include <autograd/kernels/plain.hpp>

/// How normalisations are cut into pieces, each of some slices.
namespace xgrad::kernels {

struct ParallelNormalisations {
  static void call(const KernelOf<&Table::standardise>& k, const Slices& s, double eps, const void* x,
                   const void* weight, const void* bias, void* y, double* moments) {
    split_slices(s, size_of(k.dtype), [&](const Slices& part) { k.run(part, eps, x, weight, bias, y, moments); });
  }

  static void call(const KernelOf<&Table::standardise_grad>& k, const Slices& s, double eps, const void* g,
                   const void* weight, const void* x, const double* moments, void* dx, double* sums) {
    const auto run = [&](const Slices& part, double* to) { k.run(part, eps, g, weight, x, moments, dx, to); };
    if (!sums) return split_slices(s, size_of(k.dtype), [&](const Slices& part) { run(part, nullptr); });
    // Each piece has sums of its own, which are added in order.
    const Size wanted = s.count * s.inner * 2 * size_of(k.dtype) / grain;
    if (wanted < 2 || s.count < 2) return run(s, sums);
    const Size slices = divide_up(s.count, wanted), pieces = divide_up(s.count, slices), count = 2 * s.inner;
    const Room<double> all(pieces * count);
    run_pieces(pieces, [&](Size i) {
      Slices part = s;
      part.first = s.first + i * slices, part.count = std::min(slices, s.count - i * slices);
      run(part, all.numbers + i * count);
    });
    serial_->reduce[int(Reduce::sum)][int(f64)](all.numbers, sums, 1, pieces, count);
  }

  template <class Body>
  static void split_slices(const Slices& s, Size size, const Body& body) {
    // Slices of single elements stand next to each other: whole lines of them.
    split(s.count, s.outer * s.inner * 2 * size, s.inner == 1 && s.outer > 1 ? 16 : 1, [&](Size first, Size n) {
      Slices part = s;
      part.first = s.first + first, part.count = n;
      body(part);
    });
  }
};

}  // namespace xgrad::kernels
