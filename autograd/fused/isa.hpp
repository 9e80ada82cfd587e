#pragma once

/// A program's own flags decide for which instructions `fused` (autograd/fused.hpp) is compiled. Its types and
/// templates stand in a namespace named after them, so that sources compiled with different flags can be linked
/// together.
#ifndef XGRAD_ISA
#define XGRAD_PROGRAM_FLAGS
#if defined __AVX512F__
#define XGRAD_ISA user_avx512
#elif defined __AVX2__
#define XGRAD_ISA user_avx2
#elif defined __AVX__
#define XGRAD_ISA user_avx
#elif defined __SSE4_1__
#define XGRAD_ISA user_sse4
#else
#define XGRAD_ISA user_baseline
#endif
#endif
