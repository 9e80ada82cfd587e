#include <autograd/kernels/simd/elementwise.hpp>

/// The kernel of `where`.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// A Row; T is any type of the element's size, for only bits move.
template <class T>
void select_row(const void* const* in, const bool* step, void* out, Size n) {
  constexpr Size width = block_length<T>;
  Byte mask_block[width];
  T a_block[width], b_block[width];
  const Byte* mask = read<Byte>(in[0], step[0], mask_block);
  const T *a = read<T>(in[1], step[1], a_block), *b = read<T>(in[2], step[2], b_block);
  const Size mask_step = step[0] ? width : 0, a_step = step[1] ? width : 0, b_step = step[2] ? width : 0;
  T* y = static_cast<T*>(out);
  for (; n >= width; n -= width, mask += mask_step, a += a_step, b += b_step, y += width) {
    T block[width];
    for (Size j = 0; j < width; ++j) {
      const T chosen = a[j], other = b[j];  // both are read, so that no branch is needed
      block[j] = mask[j] ? chosen : other;
    }
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
