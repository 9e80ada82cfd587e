#pragma once

/// How many registers tiles of a matrix product or a convolution may fill with sums: 24 of 32; 12 of 16, and fewer
/// without a multiply-add in one instruction.
namespace xgrad::kernels::XGRAD_ISA {

#if defined __AVX512F__ || defined __aarch64__
inline constexpr int sums_held = 24;
#elif defined __FMA__
inline constexpr int sums_held = 12;
#else
inline constexpr int sums_held = 8;
#endif

}  // namespace xgrad::kernels::XGRAD_ISA
