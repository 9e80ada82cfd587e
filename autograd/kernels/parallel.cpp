#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/parallel_elementwise.hpp>
#include <autograd/kernels/parallel_normalisations.hpp>
#include <autograd/kernels/parallel_reductions.hpp>
#include <autograd/kernels/parallel_sequences.hpp>

/// How each kernel's work is cut into pieces for several threads.
namespace xgrad::kernels {
namespace {

struct Parallel : ParallelElementwise, ParallelNormalisations, ParallelReductions, ParallelSequences {
  using ParallelElementwise::call, ParallelNormalisations::call, ParallelReductions::call, ParallelSequences::call;

  static void call(const KernelOf<&Table::add_row>& k, const void* row, void* c, Size rows, Size cols) {
    const Size size = size_of(k.dtype);
    split(rows, cols * size, 8, [&](Size i, Size n) { k.run(row, at(c, i * cols * size), n, cols); });
  }

  // take, gather
  static void call(const KernelOf<&Table::take>& k, const void* from, const Size* index, void* to, Size outer,
                   Size count, Size picks, Size inner) {
    const Size size = size_of(k.dtype);
    const Size of_index = k.is<&Table::gather>() ? inner : 1;
    const Size work = std::max(of_index * per_nanosecond, inner * size);
    if (outer == 1) {
      split(picks, work, 1,
            [&](Size j, Size n) { k.run(from, index + j * of_index, at(to, j * inner * size), 1, count, n, inner); });
      return;
    }
    const Size index_step = k.is<&Table::gather>() ? picks * inner : 0;
    split(outer, picks * work, 1, [&](Size o, Size n) {
      k.run(at(from, o * count * inner * size), index + o * index_step, at(to, o * picks * inner * size), n, count,
            picks, inner);
    });
  }

  // index_add, scatter_add
  static void call(const KernelOf<&Table::index_add>& k, void* to, const Size* index, const void* from, Size outer,
                   Size count, Size picks, Size inner) {
    const Size size = size_of(k.dtype);
    const Size index_step = k.is<&Table::scatter_add>() ? picks * inner : 0;
    split(outer, picks * inner * per_nanosecond, 1, [&](Size o, Size n) {
      k.run(at(to, o * count * inner * size), index + o * index_step, at(from, o * picks * inner * size), n, count,
            picks, inner);
    });
  }

  static void call(const KernelOf<&Table::argsort>& k, const void* x, Size* index, Size outer, Size count, Size picks,
                   Size inner, bool descending) {
    constexpr Size nanoseconds = 20;
    split(outer, count * inner * nanoseconds * per_nanosecond, 1, [&](Size o, Size n) {
      k.run(at(x, o * count * inner * size_of(k.dtype)), index + o * picks * inner, n, count, picks, inner, descending);
    });
  }

  // cumsum, cumprod
  static void call(const KernelOf<&Table::cumsum>& k, const void* x, void* y, Size outer, Size count, Size inner,
                   bool reverse, bool exclusive) {
    split(outer, count * inner * per_nanosecond, 1, [&](Size o, Size n) {
      const Size first = o * count * inner * size_of(k.dtype);
      k.run(at(x, first), at(y, first), n, count, inner, reverse, exclusive);
    });
  }

  static void call(const KernelOf<&Table::recurrence>& k, const void* x, const void* b, void* y, Size outer, Size count,
                   Size inner, bool reverse) {
    split(outer, 2 * count * inner * per_nanosecond, 1, [&](Size o, Size n) {
      const Size first = o * count * inner * size_of(k.dtype);
      k.run(at(x, first), at(b, first), at(y, first), n, count, inner, reverse);
    });
  }

  static void call(const KernelOf<&Table::gemm>& k, const Gemm& shape, const void* a, const void* b, void* c) {
    const Size size = size_of(k.dtype);
    const Size wanted = pieces_of(shape, k.dtype);
    if (wanted < 2) return k.run(shape, a, b, c);
    const Blocks blocks(shape, wanted);
    if (blocks.count() < 2) return k.run(shape, a, b, c);
    run_pieces(blocks.count(), [&](Size i) {
      const Blocks::Block block = blocks[i];
      k.run(block.shape, at(a, block.a * size), at(b, block.b * size), at(c, block.c * size));
    });
  }

  // gemm_batch: large products one after the other, each in blocks; of small ones several to a piece.
  static void call(const KernelOf<&Table::gemm_batch>& k, const Gemm& each, const Loop<3>& batch, const void* a,
                   const void* b, void* c) {
    const Size size = size_of(k.dtype);
    const Size matrix[] = {each.m * each.k * size, each.k * each.n * size, each.m * each.n * size};
    if (const Size pieces = pieces_of(each, k.dtype); Blocks(each, pieces).count() >= 2) {
      const KernelOf<&Table::gemm> one{serial_->gemm[k.dtype], 0, k.dtype, nullptr};
      for_each_product(batch, [&](const Size* first, bool accumulate) {
        Gemm shape = each;
        shape.accumulate |= accumulate;
        call(one, shape, at(a, first[0] * matrix[0]), at(b, first[1] * matrix[1]), at(c, first[2] * matrix[2]));
      });
      return;
    }
    constexpr Size call_cost = Size(1) << 12;
    const Size wanted = batch.count() * std::max(each.m * each.n * each.k, call_cost) / multiplications(k.dtype);
    int kept = 0;  // axes that are not summed
    const Loop<3> ordered = summed_last(batch, kept);
    if (wanted < 2 || kept == 0) return k.run(each, batch, a, b, c);
    const Cut<3> cut(ordered, kept, wanted);
    run_pieces(cut.count(), [&](Size i) {
      cut.piece(i, [&](const Loop<3>& part, const Size* first, Size) {
        k.run(each, part, at(a, first[0] * matrix[0]), at(b, first[1] * matrix[1]), at(c, first[2] * matrix[2]));
      });
    });
  }

  static void call(const KernelOf<&Table::correlate>& k, const Correlation& of, const void* source, const void* weights,
                   const void* bias, void* to) {
    k.run(of, source, weights, bias, to);
  }
  static void call(const KernelOf<&Table::correlate_wide>& k, const WideCorrelation& of, const void* source,
                   const void* weights, const void* bias, void* to) {
    k.run(of, source, weights, bias, to);
  }
  static void call(const KernelOf<&Table::tap_sums>& k, const TapSums& of, const void* source, const void* g,
                   double* sums) {
    k.run(of, source, g, sums);
  }
  static void call(const KernelOf<&Table::tap_sums_wide>& k, const WideCorrelation& of, const void* source,
                   const void* g, double* sums) {
    k.run(of, source, g, sums);
  }

  static void call(const KernelOf<&Table::max_windows>& k, const Convolution& c, const void* x, void* y, Size* index) {
    const Size in = c.in_size() * size_of(k.dtype), out = c.out_size();
    split(c.images, out * c.kernel_size() * per_nanosecond / 2, 1, [&](Size first, Size n) {
      Convolution part = c;
      part.images = n;
      k.run(part, at(x, first * in), at(y, first * out * size_of(k.dtype)), index ? index + first * out : nullptr);
    });
  }
};

/// The same with subnormal numbers counting as zeros, as in all that xgrad computes.
template <class... Args>
struct Flushed {
  [[gnu::noinline]] static void call(Args... args, const Kernel<void (*)(Args...)>& kernel) {
    const SubnormalsAreZero scope;
    Parallel::call(kernel, args...);
  }
};

}  // namespace

Table parallel(const Table& serial) {
  serial_ = &serial;
  return decorated<Flushed>(serial);
}

}  // namespace xgrad::kernels
