#pragma once

/// A program's own flags decide for which instructions `fused` (autograd/fused.hpp) is compiled. Its types and
/// templates stand in a namespace named after them, so that sources compiled with different flags can be linked
/// together.
#ifndef XGRAD_ISA
// g++ fuses products with sums by a program's own flags, unless what holds a product might have been changed meanwhile.
#if defined __GNUC__ && !defined __clang__ && defined __FMA__
#define XGRAD_PRODUCT_REGISTER "+v"
#elif defined __GNUC__ && !defined __clang__ && defined __aarch64__
#define XGRAD_PRODUCT_REGISTER "+w"
#endif
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
