#include <autograd/kernels/simd/elementwise.hpp>

namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// A Row; T is any type of the element's size, for only bits move.
template <class T>
void select_row(const void* const* in, const bool* step, void* out, Size n) {
  constexpr Size width = splat_length;
  const Byte* mask = static_cast<const Byte*>(in[0]);
  const T* a = static_cast<const T*>(in[1]);
  const T* b = static_cast<const T*>(in[2]);
  T* y = static_cast<T*>(out);
  const Size mask_step = step[0] ? width : 0, a_step = step[1] ? width : 0, b_step = step[2] ? width : 0;
  for (; n >= width; n -= width, mask += mask_step, a += a_step, b += b_step, y += width) {
    T block[width];
    for (Size j = 0; j < width; ++j) block[j] = mask[j] ? a[j] : b[j];
    std::memcpy(y, block, sizeof(block));
  }
  for (Size j = 0; j < n; ++j) y[j] = mask[j] ? a[j] : b[j];
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
