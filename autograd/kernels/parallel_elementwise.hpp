#pragma once
#include <autograd/kernels/parallel_common.hpp>

/// How the work of elementwise kernels is cut into pieces.
namespace xgrad::kernels {

struct ParallelElementwise {
  // unary, predicate, cast
  static void call(const KernelOf<&Table::unary>& k, const void* x, void* y, Size n) {
    if (is_small(n, most_work)) return k.run(x, y, n);
    split_unary(k, x, y, n);
  }

  // binary, compare, bitwise
  static void call(const KernelOf<&Table::binary>& k, const void* a, const void* b, void* y, const Loop<2>& whole) {
    if (is_small(whole.count(), most_work)) return k.run(a, b, y, whole);
    split_binary(k, a, b, y, whole);
  }

  static void call(const KernelOf<&Table::select>& k, const bool* mask, const void* a, const void* b, void* y,
                   const Loop<3>& whole) {
    const Size size = size_of(k.dtype);
    const bool large = streams(y, whole.count() * size, a, b);
    split_loop(whole, size, [&](const Loop<3>& loop, const Size* offsets, Size first) {
      const Streaming stored(large);
      k.run(mask + offsets[0], at(a, offsets[1] * size), at(b, offsets[2] * size), at(y, first * size), loop);
    });
  }

  // copy, accumulate
  static void call(const KernelOf<&Table::copy>& k, const void* from, void* to, const Loop<2>& asked) {
    const Size size = size_of(k.dtype);
    Loop<2> whole = asked;
    const bool few_rows =
        whole.rank == 2 && whole.sizes[0] < std::min(whole.sizes[1], whole.count() * size / grain * 8);
    if (few_rows && whole.strides[1][1] != 1) {
      // They may be columns of `from`, where they lie side by side: a piece is a part of all of them.
      std::swap(whole.sizes[0], whole.sizes[1]);
      for (auto& strides : whole.strides) std::swap(strides[0], strides[1]);
    }
    const bool large = k.is<&Table::copy>() && outgrows_caches(whole.count() * size);
    split_loop(whole, size, [&](const Loop<2>& loop, const Size* offsets, Size) {
      const Streaming stored(large);
      k.run(at(from, offsets[1] * size), at(to, offsets[0] * size), loop);
    });
  }

  static void call(const KernelOf<&Table::dropout>& k, const void* x, const bool* keep, double scale, void* y, Size n) {
    const Size size = size_of(k.dtype);
    split(n, size, 64, [&](Size i, Size count) { k.run(at(x, i * size), keep + i, scale, at(y, i * size), count); });
  }

  // uniform, normal
  static void call(const KernelOf<&Table::uniform>& k, void* y, Size n, Size first, std::uint64_t seed,
                   std::uint64_t stream) {
    const Size size = size_of(k.dtype), nanoseconds = k.is<&Table::normal>() ? 2 : 1;
    split(n, nanoseconds * per_nanosecond, 64,
          [&](Size i, Size count) { k.run(at(y, i * size), count, first + i, seed, stream); });
  }

  static void call(const KernelOf<&Table::keep>& k, bool* y, Size n, Size first, double p, std::uint64_t seed,
                   std::uint64_t stream) {
    split(n, per_nanosecond / 4, 64, [&](Size i, Size count) { k.run(y + i, count, first + i, p, seed, stream); });
  }

  // sgd, adam, rmsprop, adagrad: large parameters one after the other, small neighbours together.
  static void call(const KernelOf<&Table::sgd>& k, const OptimiserArrays* all, Size count, const OptimiserStep& step) {
    const Size size = size_of(k.dtype), work = 4 * size;
    const OptimiserArrays* small = all;
    for (const OptimiserArrays* a = all; a != all + count; ++a) {
      if (is_small(a->n, work)) continue;
      if (small < a) k.run(small, a - small, step);
      small = a + 1;
      split(a->n, work, 64, [&](Size i, Size n) {
        const Size first = i * size;
        const OptimiserArrays part{at(a->p, first), at(a->g, first), at(a->m, first),
                                   at(a->v, first), at(a->w, first), n};
        k.run(&part, 1, step);
      });
    }
    if (small < all + count) k.run(small, all + count - small, step);
  }

 private:
#define XGRAD_IS_TRANSCENDENTAL(name) Elementwise<Unary::name>::transcendental,
  static constexpr bool transcendental_unary[] = {XGRAD_UNARY_KERNELS(XGRAD_IS_TRANSCENDENTAL)};
#undef XGRAD_IS_TRANSCENDENTAL
#define XGRAD_IS_TRANSCENDENTAL(name) Elementwise<Binary::name>::transcendental,
  static constexpr bool transcendental_binary[] = {XGRAD_BINARY_KERNELS(XGRAD_IS_TRANSCENDENTAL)};
#undef XGRAD_IS_TRANSCENDENTAL

  /// The work in an element of `size` bytes, in bytes moved: a transcendental function takes twice as long as memory
  /// does, in f64 eight times.
  static Size work(Size size, int dtype, bool transcendental) {
    return size * (transcendental ? (dtype == int(f64) ? 4 : 2) : 1);
  }
  /// What no element exceeds. Most calls are small by it, and ask no further.
  static constexpr Size most_work = 32;

  [[gnu::noinline]] static void split_unary(const KernelOf<&Table::unary>& k, const void* x, void* y, Size n) {
    const Size of = size_of(k.dtype), from = k.is<&Table::cast>() ? size_of(k.kind) : of;
    const Size to = k.is<&Table::predicate>() ? 1 : of;
    const bool large = streams(y, n * to, x);
    split(n, work(std::max(from, of), k.dtype, k.is<&Table::unary>() && transcendental_unary[k.kind]), 64,
          [&](Size i, Size size) {
            const Streaming stored(large);
            k.run(at(x, i * from), at(y, i * to), size);
          });
  }

  [[gnu::noinline]] static void split_binary(const KernelOf<&Table::binary>& k, const void* a, const void* b, void* y,
                                             const Loop<2>& whole) {
    const Size from = size_of(k.dtype), to = k.is<&Table::compare>() ? 1 : from;
    const bool large = streams(y, whole.count() * to, a, b);
    split_loop(whole, work(from, k.dtype, k.is<&Table::binary>() && transcendental_binary[k.kind]),
               [&](const Loop<2>& loop, const Size* offsets, Size first) {
                 const Streaming stored(large);
                 k.run(at(a, offsets[0] * from), at(b, offsets[1] * from), at(y, first * to), loop);
               });
  }
};

}  // namespace xgrad::kernels
