#pragma once
#include <autograd/kernels/simd/math.hpp>

/// asin, acos and atan to within 1 ulp. Where a result is a constant less a root or a quotient, what these and the
/// difference lost in rounding is put back: the roundings would add up to more.
namespace xgrad::kernels::XGRAD_ISA::math {

inline double asin(double x) { return std::asin(x); }
inline double acos(double x) { return std::acos(x); }
inline double atan(double x) { return std::atan(x); }

inline constexpr float half_pi = 1.57079637f, excess = 4.37113883e-8f;  // by which it exceeds the true one

/// asin v = v + v curve, for v = |x| up to 1/2 and v = root / 2 beyond, where acos |x| = 2 asin v.
struct Arc {
  xsimd::batch_bool<float> beyond;
  Floats size, square, root, curve;
};
inline Arc arc(Floats x) {
  const Floats size = abs(x), square = Floats(2.f) - size * Floats(2.f);
  const Floats z = min_of(square * Floats(0.25f), size * size);
  Floats p(4.2158399e-2f);
  for (float c : {2.41847411e-2f, 4.54691537e-2f, 7.49530941e-2f, 1.66667521e-1f}) p = fma(p, z, Floats(c));
  return {size > Floats(0.5f), size, square, xsimd::sqrt(square), z * p};
}
/// What v lacks to sqrt(square), and low. 0.65 is 1 / (2 v) for the roots that are large beside the result.
inline Floats lacking(Floats square, Floats v, Floats low) { return fma(remainder(square, v, v), Floats(0.65f), low); }

/// Beyond 1/2, pi/2 - acos |x|, with a v from which pi/2 differs by `less` and no rounding.
inline Floats asin(Floats x) {
  const Arc a = arc(x);
  const Floats less = Floats(half_pi) - a.root, v = select(a.beyond, Floats(half_pi) - less, a.size);
  const Floats y = less - fma(v, a.curve, lacking(a.square, v, Floats(excess)));
  return select(a.beyond, y, fma(v, a.curve, v)) ^ xsimd::bitofsign(x);
}

/// pi/2 - asin x up to 1/2; beyond, acos |x| or pi - acos |x|.
inline Floats acos(Floats x) {
  const Arc a = arc(x);
  const Floats zero(0.f), sign = xsimd::bitofsign(x) ^ select(a.beyond, Floats(-0.f), zero);
  const Floats beyond = select(x < zero, Floats(2 * half_pi), zero), from = select(a.beyond, beyond, Floats(half_pi));
  const Floats v = select(a.beyond, a.root, a.size) ^ sign;
  const Floats low = select(a.beyond, lacking(a.square, a.root, zero), zero) ^ sign;
  const Floats y = from - v, lost = (from - y) - v;
  return y - fma(v, a.curve, fma(from, Floats(excess / half_pi), low) - lost);
}

/// atan |x| = v - v z p up to 1, and pi/2 - atan(1 / |x|) beyond.
inline Floats atan(Floats x) {
  const Floats size = min_of(Floats(1e30f), abs(x)), inverse = Floats(1.f) / size;  // size second: a NaN passes
  const auto beyond = size > Floats(1.f);
  const Floats v = select(beyond, inverse, size), z = v * v;
  Floats p(-0.00113451795f);
  for (float c : {0.00742535526f, -0.0227776133f, 0.0449832566f, -0.0676364899f, 0.0882146209f, -0.110612333f,
                  0.142803431f, -0.199997157f, 0.333333284f})
    p = fma(p, z, Floats(c));
  const Floats less = Floats(half_pi) - v, lost = (Floats(half_pi) - less) - v;
  // 0.55 is 1 / (1 + z) for the quotients that are large beside the result. `size` is 1 / v.
  const Floats low = fma(remainder(Floats(1.f), inverse, size), v * Floats(0.55f), Floats(excess) - lost);
  const Floats zero(0.f), curve = remainder(select(beyond, low * size, zero), z, p);
  const Floats y = remainder(select(beyond, less, v), v ^ select(beyond, zero, Floats(-0.f)), curve);
  return y ^ xsimd::bitofsign(x);
}

}  // namespace xgrad::kernels::XGRAD_ISA::math
