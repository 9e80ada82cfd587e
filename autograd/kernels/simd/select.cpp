#include <autograd/kernels/simd/elementwise.hpp>

namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// A Row; T is any type of the element's size, for only bits move.
template <class T>
void select_row(const void* const* in, const bool* step, void* out, Size n) {
  constexpr Size width = block_length<T>;
  Reader<Byte> mask(in[0], step[0]);
  Reader<T> a(in[1], step[1]), b(in[2], step[2]);
  T* y = static_cast<T*>(out);
  for (; n >= width; n -= width, mask.at += mask.step, a.at += a.step, b.at += b.step, y += width) {
    T block[width];
    for (Size j = 0; j < width; ++j) {
      const T chosen = a.at[j], other = b.at[j];  // both are read, so that no branch is needed
      block[j] = mask.at[j] ? chosen : other;
    }
    std::memcpy(y, block, sizeof(block));
  }
  for (Size j = 0; j < n; ++j) y[j] = mask.at[j] ? a.at[j] : b.at[j];
}

template <class T>
void select(const bool* mask, const void* a, const void* b, void* y, const Loop<3>& loop) {
  static constexpr int bytes[] = {1, sizeof(T), sizeof(T), sizeof(T)};
  const void* const in[] = {mask, a, b};
  walk(loop, in, bytes, y, select_row<T>);
}

}  // namespace

void fill_select(Table& t) {
  t.select[int(f32)] = select<std::uint32_t>;
  t.select[int(f64)] = t.select[int(i64)] = select<std::uint64_t>;
  t.select[int(boolean)] = select<std::uint8_t>;
}

}  // namespace xgrad::kernels::XGRAD_ISA
