#pragma once
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/lanes.hpp>
#include <autograd/kernels/simd/outlet.hpp>
#include <autograd/kernels/simd/value.hpp>
#include <autograd/kernels/simd/walk.hpp>
#include <utility>

/// The loops of all elementwise kernels, each instantiated for an empty function object `F`, which is called with
/// batches or with single elements. Whole batches and the remainder go through the same expression, the
/// remainder in a batch filled up with zeros, so that an element's value depends on neither its place nor the length.
namespace xgrad::kernels::XGRAD_ISA {

/// y[i] = F(x[i]), V by V. Of what no cache holds, each read fetches what lies a page behind it.
template <bool cached, class V, class Out, class F>
void map_part(const typename Lanes<V>::Element* x, Out* y, Size n) {
  constexpr Size width = Lanes<V>::width;
  if constexpr (width == 1) {
    if (!cached) prefetch_page_ahead(x, n);
    for (Size i = 0; i < n; ++i) y[i] = F{}(x[i]);
  } else {
    Size i = 0;
    for (; i + width <= n; i += width) {
      if (!cached) prefetch_page_ahead(x + i, width);
      F{}(V::load_unaligned(x + i)).store_unaligned(y + i);
    }
    if (i < n) store_few(y + i, F{}(load_few(x + i, n - i)), n - i);
  }
}

/// A kernel of one operand. Flat, as a call for each batch would load F's constants each time.
template <class V, class Out, class F>
[[gnu::flatten]] void map(const void* from, void* to, Size n) {
  using T = typename Lanes<V>::Element;
  const T* x = static_cast<const T*>(from);
  if (n > Outlet::size && streaming) {
    Outlet outlet(to);
    outlet.put(n, sizeof(Out),
               [&](void* part, Size i, Size m) { map_part<false, V, Out, F>(x + i, static_cast<Out*>(part), m); });
  } else {
    map_part<true, V, Out, F>(x, static_cast<Out*>(to), n);
  }
}

/// The length of the blocks of a Row: a batch, or for single elements a constant that compilers vectorise.
template <class V>
inline constexpr Size block_length = Lanes<V>::width == 1 ? 16 : Lanes<V>::width;

/// Where a Row reads an operand: in place, or in `block`, which is filled with the value of a broadcast one.
template <class V, class T = typename Lanes<V>::Element>
const T* read(const void* from, bool step, T* block) {
  const T* at = static_cast<const T*>(from);
  if (step) return at;
  if constexpr (Lanes<V>::width == 1) {
    for (Size j = 0; j < block_length<V>; ++j) block[j] = *at;
  } else {
    V(*at).store_aligned(block);
  }
  return block;
}

/// A Row: y[i] = F(a[i], b[i]), V by V.
template <class V, class Out, class F>
[[gnu::flatten]] void map_row(const void* const* in, const bool* step, void* out, Size n) {
  constexpr Size width = block_length<V>;
  alignas(64) typename Lanes<V>::Element a_block[width], b_block[width];
  const auto *a = read<V>(in[0], step[0], a_block), *b = read<V>(in[1], step[1], b_block);
  const Size a_step = step[0] ? width : 0, b_step = step[1] ? width : 0;
  Out* y = static_cast<Out*>(out);
  for (; n >= width; n -= width, a += a_step, b += b_step, y += width) {
    if constexpr (Lanes<V>::width == 1) {
      Out block[width];  // not y: it may be a or b, which would keep the loop from being vectorised
      for (Size j = 0; j < width; ++j) block[j] = F{}(a[j], b[j]);
      std::memcpy(y, block, sizeof(block));
    } else {
      F{}(V::load_unaligned(a), V::load_unaligned(b)).store_unaligned(y);
    }
  }
  if constexpr (Lanes<V>::width == 1) {
    for (Size j = 0; j < n; ++j) y[j] = F{}(a[j], b[j]);
  } else if (n > 0) {
    store_few(y, F{}(load_few(a, n), load_few(b, n)), n);
  }
}

template <class V, class Out, class F>
void map2(const void* a, const void* b, void* y, const Loop<2>& loop) {
  constexpr int size = sizeof(typename Lanes<V>::Element);
  static constexpr int bytes[] = {size, size, sizeof(Out)};
  const void* const in[] = {a, b};
  const bool contiguous = loop.rank == 1 && (loop.strides[0][0] | 1) == 1 && (loop.strides[1][0] | 1) == 1;
  if (contiguous && !(loop.sizes[0] > Outlet::size && streaming)) {  // short cut for small arrays
    const bool step[] = {loop.strides[0][0] == 1, loop.strides[1][0] == 1};
    return map_row<V, Out, F>(in, step, y, loop.sizes[0]);
  }
  walk(loop, in, bytes, y, map_row<V, Out, F>);
}

/// Booleans are handled as the bytes 0 and 1.
using Byte = std::uint8_t;
using Signed = std::int64_t;

/// Enters `kernel` for elements T, if it is to be compiled like the source that calls this: with a * b + c
/// `contracted`, or not.
template <bool contracted, auto kernel, class T>
void enter(Table& t) {
  using E = Elementwise<kernel>;
  constexpr bool batches = std::is_floating_point_v<T> && in_batches<kernel, T>;
  constexpr bool fused = E::contracted && std::is_same_v<T, float>;
  if constexpr (fused == contracted) {
    using V = std::conditional_t<batches, Batch<T>, T>;
    if constexpr (std::is_same_v<decltype(kernel), Unary>)
      t.unary[int(kernel)][int(dtype_of<T>)] = map<V, T, Function<kernel>>;
    else
      t.binary[int(kernel)][int(dtype_of<T>)] = map2<V, T, Function<kernel>>;
  }
}
/// The same for all kernels of a kind, Unary or Binary, and all dtypes.
template <bool contracted, class Kind>
void enter_all(Table& t) {
  const auto one = [&]<int k>() {
    constexpr Kind kernel{k};
    enter<contracted, kernel, float>(t);
    enter<contracted, kernel, double>(t);
    if constexpr (Elementwise<kernel>::integers) enter<contracted, kernel, Signed>(t);
  };
  [&]<int... k>(std::integer_sequence<int, k...>) { (one.template operator()<k>(), ...); }
  (std::make_integer_sequence<int, int(Kind::count)>());
}

}  // namespace xgrad::kernels::XGRAD_ISA
