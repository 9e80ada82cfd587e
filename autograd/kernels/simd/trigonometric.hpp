#pragma once
#include <autograd/kernels/simd/math.hpp>

/// sin, cos and tan of f32.
namespace xgrad::kernels::XGRAD_ISA::math {

inline double sin(double x) { return system::sin(x); }
inline double cos(double x) { return system::cos(x); }
inline double tan(double x) { return std::tan(x); }

/// x = k pi/2 + (r + lost - last) for 0 <= x <= 8192, by Cody and Waite's pi/2 in parts: no product but the last is
/// rounded, nor are differences from which little is left. xsimd's own reduction depends on a batch's largest lane.
struct Turned {
  Integers k;  // its last bits
  Floats r, lost, last;
};
inline Turned turned(Floats x) {
  const Floats whole(0x1.8p23f);  // adding this rounds, and leaves k in the lowest bits
  const Floats shifted = fma(x, Floats(0.636619772f), whole), k = shifted - whole, third(7.54953362e-8f);
  const Floats most = (x - k * Floats(1.5703125f)) - k * Floats(4.837512969970703125e-4f);
  const Floats r = most - k * third;
  return {bits_as<Integers>(shifted), r, (most - r) - k * third, k * Floats(2.56334407e-12f)};
}
inline auto odd(Integers k) { return mask_as<float>((k & Integers(1)) != Integers(0)); }

/// sin x with `turn` 0 and cos x, which is a quarter turn further, with 1, by Cephes' polynomials.
inline Floats sine(Floats x, int turn) {
  const auto [k, r, lost, last] = turned(x);
  const Floats z = r * r;
  Floats s = fma(z, Floats(-1.9515295891e-4f), Floats(8.3321608736e-3f));
  s = r + (z * r * fma(z, s, Floats(-1.6666654611e-1f)) - last);
  Floats c = fma(z, Floats(2.443315711809948e-5f), Floats(-1.388731625493765e-3f));
  c = fma(z * z, fma(z, c, Floats(4.166664568298827e-2f)), fma(z, Floats(-0.5f), Floats(1.f)));
  const Integers quadrant = k + Integers(turn);
  return select(odd(quadrant), c, s) ^ bits_as<Floats>((quadrant & Integers(2)) << 30);
}

/// tan x, which is tan r or, from odd multiples of pi/2, -1 / tan r. What z and the quotient lost in rounding is put
/// back: otherwise the roundings would add up to more than 1 ulp.
inline Floats tangent(Floats x) {
  const auto [k, r, lost, last] = turned(x);
  const Floats z = r * r, minus_cube = remainder(r * remainder(z, r, r), r, z);
  Floats p(4.3764282e-3f);
  for (float c : {9.122341e-5f, 1.08324783e-2f, 2.12845113e-2f, 5.40591776e-2f, 1.33326739e-1f, 3.33333492e-1f})
    p = fma(p, z, Floats(c));
  // 1 + 1.5 z is near enough to the derivative, 1 + tan^2 r.
  const Floats rest = remainder((lost - last) * fma(z, Floats(1.5f), Floats(1.f)), p, minus_cube);
  const Floats y = r + rest, minus_one(-1.f), q = minus_one / y;
  const Floats cotangent = remainder(q, q, remainder(remainder(minus_one, r, q), rest, q));
  return select(odd(k), cotangent, y);
}

/// y, but libm's f(x) where |x| is above 8192 or NaN. Kept out of loops, where it would have registers saved.
template <class F>
[[gnu::cold, gnu::noinline]] Floats with_large(Floats x, Floats y, F f) {
  alignas(64) float from[Floats::size], to[Floats::size];
  x.store_aligned(from);
  y.store_aligned(to);
  for (std::size_t j = 0; j < Floats::size; ++j) {
    if (!(std::fabs(from[j]) <= 8192.f)) to[j] = f(from[j]);
  }
  return Floats::load_aligned(to);
}
template <class F>
Floats unless_large(Floats x, Floats y, F f) {
  return xsimd::all(abs(x) <= Floats(8192.f)) ? y : with_large(x, y, f);
}
inline Floats sin(Floats x) {
  const Floats y = sine(abs(x), 0) ^ xsimd::bitofsign(x);
  return unless_large(x, y, [](float v) { return system::sin(v); });
}
inline Floats cos(Floats x) {
  return unless_large(x, sine(abs(x), 1), [](float v) { return system::cos(v); });
}
inline Floats tan(Floats x) {
  const Floats y = tangent(abs(x)) ^ xsimd::bitofsign(x);
  return unless_large(x, y, [](float v) { return std::tan(v); });
}

}  // namespace xgrad::kernels::XGRAD_ISA::math
