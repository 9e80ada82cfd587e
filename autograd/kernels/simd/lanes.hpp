#pragma once
#include <array>
#include <autograd/kernels/loop.hpp>
#include <cstring>
#include <xsimd/xsimd.hpp>

// Batches of elements, and what the releases of xsimd and the instruction sets call differently.

#if defined __aarch64__
/// 64-bit Arm divides and takes roots of f32 exactly. xsimd estimates them as it has to for 32-bit Arm: the last bits
/// are wrong, and a quotient is 0 where the divisor is large.
namespace xsimd::kernel {
template <>
inline batch<float, neon64> div(const batch<float, neon64>& a, const batch<float, neon64>& b,
                                requires_arch<neon>) noexcept {
  return vdivq_f32(a, b);
}
template <>
inline batch<float, neon64> sqrt(const batch<float, neon64>& x, requires_arch<neon>) noexcept {
  return vsqrtq_f32(x);
}
}  // namespace xsimd::kernel
#endif

/// A kernel's expression is written once for `V`, which is a batch of floating numbers or a single element. `Lanes<V>`
/// tells the loops of elementwise.hpp how to load and store one.
namespace xgrad::kernels::XGRAD_ISA {

template <class T>
using Batch = xsimd::batch<T>;

// What the releases of xsimd call differently stands here and nowhere else.

/// The bits of a batch as a batch of another element type of the same size. Up to xsimd 8 the call names the batch that
/// comes out, later its element.
template <class To, class From>
To bits_as(From x) {
  using T = typename To::value_type;
  if constexpr (std::is_same_v<decltype(xsimd::bitwise_cast<T>(x)), To>) {
    return xsimd::bitwise_cast<T>(x);
  } else {
    return xsimd::bitwise_cast<To>(x);
  }
}

/// A mask of a batch as one of a batch of T, which has the same size.
template <class T, class Mask>
xsimd::batch_bool<T> mask_as(Mask mask) {
  if constexpr (requires { batch_bool_cast<T>(mask); }) {
    return batch_bool_cast<T>(mask);
  } else {
    return bool_cast(mask);
  }
}

/// The sum of a batch's lanes.
template <class T>
T sum_of_lanes(Batch<T> v) {
  if constexpr (requires { reduce_add(v); }) {
    return reduce_add(v);
  } else {
    return hadd(v);
  }
}

/// The larger and the smaller of each lane, and b's where one of them is a NaN: one instruction of x86, whose operands
/// xsimd exchanges since release 14.
template <class T>
Batch<T> max_of(Batch<T> a, Batch<T> b) {
#if !defined __SSE2__
  return xsimd::select(a > b, a, b);
#elif XSIMD_VERSION_MAJOR < 14
  return xsimd::max(a, b);
#else
  return xsimd::max(b, a);
#endif
}
template <class T>
Batch<T> min_of(Batch<T> a, Batch<T> b) {
#if !defined __SSE2__
  return xsimd::select(a < b, a, b);
#elif XSIMD_VERSION_MAJOR < 14
  return xsimd::min(a, b);
#else
  return xsimd::min(b, a);
#endif
}

/// Copies n < 2 * Most elements in pieces of a constant size, which compilers turn into single moves.
template <Size Most, class T>
void copy_few(const T* from, T* to, Size n) {
  if (n & Most) {
    std::memcpy(to, from, Most * sizeof(T));
    from += Most;
    to += Most;
  }
  if constexpr (Most > 1) copy_few<Most / 2>(from, to, n);
}

#if defined __AVX2__ && !defined __AVX512F__
/// The lanes below n as all ones, the others zero.
inline __m256i mask_below(Size n, float) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(int(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline __m256i mask_below(Size n, double) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
#endif

/// The first n elements of a batch, n below its size; the other lanes are zero and nothing beyond p[n] is read.
/// xsimd has loads by a mask known at run time since release 14.3 only, and a load from a copied buffer waits until the
/// buffer's stores have retired.
template <class T>
Batch<T> load_few(const T* p, Size n) {
#if defined __AVX512F__
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p);
  else
    return _mm512_maskz_loadu_pd(__mmask8((1u << n) - 1), p);
#elif defined __AVX2__
  if constexpr (sizeof(T) == 4)
    return _mm256_maskload_ps(p, mask_below(n, T{}));
  else
    return _mm256_maskload_pd(p, mask_below(n, T{}));
#else
  alignas(64) T padded[Batch<T>::size] = {};
  copy_few<Size(Batch<T>::size) / 2>(p, padded, n);
  return Batch<T>::load_aligned(padded);
#endif
}

template <class T>
void store_few(T* p, Batch<T> v, Size n) {
#if defined __AVX512F__
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), v);
  else
    _mm512_mask_storeu_pd(p, __mmask8((1u << n) - 1), v);
#else
  alignas(64) T all[Batch<T>::size];
  v.store_aligned(all);
  copy_few<Size(Batch<T>::size) / 2>(all, p, n);
#endif
}

/// As many f32 as there are f64 in a batch, converted; the intrinsics because compilers make two conversions of a
/// portable one.
inline Batch<double> widened(const float* x) {
#if defined __AVX512F__  // compilers make two conversions of a portable one
  return _mm512_cvtps_pd(_mm256_loadu_ps(x));
#elif defined __AVX__
  return _mm256_cvtps_pd(_mm_loadu_ps(x));
#elif defined __aarch64__
  return vcvt_f64_f32(vld1_f32(x));
#else
  alignas(64) double wide[Batch<double>::size];
  for (std::size_t j = 0; j < Batch<double>::size; ++j) wide[j] = double(x[j]);
  return Batch<double>::load_aligned(wide);
#endif
}
inline void narrowed(Batch<double> v, float* to) {
#if defined __AVX512F__
  _mm256_storeu_ps(to, _mm512_cvtpd_ps(v));
#elif defined __AVX__
  _mm_storeu_ps(to, _mm256_cvtpd_ps(v));
#elif defined __aarch64__
  vst1_f32(to, vcvt_f32_f64(v));
#else
  alignas(64) double wide[Batch<double>::size];
  v.store_aligned(wide);
  for (std::size_t j = 0; j < Batch<double>::size; ++j) to[j] = float(wide[j]);
#endif
}

/// The halves of a batch, converted, and back.
inline std::array<Batch<double>, 2> widened(Batch<float> x) {
#if defined __AVX512F__
  const __m512d bits = _mm512_castps_pd(x);
  return {_mm512_cvtps_pd(_mm512_castps512_ps256(x)),
          _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(bits, 1)))};
#elif defined __AVX__
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
#elif defined __aarch64__
  return {vcvt_f64_f32(vget_low_f32(x)), vcvt_high_f64_f32(x)};
#else
  alignas(64) float from[Batch<float>::size];
  x.store_aligned(from);
  return {widened(from), widened(from + Batch<double>::size)};
#endif
}
inline Batch<float> narrowed(Batch<double> a, Batch<double> b) {
#if defined __AVX512F__
  const __m512d low = _mm512_castpd256_pd512(_mm256_castps_pd(_mm512_cvtpd_ps(a)));
  return _mm512_castpd_ps(_mm512_insertf64x4(low, _mm256_castps_pd(_mm512_cvtpd_ps(b)), 1));
#elif defined __AVX__
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(a)), _mm256_cvtpd_ps(b), 1);
#elif defined __aarch64__
  return vcvt_high_f32_f64(vcvt_f32_f64(a), b);
#else
  alignas(64) float to[Batch<float>::size];
  narrowed(a, to);
  narrowed(b, to + Batch<double>::size);
  return Batch<float>::load_aligned(to);
#endif
}

/// Fetches what lies a page behind n elements that are being read in order: of memory that no cache holds, a processor
/// fetches too little ahead by itself.
template <class T>
void prefetch_page_ahead(const T* x, Size n) {
  for (Size i = 0; i < n; i += 64 / Size(sizeof(T))) __builtin_prefetch(x + 4096 / Size(sizeof(T)) + i);
}

/// One element.
template <class V>
struct Lanes {
  using Element = V;
  static constexpr Size width = 1;
};
/// A batch of them.
template <class T>
struct Lanes<Batch<T>> {
  using Element = T;
  static constexpr Size width = Size(Batch<T>::size);
};

}  // namespace xgrad::kernels::XGRAD_ISA
