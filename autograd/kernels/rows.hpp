#pragma once
#include <autograd/kernels/loop.hpp>
#include <cstddef>

#pragma GCC visibility push(default)

/// Elementwise functions that are compiled elsewhere, of several operands and with several results.
namespace xgrad::kernels {

inline constexpr int max_operands = 7, max_results = 6;

/// A function of rows of `bytes`-wide elements: result r of element i is out[r][i], for i < n, a multiple of `lanes`,
/// which is 64 bytes' worth or less. A null out[r] is not wanted. `closure` is what the function captured.
struct RowFunction {
  void (*row)(const void* closure, const void* const* in, void* const* out, Size n);
  int bytes, lanes;
  alignas(8) std::byte closure[64];
};

/// How `count` operands are walked for n elements: each on its own, its collapsed strides 0 or 1 along the last axis.
struct Operands {
  int count = 0;
  Size n = 0;
  Loop<1> loops[max_operands] = {};
};

/// The function of all elements: operands in0, in1, ... to contiguous results out0, out1, .... Large work is cut into
/// pieces (pieces.hpp). A plain function of plain arguments, so that it can be captured.
void run_rows(const RowFunction& f, const Operands& operands, const void* in0, const void* in1, const void* in2,
              const void* in3, const void* in4, const void* in5, const void* in6, void* out0, void* out1, void* out2,
              void* out3, void* out4, void* out5);

/// Throws ValueError unless low <= high: what a fused function's clamp asks for.
void check_limits(double low, double high);

}  // namespace xgrad::kernels
#pragma GCC visibility pop
