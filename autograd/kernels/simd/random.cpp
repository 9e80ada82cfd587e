#include <autograd/kernels/simd/double_math.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/philox.hpp>

/// The kernels of random numbers: Philox with key = seed and counter = (block, stream). Sixteen blocks make a group of
/// 64 words, stored word-major: words[w][l] is word w of block 16 group + l. Element i of a call lies in group i / 64
/// (f32, boolean) or i / 32 (f64), so that lanes never have to be crossed and a split at a multiple of 64 elements
/// changes nothing.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

constexpr int lanes = philox_lanes;

struct Group {
  Word words[4][lanes];
  Group(std::uint64_t index, std::uint64_t seed, std::uint64_t stream) { philox(words, index * lanes, seed, stream); }
};

/// 24 random bits in [0, 1).
float unit_float(Word w) { return float(std::int32_t(w >> 8)) * 0x1p-24f; }
/// 53 random bits in [0, 1), from two words: 27 and 26 of their bits.
double unit_double(Word high, Word low) {
  return (double(std::int32_t(high >> 5)) * 0x1p26 + double(std::int32_t(low >> 6))) * 0x1p-53;
}

// What a group gives: `size` elements at y.
struct UniformFloat {
  using T = float;
  static constexpr int size = 4 * lanes;
  static void generate(const Group& g, T* y) {
    for (int w = 0; w < 4; ++w)
      for (int l = 0; l < lanes; ++l) y[w * lanes + l] = unit_float(g.words[w][l]);
  }
};

struct UniformDouble {
  using T = double;
  static constexpr int size = 2 * lanes;
  static void generate(const Group& g, T* y) {
    for (int w = 0; w < 2; ++w)
      for (int l = 0; l < lanes; ++l) y[w * lanes + l] = unit_double(g.words[2 * w][l], g.words[2 * w + 1][l]);
  }
};

void store(Batch<double> v, double* y) { v.store_unaligned(y); }
void store(Batch<double> v, float* y) { narrowed(v, y); }

/// Two times `lanes` independent normals (Box and Muller, 1958) from u in (0, 1] and v in [0, 1).
template <class T>
void box_muller(const double* u, const double* v, T* first, T* second) {
  using V = Batch<double>;
  for (int l = 0; l < lanes; l += int(V::size)) {
    V sine, cosine;
    math::sine_and_cosine(V::load_unaligned(v + l), sine, cosine);
    const V radius = xsimd::sqrt(math::log(V::load_unaligned(u + l)) * -2.);
    store(radius * cosine, first + l);
    store(radius * sine, second + l);
  }
}

struct NormalFloat {
  using T = float;
  static constexpr int size = 4 * lanes;
  static void generate(const Group& g, T* y) {
    double u[lanes], v[lanes];
    for (int w = 0; w < 4; w += 2, y += 2 * lanes) {
      for (int l = 0; l < lanes; ++l) u[l] = (double(g.words[w][l]) + 1) * 0x1p-32;
      for (int l = 0; l < lanes; ++l) v[l] = double(g.words[w + 1][l]) * 0x1p-32;
      box_muller(u, v, y, y + lanes);
    }
  }
};

struct NormalDouble {
  using T = double;
  static constexpr int size = 2 * lanes;
  static void generate(const Group& g, T* y) {
    double u[lanes], v[lanes];
    for (int l = 0; l < lanes; ++l) u[l] = 1 - unit_double(g.words[0][l], g.words[1][l]);
    for (int l = 0; l < lanes; ++l) v[l] = unit_double(g.words[2][l], g.words[3][l]);
    box_muller(u, v, y, y + lanes);
  }
};

template <class Kind>
void generate(void* to, Size n, Size first, std::uint64_t seed, std::uint64_t stream) {
  auto* y = static_cast<typename Kind::T*>(to);
  auto index = std::uint64_t(first / Kind::size);
  for (; n >= Kind::size; n -= Kind::size, y += Kind::size) Kind::generate(Group(index++, seed, stream), y);
  if (n == 0) return;
  typename Kind::T rest[Kind::size];
  Kind::generate(Group(index, seed, stream), rest);
  for (Size i = 0; i < n; ++i) y[i] = rest[i];
}

/// A word is kept if it lies below p 2^32.
void keep(bool* y, Size n, Size first, double p, std::uint64_t seed, std::uint64_t stream) {
  constexpr Size size = 4 * lanes;
  const double scaled = p * 0x1p32;
  const bool all = scaled > 0xFFFFFFFFp0;
  const Word threshold = all ? 0xFFFFFFFFu : scaled > 0 ? Word(scaled) : 0;
  for (auto index = std::uint64_t(first / size); n > 0; ++index, n -= size, y += size) {
    const Group g(index, seed, stream);
    const Word* words = g.words[0];
    const Size here = n < size ? n : size;
    if (all) {
      for (Size i = 0; i < here; ++i) y[i] = true;
    } else {
      for (Size i = 0; i < here; ++i) y[i] = words[i] < threshold;
    }
  }
}

template <class T>
void dropout(const void* from, const bool* kept_, double scale_, void* to, Size n) {
  const T* x = static_cast<const T*>(from);
  const auto* kept = reinterpret_cast<const unsigned char*>(kept_);  // g++ makes no SIMD of loads of bool
  T* y = static_cast<T*>(to);
  const T scale = T(scale_);
  for (Size i = 0; i < n; ++i) {
    const T value = x[i] * scale;
    y[i] = kept[i] != 0 ? value : T(0);
  }
}

}  // namespace

void fill_random(Table& t) {
  t.uniform[int(f32)] = generate<UniformFloat>;
  t.uniform[int(f64)] = generate<UniformDouble>;
  t.normal[int(f32)] = generate<NormalFloat>;
  t.normal[int(f64)] = generate<NormalDouble>;
  t.keep = keep;
  t.dropout[int(f32)] = dropout<float>;
  t.dropout[int(f64)] = dropout<double>;
}

}  // namespace xgrad::kernels::XGRAD_ISA
