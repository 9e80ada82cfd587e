#pragma once
#include <cstdint>
#include <xsimd/xsimd.hpp>

/// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011), many counters at
/// a time. Each 32-bit word of the state has a 64-bit lane, whose upper half holds what is left of a product: the
/// widening multiplication reads lower halves only, so nothing is ever masked or moved between lanes.
namespace xgrad::kernels::XGRAD_ISA {

using Word = std::uint32_t;
using WideWord = xsimd::batch<std::uint64_t>;
inline constexpr int philox_lanes = 16;

/// The 64-bit products of the lower halves of a and b.
inline WideWord multiply_lower(const WideWord& a, const WideWord& b) {
#if defined(__AVX512F__)
  return _mm512_mul_epu32(a, b);
#elif defined(__AVX2__)
  return _mm256_mul_epu32(a, b);
#elif defined(__SSE2__)
  return _mm_mul_epu32(a, b);
#elif defined(__aarch64__)
  return vmull_u32(vmovn_u64(a), vmovn_u64(b));
#else
  constexpr std::uint64_t lower = 0xFFFFFFFF;
  std::uint64_t x[WideWord::size], y[WideWord::size];
  a.store_unaligned(x);
  b.store_unaligned(y);
  for (std::size_t l = 0; l < WideWord::size; ++l) x[l] = (x[l] & lower) * (y[l] & lower);
  return WideWord::load_unaligned(x);
#endif
}

template <int rounds>
inline void philox_rounds(WideWord& a, WideWord& b, WideWord& c, WideWord& d, Word key0, Word key1) {
  if constexpr (rounds > 0) {
    const WideWord p = multiply_lower(a, WideWord(std::uint64_t(0xD2511F53))),
                   q = multiply_lower(c, WideWord(std::uint64_t(0xCD9E8D57)));
    a = (q >> 32) ^ b ^ WideWord(std::uint64_t(key0));
    c = (p >> 32) ^ d ^ WideWord(std::uint64_t(key1));
    b = q;
    d = p;
    philox_rounds<rounds - 1>(a, b, c, d, key0 + 0x9E3779B9u, key1 + 0xBB67AE85u);
  }
}

/// words[w][l] = word w of the block whose counter is (first + l, stream); first is a multiple of 16, so that adding
/// l never carries.
inline void philox(Word (&words)[4][philox_lanes], std::uint64_t first, std::uint64_t seed, std::uint64_t stream) {
  constexpr int lanes = int(WideWord::size);
  std::uint64_t wide[4][philox_lanes];
  for (int l = 0; l < philox_lanes; ++l) wide[0][l] = Word(first) + Word(l);
  for (int l = 0; l < philox_lanes; l += lanes) {
    WideWord a = WideWord::load_unaligned(wide[0] + l), b(first >> 32), c(stream & 0xFFFFFFFF), d(stream >> 32);
    philox_rounds<10>(a, b, c, d, Word(seed), Word(seed >> 32));
    a.store_unaligned(wide[0] + l);
    b.store_unaligned(wide[1] + l);
    c.store_unaligned(wide[2] + l);
    d.store_unaligned(wide[3] + l);
  }
  for (int w = 0; w < 4; ++w)
    for (int l = 0; l < philox_lanes; ++l) words[w][l] = Word(wide[w][l]);
}

}  // namespace xgrad::kernels::XGRAD_ISA
