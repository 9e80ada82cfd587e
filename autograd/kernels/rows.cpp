#include <autograd/error.hpp>
#include <autograd/kernels/pieces.hpp>
#include <autograd/kernels/rows.hpp>
#include <cstring>
#include <numeric>

/// Runs a fused function over operands that broadcast.
namespace xgrad::kernels {
namespace {

// Elements that broadcast operands are written out for at a time, and the most that a row handles at once.
constexpr Size chunk = 512, most_lanes = 16;

const char* at(const void* p, Size bytes) { return static_cast<const char*>(p) + bytes; }

bool is_contiguous(const Loop<1>& loop) { return loop.rank == 1 && loop.strides[0][0] == 1; }

/// After how many elements an operand repeats itself; 0 if it does not, or not simply.
Size period(const Loop<1>& loop) {
  if (loop.rank == 1) return loop.strides[0][0] == 0 ? 1 : 0;
  return loop.rank == 2 && loop.strides[0][0] == 0 && loop.strides[0][1] == 1 ? loop.sizes[1] : 0;
}

/// to[i] = element begin + i of the operand.
template <class T>
void write_out(const Loop<1>& loop, const void* from, Size begin, Size n, void* to_) {
  const int last = loop.rank - 1;
  Size index[max_rank], offset = 0, rest = begin;
  for (int d = last; d >= 0; --d) {
    index[d] = rest % loop.sizes[d];
    rest /= loop.sizes[d];
    offset += index[d] * loop.strides[0][d];
  }
  const T* const x = static_cast<const T*>(from);
  T* to = static_cast<T*>(to_);
  for (;;) {
    const Size count = std::min(n, loop.sizes[last] - index[last]);
    if (loop.strides[0][last] == 0) {
      std::fill_n(to, count, x[offset]);
    } else {
      std::copy_n(x + offset, count, to);
    }
    n -= count;
    to += count;
    if (n == 0) return;
    offset -= index[last] * loop.strides[0][last];
    index[last] = 0;
    int d = last - 1;
    for (; ++index[d] == loop.sizes[d]; --d) {
      offset -= (loop.sizes[d] - 1) * loop.strides[0][d];
      index[d] = 0;
    }
    offset += loop.strides[0][d];
  }
}

struct Rows {
  const RowFunction& f;
  const Operands& operands;
  const void* const* in;
  void* const* out;

  /// Elements [begin, begin + n).
  void run(Size begin, Size n) const {
    alignas(64) char written[max_operands][chunk * 8];
    bool is_written[max_operands] = {};
    const Size together = elements_together();
    for (const Size end = begin + n; begin < end; begin += together) {
      n = std::min(together, end - begin);
      const void* from[max_operands];
      for (int k = 0; k < operands.count; ++k) {
        const Loop<1>& loop = operands.loops[k];
        if (is_contiguous(loop)) {
          from[k] = at(in[k], begin * f.bytes);
          continue;
        }
        from[k] = written[k];
        if (is_written[k]) continue;
        if (f.bytes == 4) {
          write_out<float>(loop, in[k], begin, n, written[k]);
        } else {
          write_out<double>(loop, in[k], begin, n, written[k]);
        }
        const Size p = period(loop);
        is_written[k] = p > 0 && together % p == 0;
      }
      void* to[max_results];
      for (int r = 0; r < max_results; ++r) to[r] = out[r] ? static_cast<char*>(out[r]) + begin * f.bytes : nullptr;
      call(from, to, n);
    }
  }

  /// How many elements are handled at once: all if nothing has to be written out; else a whole number of periods, if
  /// one is short enough.
  Size elements_together() const {
    Size together = operands.n;
    for (int k = 0; k < operands.count; ++k) {
      if (is_contiguous(operands.loops[k])) continue;
      together = std::min(together, chunk);
      const Size p = period(operands.loops[k]);
      if (p <= 1) continue;
      const Size whole = std::lcm(p, most_lanes);
      return whole <= chunk ? chunk / whole * whole : chunk;
    }
    return together;
  }

  /// n elements: whole rows where they lie, and the rest in rows that are filled up.
  void call(const void* const* from, void* const* to, Size n) const {
    const Size whole = n - n % f.lanes, rest = n - whole;
    if (whole > 0) f.row(f.closure, from, to, whole);
    if (rest == 0) return;
    alignas(64) char inputs[max_operands][64] = {}, results[max_results][64];
    const void* few[max_operands];
    void* few_results[max_results];
    const std::size_t bytes = std::size_t(rest * f.bytes);
    for (int k = 0; k < operands.count; ++k) {
      std::memcpy(inputs[k], at(from[k], whole * f.bytes), bytes);
      few[k] = inputs[k];
    }
    for (int r = 0; r < max_results; ++r) few_results[r] = to[r] ? results[r] : nullptr;
    f.row(f.closure, few, few_results, f.lanes);
    for (int r = 0; r < max_results; ++r)
      if (to[r]) std::memcpy(static_cast<char*>(to[r]) + whole * f.bytes, results[r], bytes);
  }
};

}  // namespace

void run_rows(const RowFunction& f, const Operands& operands, const void* in0, const void* in1, const void* in2,
              const void* in3, const void* in4, const void* in5, const void* in6, void* out0, void* out1, void* out2,
              void* out3, void* out4, void* out5) {
  const void* const in[max_operands] = {in0, in1, in2, in3, in4, in5, in6};
  void* const out[max_results] = {out0, out1, out2, out3, out4, out5};
  const Rows rows{f, operands, in, out};
  if (operands.n == 0) return;
  split(operands.n, f.bytes * operands.count, 64, [&](Size begin, Size n) { rows.run(begin, n); });
}

void check_limits(double low, double high) {
  if (low <= high) return;
  xgrad::detail::fail<ValueError>("clamp: low is ", low, ", high is ", high, "; expected low <= high");
}

}  // namespace xgrad::kernels
