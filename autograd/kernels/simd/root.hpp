#pragma once
#include <autograd/kernels/simd/lanes.hpp>
#include <cmath>

/// Square roots without the divider, which makes one batch wait for another, where AVX-512 estimates their reciprocals
/// well enough for few corrections.
namespace xgrad::kernels::XGRAD_ISA::math {

inline double sqrt(double x) { return std::sqrt(x); }
inline Batch<float> sqrt(Batch<float> x) { return xsimd::sqrt(x); }
/// Correctly rounded. Two steps take s to within 0.51 ulp of the root and h, half its reciprocal, to 2^-52. What s
/// lacks is d h, where d = x - s s is exact: the sum that is rounded last is wrong by less than 2^-52 ulp. Only where x
/// is within 15 units of its 106th bit of the square of a number halfway between two others could that matter, and
/// these few have been tried (tests/autograd/kernels/root.cpp).
inline Batch<double> sqrt(Batch<double> x) {
#if defined __AVX512F__
  // From 2^-900 on, nothing of d underflows.
  const __m512i above = _mm512_sub_epi64(_mm512_castpd_si512(x), _mm512_set1_epi64(std::int64_t(1023 - 900) << 52));
  const auto range = _mm512_set1_epi64(std::int64_t(1024 + 900) << 52);
  if (_mm512_cmpge_epu64_mask(above, range)) [[unlikely]]
    return _mm512_sqrt_pd(x);
  const __m512d half = _mm512_set1_pd(0.5);
  const __m512d y = _mm512_rsqrt14_pd(x);
  __m512d s = _mm512_mul_pd(x, y), h = _mm512_mul_pd(y, half);
  for (int i = 0; i < 2; ++i) {
    const __m512d r = _mm512_fnmadd_pd(s, h, half);
    s = _mm512_fmadd_pd(s, r, s);
    h = _mm512_fmadd_pd(h, r, h);
  }
  return _mm512_fmadd_pd(_mm512_fnmadd_pd(s, s, x), h, s);
#else
  return xsimd::sqrt(x);
#endif
}

/// To within 1 ulp, for where a quotient keeps the divider busy enough; a subnormal f32 counts as its own root.
inline Batch<double> fast_sqrt(Batch<double> x) { return math::sqrt(x); }
inline Batch<float> fast_sqrt(Batch<float> x) {
#if defined __AVX512F__
  const __mmask16 has_reciprocal = _knot_mask16(_mm512_fpclass_ps_mask(x, 0x2E));  // not 0, inf or subnormal
  const __m512 y = _mm512_rsqrt14_ps(x);
  const __m512 s = _mm512_mask_mul_ps(x, has_reciprocal, x, y), half = _mm512_set1_ps(0.5f);
  return _mm512_mask_fmadd_ps(s, has_reciprocal, _mm512_fnmadd_ps(s, _mm512_mul_ps(y, half), half), s);
#else
  return math::sqrt(x);
#endif
}

}  // namespace xgrad::kernels::XGRAD_ISA::math
