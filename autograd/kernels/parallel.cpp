#include <autograd/kernels/joined_deviations.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/parallel_sequences.hpp>
#include <autograd/kernels/stream.hpp>
#include <vector>

/// How each kernel's work is cut into pieces for several threads.
namespace xgrad::kernels {
namespace {

template <class E>
constexpr bool is_transcendental() {
  if constexpr (E::template is<&Table::unary>)
    return Elementwise<Unary(E::kind)>::transcendental;
  else if constexpr (E::template is<&Table::binary>)
    return Elementwise<Binary(E::kind)>::transcendental;
  else
    return false;
}

/// The work in an element of an elementwise kernel, in bytes moved: a transcendental function takes twice as long as
/// memory does, in f64 eight times.
template <class E>
constexpr Size work() {
  const int of = E::template is<&Table::cast> ? std::max(size_of(E::kind), size_of(E::dtype)) : size_of(E::dtype);
  return of * (is_transcendental<E>() ? (E::dtype == int(f64) ? 4 : 2) : 1);
}

/// The same for kernels that have no cheap way through the processor, by the time that they take.
constexpr Size per_nanosecond = grain / 20000;

/// Calls body(loop, offsets, first) for the pieces of a loop, `first` being the place in a contiguous output.
template <int N, class Body>
void split_loop(const Loop<N>& loop, Size work, const Body& body) {
  constexpr Size begin[N] = {};
  const Size wanted = loop.count() * work / grain;
  if (wanted < 2) return body(loop, begin, 0);
  const Cut<N> cut(loop, loop.rank, wanted);
  run_pieces(cut.count(), [&](Size i) { cut.piece(i, body); });
}

/// Whether a contiguous result of an elementwise kernel is to be streamed. One in the place of an operand is not: its
/// lines have just been read.
template <class... In>
bool streams(const void* y, Size bytes, const In*... operands) {
  return outgrows_caches(bytes) && (... && (y != operands));
}

/// Whether so many elements are one piece, and so too few to be streamed: most calls are. What cuts others is compiled
/// once for all elementwise kernels.
constexpr bool is_small(Size count, Size work) { return count * work / grain < 2; }

template <int dtype>
using ElementOf = std::conditional_t<dtype == int(f32), float, double>;

/// Room for the results of pieces, until the thread asks again.
double* room(Size count) {
  static thread_local std::vector<double> numbers;
  if (Size(numbers.size()) < count) numbers.resize(std::size_t(count));
  return numbers.data();
}

struct Parallel : ParallelSequences {
  using ParallelSequences::call;

  // unary, predicate, cast
  template <class E>
  static void call(const void* x, void* y, Size n) {
    constexpr Size from = size_of(E::template is<&Table::cast> ? E::kind : E::dtype);
    constexpr Size to = E::template is<&Table::predicate> ? 1 : size_of(E::dtype);
    if (is_small(n, work<E>())) return serial<E>()(x, y, n);
    split_unary(serial<E>(), from, to, work<E>(), x, y, n);
  }
  [[gnu::noinline]] static void split_unary(Table::UnaryFn kernel, Size from, Size to, Size work, const void* x,
                                            void* y, Size n) {
    const bool large = streams(y, n * to, x);
    split(n, work, 64, [&](Size i, Size size) {
      const Streaming stored(large);
      kernel(at(x, i * from), at(y, i * to), size);
    });
  }

  // binary, compare, bitwise
  template <class E>
  static void call(const void* a, const void* b, void* y, const Loop<2>& whole) {
    constexpr Size from = size_of(E::dtype), to = E::template is<&Table::compare> ? 1 : from;
    if (is_small(whole.count(), work<E>())) return serial<E>()(a, b, y, whole);
    split_binary(serial<E>(), from, to, work<E>(), a, b, y, whole);
  }
  [[gnu::noinline]] static void split_binary(Table::BinaryFn kernel, Size from, Size to, Size work, const void* a,
                                             const void* b, void* y, const Loop<2>& whole) {
    const bool large = streams(y, whole.count() * to, a, b);
    split_loop(whole, work, [&](const Loop<2>& loop, const Size* offsets, Size first) {
      const Streaming stored(large);
      kernel(at(a, offsets[0] * from), at(b, offsets[1] * from), at(y, first * to), loop);
    });
  }

  template <class E>  // select
  static void call(const bool* mask, const void* a, const void* b, void* y, const Loop<3>& whole) {
    constexpr Size size = size_of(E::dtype);
    const bool large = streams(y, whole.count() * size, a, b);
    split_loop(whole, size, [&](const Loop<3>& loop, const Size* offsets, Size first) {
      const Streaming stored(large);
      serial<E>()(mask + offsets[0], at(a, offsets[1] * size), at(b, offsets[2] * size), at(y, first * size), loop);
    });
  }

  template <class E>  // copy, accumulate
  static void call(const void* from, void* to, const Loop<2>& asked) {
    constexpr Size size = size_of(E::dtype);
    Loop<2> whole = asked;
    const bool few_rows =
        whole.rank == 2 && whole.sizes[0] < std::min(whole.sizes[1], whole.count() * size / grain * 8);
    if (few_rows && whole.strides[1][1] != 1) {
      // They may be columns of `from`, where they lie side by side: a piece is a part of all of them.
      std::swap(whole.sizes[0], whole.sizes[1]);
      for (auto& strides : whole.strides) std::swap(strides[0], strides[1]);
    }
    const bool large = E::template is<&Table::copy> && outgrows_caches(whole.count() * size);
    split_loop(whole, size, [&](const Loop<2>& loop, const Size* offsets, Size) {
      const Streaming stored(large);
      serial<E>()(at(from, offsets[1] * size), at(to, offsets[0] * size), loop);
    });
  }

  // reduce, centre, squared_deviations, softmax
  template <class E>
  static void call(const void* x, void* y, Size outer, Size count, Size inner) {
    constexpr Size size = size_of(E::dtype);
    if constexpr (E::template is<&Table::reduce> || E::template is<&Table::squared_deviations>) {
      const Size wanted = outer * count * inner * size / grain;
      if (wanted >= 2 && count > 1 && outer < wanted) return reduce_few<E>(x, y, outer, count, inner, wanted);
    }
    const Size each = E::template is<&Table::softmax> ? 4 * size : size;
    const bool reduces = E::template is<&Table::reduce> || E::template is<&Table::squared_deviations>;
    const Size to = reduces ? inner : count * inner;
    const bool large = E::template is<&Table::softmax> && streams(y, outer * to * size, x);
    split(outer, count * inner * each, 1, [&](Size o, Size n) {
      const Streaming stored(large);
      serial<E>()(at(x, o * count * inner * size), at(y, o * to * size), n, count, inner);
    });
  }

  /// A reduction with fewer results in `outer` than pieces are wanted: long rows are cut into columns, long columns
  /// into pieces that are put together.
  template <class E>
  static void reduce_few(const void* x, void* y, Size outer, Size count, Size inner, Size wanted) {
    constexpr bool is_variance = E::template is<&Table::squared_deviations>;
    // Each piece of a logsumexp ends in as many logarithms as it has results, and one of a variance has two numbers.
    constexpr Size size = size_of(E::dtype), enough_columns = 1024,
                   enough_rows = is_variance                         ? 256
                                 : E::kind == int(Reduce::logsumexp) ? 384
                                                                     : 32;
    const auto block = [&](Size first, void* to, double* means, Size rows, Size width) {
      if constexpr (is_variance)
        serial_->squared_deviations_block[E::dtype](at(x, first * size), to, means, rows, inner, width);
      else
        serial_->reduce_block[E::kind][E::dtype](at(x, first * size), to, rows, inner, width, means != nullptr);
    };
    const Size pieces = divide_up(wanted, outer), tiles = std::min(pieces, inner / enough_columns);
    if (tiles > 1 && 2 * tiles >= std::min(pieces, count / enough_rows)) {
      const Size width = round_up(divide_up(inner, tiles), 64), across = divide_up(inner, width);
      run_pieces(outer * across, [&](Size i) {
        const Size o = i / across, column = i % across * width;
        block(o * count * inner + column, at(y, (o * inner + column) * size), nullptr, count,
              std::min(width, inner - column));
      });
      return;
    }
    if (count < 2 * enough_rows) return serial<E>()(x, y, outer, count, inner);
    const Size rows = std::max(enough_rows, divide_up(count, pieces)), along = divide_up(count, rows);
    const Size results = outer * inner, all = along * results;
    double *const part = room(all + (is_variance ? all : results)), *const behind = part + all;
    run_pieces(outer * along, [&](Size i) {
      const Size row = i % along * rows;
      block((i / along * count + row) * inner, part + i * inner, behind + i * inner, std::min(rows, count - row),
            inner);
    });
    if constexpr (is_variance) {
      for (Size o = 0; o < outer; ++o)
        join_pieces(part + o * along * inner, behind + o * along * inner, count, rows, inner,
                    static_cast<ElementOf<E::dtype>*>(y) + o * inner);
    } else if constexpr (E::dtype == int(f32)) {
      serial_->reduce[E::kind][int(f64)](part, behind, outer, along, inner);
      serial_->cast[int(f64)][int(f32)](behind, y, results);
    } else {
      serial<E>()(part, y, outer, along, inner);
    }
  }

  template <class E>  // reduce_block
  static void call(const void* x, void* y, Size count, Size stride, Size width, bool wide) {
    serial<E>()(x, y, count, stride, width, wide);
  }

  template <class E>  // squared_deviations_block
  static void call(const void* x, void* y, double* means, Size count, Size stride, Size width) {
    serial<E>()(x, y, means, count, stride, width);
  }

  template <class E>  // add_row
  static void call(const void* row, void* c, Size rows, Size cols) {
    constexpr Size size = size_of(E::dtype);
    split(rows, cols * size, 8, [&](Size i, Size n) { serial<E>()(row, at(c, i * cols * size), n, cols); });
  }

  template <class E>  // uniform, normal
  static void call(void* y, Size n, Size first, std::uint64_t seed, std::uint64_t stream) {
    constexpr Size size = size_of(E::dtype), nanoseconds = E::template is<&Table::normal> ? 2 : 1;
    split(n, nanoseconds * per_nanosecond, 64,
          [&](Size i, Size count) { serial<E>()(at(y, i * size), count, first + i, seed, stream); });
  }

  template <class E>  // keep
  static void call(bool* y, Size n, Size first, double p, std::uint64_t seed, std::uint64_t stream) {
    split(n, per_nanosecond / 4, 64,
          [&](Size i, Size count) { serial<E>()(y + i, count, first + i, p, seed, stream); });
  }

  template <class E>  // dropout
  static void call(const void* x, const bool* keep, double scale, void* y, Size n) {
    constexpr Size size = size_of(E::dtype);
    split(n, size, 64,
          [&](Size i, Size count) { serial<E>()(at(x, i * size), keep + i, scale, at(y, i * size), count); });
  }

  // sgd, adam, rmsprop, adagrad: large parameters one after the other, small neighbours together.
  template <class E>
  static void call(const OptimiserArrays* all, Size count, const OptimiserStep& step) {
    constexpr Size size = size_of(E::dtype), work = 4 * size;
    const OptimiserArrays* small = all;
    for (const OptimiserArrays* a = all; a != all + count; ++a) {
      if (is_small(a->n, work)) continue;
      if (small < a) serial<E>()(small, a - small, step);
      small = a + 1;
      split(a->n, work, 64, [&](Size i, Size n) {
        const Size first = i * size;
        const OptimiserArrays part{at(a->p, first), at(a->g, first), at(a->m, first),
                                   at(a->v, first), at(a->w, first), n};
        serial<E>()(&part, 1, step);
      });
    }
    if (small < all + count) serial<E>()(small, all + count - small, step);
  }

  // take, gather
  template <class E>
  static void call(const void* from, const Size* index, void* to, Size outer, Size count, Size picks, Size inner) {
    constexpr Size size = size_of(E::dtype);
    const Size of_index = E::template is<&Table::gather> ? inner : 1;
    const Size work = std::max(of_index * per_nanosecond, inner * size);
    if (outer == 1) {
      split(picks, work, 1, [&](Size j, Size n) {
        serial<E>()(from, index + j * of_index, at(to, j * inner * size), 1, count, n, inner);
      });
      return;
    }
    const Size index_step = E::template is<&Table::gather> ? picks * inner : 0;
    split(outer, picks * work, 1, [&](Size o, Size n) {
      serial<E>()(at(from, o * count * inner * size), index + o * index_step, at(to, o * picks * inner * size), n,
                  count, picks, inner);
    });
  }

  // index_add, scatter_add
  template <class E>
  static void call(void* to, const Size* index, const void* from, Size outer, Size count, Size picks, Size inner) {
    constexpr Size size = size_of(E::dtype);
    const Size index_step = E::template is<&Table::scatter_add> ? picks * inner : 0;
    split(outer, picks * inner * per_nanosecond, 1, [&](Size o, Size n) {
      serial<E>()(at(to, o * count * inner * size), index + o * index_step, at(from, o * picks * inner * size), n,
                  count, picks, inner);
    });
  }

  template <class E>  // argmax, argmin
  static void call(const void* x, Size* index, Size outer, Size count, Size inner) {
    split(outer, count * inner * per_nanosecond, 1, [&](Size o, Size n) {
      serial<E>()(at(x, o * count * inner * size_of(E::dtype)), index + o * inner, n, count, inner);
    });
  }

  template <class E>  // argsort
  static void call(const void* x, Size* index, Size outer, Size count, Size picks, Size inner, bool descending) {
    constexpr Size nanoseconds = 20;
    split(outer, count * inner * nanoseconds * per_nanosecond, 1, [&](Size o, Size n) {
      serial<E>()(at(x, o * count * inner * size_of(E::dtype)), index + o * picks * inner, n, count, picks, inner,
                  descending);
    });
  }

  template <class E>  // cumsum, cumprod
  static void call(const void* x, void* y, Size outer, Size count, Size inner, bool reverse, bool exclusive) {
    split(outer, count * inner * per_nanosecond, 1, [&](Size o, Size n) {
      const Size first = o * count * inner * size_of(E::dtype);
      serial<E>()(at(x, first), at(y, first), n, count, inner, reverse, exclusive);
    });
  }

  template <class E>  // recurrence
  static void call(const void* x, const void* b, void* y, Size outer, Size count, Size inner, bool reverse) {
    split(outer, 2 * count * inner * per_nanosecond, 1, [&](Size o, Size n) {
      const Size first = o * count * inner * size_of(E::dtype);
      serial<E>()(at(x, first), at(b, first), at(y, first), n, count, inner, reverse);
    });
  }

  template <class E>  // gemm
  static void call(const Gemm& shape, const void* a, const void* b, void* c) {
    constexpr Size size = size_of(E::dtype);
    const Size wanted = pieces_of(shape, E::dtype);
    if (wanted < 2) return serial<E>()(shape, a, b, c);
    const Blocks blocks(shape, wanted);
    if (blocks.count() < 2) return serial<E>()(shape, a, b, c);
    run_pieces(blocks.count(), [&](Size i) {
      const Blocks::Block block = blocks[i];
      serial<E>()(block.shape, at(a, block.a * size), at(b, block.b * size), at(c, block.c * size));
    });
  }

  // gemm_batch: large products one after the other, each in blocks; of small ones several to a piece.
  template <class E>
  static void call(const Gemm& each, const Loop<3>& batch, const void* a, const void* b, void* c) {
    using One = Entry<&Table::gemm, E::dtype>;
    constexpr Size size = size_of(E::dtype);
    const Size matrix[] = {each.m * each.k * size, each.k * each.n * size, each.m * each.n * size};
    if (const Size pieces = pieces_of(each, E::dtype); Blocks(each, pieces).count() >= 2) {
      for_each_product(batch, [&](const Size* first, bool accumulate) {
        Gemm shape = each;
        shape.accumulate |= accumulate;
        call<One>(shape, at(a, first[0] * matrix[0]), at(b, first[1] * matrix[1]), at(c, first[2] * matrix[2]));
      });
      return;
    }
    constexpr Size call_cost = Size(1) << 12;
    const Size wanted = batch.count() * std::max(each.m * each.n * each.k, call_cost) / multiplications(E::dtype);
    int kept = 0;  // axes that are not summed
    const Loop<3> ordered = summed_last(batch, kept);
    if (wanted < 2 || kept == 0) return serial<E>()(each, batch, a, b, c);
    const Cut<3> cut(ordered, kept, wanted);
    run_pieces(cut.count(), [&](Size i) {
      cut.piece(i, [&](const Loop<3>& part, const Size* first, Size) {
        serial<E>()(each, part, at(a, first[0] * matrix[0]), at(b, first[1] * matrix[1]), at(c, first[2] * matrix[2]));
      });
    });
  }

  template <class E, class Of>  // correlate, correlate_wide
  static void call(const Of& of, const void* source, const void* weights, const void* bias, void* to) {
    serial<E>()(of, source, weights, bias, to);
  }

  template <class E, class Of>  // tap_sums, tap_sums_wide
  static void call(const Of& of, const void* source, const void* g, double* sums) {
    serial<E>()(of, source, g, sums);
  }

  template <class E>  // max_windows
  static void call(const Convolution& c, const void* x, void* y, Size* index) {
    const Size in = c.in_size() * size_of(E::dtype), out = c.out_size();
    split(c.images, out * c.kernel_size() * per_nanosecond / 2, 1, [&](Size first, Size n) {
      Convolution part = c;
      part.images = n;
      serial<E>()(part, at(x, first * in), at(y, first * out * size_of(E::dtype)),
                  index ? index + first * out : nullptr);
    });
  }

  template <class E>  // standardise
  static void call(const Slices& s, double eps, const void* x, const void* weight, const void* bias, void* z, void* y,
                   double* moments) {
    split_slices<E>(s, [&](const Slices& part) { serial<E>()(part, eps, x, weight, bias, z, y, moments); });
  }

  template <class E>  // standardise_grad
  static void call(const Slices& s, double eps, const void* g, const void* weight, const void* z, const double* moments,
                   void* dx) {
    split_slices<E>(s, [&](const Slices& part) { serial<E>()(part, eps, g, weight, z, moments, dx); });
  }

  template <class E, class Body>
  static void split_slices(const Slices& s, const Body& body) {
    // Slices of single elements stand next to each other: whole lines of them.
    split(s.count, s.outer * s.inner * 2 * size_of(E::dtype), s.inner == 1 && s.outer > 1 ? 16 : 1,
          [&](Size first, Size n) {
            Slices part = s;
            part.first = s.first + first, part.count = n;
            body(part);
          });
  }
};

/// The same with subnormal numbers counting as zeros, as in all that xgrad computes.
struct Flushed {
  template <class E, class... Args>
  static void call(Args&... args) {
    const SubnormalsAreZero scope;
    Parallel::call<E>(args...);
  }
};

}  // namespace

Table parallel(const Table& serial) {
  serial_ = &serial;
  return decorated<Flushed>(serial);
}

}  // namespace xgrad::kernels
