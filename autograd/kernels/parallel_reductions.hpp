#pragma once
#include <autograd/kernels/joined_deviations.hpp>
#include <autograd/kernels/parallel_common.hpp>
#include <vector>

/// How reductions, and kernels that begin with one, are cut into pieces.
namespace xgrad::kernels {

struct ParallelReductions {
  // reduce, centre, squared_deviations, softmax
  static void call(const KernelOf<&Table::reduce>& k, const void* x, void* y, Size outer, Size count, Size inner) {
    const Size size = size_of(k.dtype);
    if (is_small(outer * count * inner, 4 * size)) return k.run(x, y, outer, count, inner);
    const bool reduces = k.is<&Table::reduce>() || k.is<&Table::squared_deviations>();
    const Size wanted = outer * count * inner * size / grain;
    if (reduces && wanted >= 2 && count > 1 && outer < wanted) return reduce_few(k, x, y, outer, count, inner, wanted);
    const Size each = k.is<&Table::softmax>() ? 4 * size : size;
    const Size to = reduces ? inner : count * inner;
    const bool large = k.is<&Table::softmax>() && streams(y, outer * to * size, x);
    split(outer, count * inner * each, 1, [&](Size o, Size n) {
      const Streaming stored(large);
      k.run(at(x, o * count * inner * size), at(y, o * to * size), n, count, inner);
    });
  }

  static void call(const KernelOf<&Table::reduce_block>& k, const void* x, void* y, Size count, Size stride, Size width,
                   bool wide) {
    k.run(x, y, count, stride, width, wide);
  }

  static void call(const KernelOf<&Table::squared_deviations_block>& k, const void* x, void* y, double* means,
                   Size count, Size stride, Size width) {
    k.run(x, y, means, count, stride, width);
  }

  // argmax, argmin
  static void call(const KernelOf<&Table::argmax>& k, const void* x, Size* index, Size outer, Size count, Size inner) {
    split(outer, count * inner * per_nanosecond, 1, [&](Size o, Size n) {
      k.run(at(x, o * count * inner * size_of(k.dtype)), index + o * inner, n, count, inner);
    });
  }

 private:
  /// Room for the results of pieces, until the thread asks again.
  static double* room(Size count) {
    static thread_local std::vector<double> numbers;
    if (Size(numbers.size()) < count) numbers.resize(std::size_t(count));
    return numbers.data();
  }

  /// A reduction with fewer results in `outer` than pieces are wanted: long rows are cut into columns, long columns
  /// into pieces that are put together.
  static void reduce_few(const KernelOf<&Table::reduce>& k, const void* x, void* y, Size outer, Size count, Size inner,
                         Size wanted) {
    const bool is_variance = k.is<&Table::squared_deviations>();
    // Each piece of a logsumexp ends in as many logarithms as it has results, and one of a variance has two numbers.
    const Size size = size_of(k.dtype), enough_columns = 1024,
               enough_rows = is_variance                        ? 256
                             : k.kind == int(Reduce::logsumexp) ? 384
                                                                : 32;
    const auto block = [&](Size first, void* to, double* means, Size rows, Size width) {
      if (is_variance)
        serial_->squared_deviations_block[k.dtype](at(x, first * size), to, means, rows, inner, width);
      else
        serial_->reduce_block[k.kind][k.dtype](at(x, first * size), to, rows, inner, width, means != nullptr);
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
    if (count < 2 * enough_rows) return k.run(x, y, outer, count, inner);
    const Size rows = std::max(enough_rows, divide_up(count, pieces)), along = divide_up(count, rows);
    const Size results = outer * inner, all = along * results;
    double *const part = room(all + (is_variance ? all : results)), *const behind = part + all;
    run_pieces(outer * along, [&](Size i) {
      const Size row = i % along * rows;
      block((i / along * count + row) * inner, part + i * inner, behind + i * inner, std::min(rows, count - row),
            inner);
    });
    if (is_variance) {
      const auto join = [&](auto* to) {
        for (Size o = 0; o < outer; ++o)
          join_pieces(part + o * along * inner, behind + o * along * inner, count, rows, inner, to + o * inner);
      };
      if (k.dtype == int(f32))
        join(static_cast<float*>(y));
      else
        join(static_cast<double*>(y));
    } else if (k.dtype == int(f32)) {
      serial_->reduce[k.kind][int(f64)](part, behind, outer, along, inner);
      serial_->cast[int(f64)][int(f32)](behind, y, results);
    } else {
      k.run(part, y, outer, along, inner);
    }
  }
};

}  // namespace xgrad::kernels
