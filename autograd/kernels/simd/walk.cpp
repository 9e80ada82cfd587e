#include <autograd/kernels/simd/outlet.hpp>
#include <autograd/kernels/simd/walk.hpp>

/// Walks strided operands of elementwise kernels row by row.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

// Elements gathered before a Row runs over them; operands of 8 bytes then take 4 KiB each.
constexpr Size chunk = 512;
// Shorter rows than this are put together: each would cost more as a Row of its own than its elements do to copy.
constexpr Size short_row = 32;
// Elements of two axes that repay handling them as rows of equal length.
constexpr Size enough = 128;
// Elements beyond the end that `spread` may write.
constexpr Size slack = 8;

template <class T>
void gather(const void* from, Size stride, void* to, Size n) {
  const T* source = static_cast<const T*>(from);
  T* target = static_cast<T*>(to);
  if (stride == 1) {
    for (Size i = 0; i < n; ++i) target[i] = source[i];
  } else {
    for (Size i = 0; i < n; ++i) target[i] = source[i * stride];
  }
}

void gather(const void* from, Size stride, int bytes, void* to, Size n) {
  switch (bytes) {
    case 1:
      return gather<std::uint8_t>(from, stride, to, n);
    case 4:
      return gather<std::uint32_t>(from, stride, to, n);
    default:
      return gather<std::uint64_t>(from, stride, to, n);
  }
}

const char* at(const void* p, Size bytes) { return static_cast<const char*>(p) + bytes; }
char* at(void* p, Size bytes) { return static_cast<char*>(p) + bytes; }

/// Has each Row of a walk computed, where its elements belong or on their way there.
template <int N>
class Rows {
 public:
  Rows(const int* bytes, void* out, Row row) : bytes_(bytes), out_(out), row_(row), outlet_(out) {}

  void put(const void* const* in, const bool* step, Size n) {
    if (!streams_) {
      row_(in, step, out_, n);
      out_ = at(out_, n * bytes_[N]);
      return;
    }
    outlet_.put(n, bytes_[N], [&](void* place, Size i, Size m) {
      const void* part[N];
      for (int k = 0; k < N; ++k) {
        part[k] = step[k] ? at(in[k], i * bytes_[k]) : in[k];
        if (step[k]) prefetch_page_ahead(static_cast<const char*>(part[k]), m * bytes_[k]);
      }
      row_(part, step, place, m);
    });
  }

 private:
  const int* bytes_;
  void* out_;
  Row row_;
  const bool streams_ = streaming;
  Outlet outlet_;
};

/// Every inner stride is 0 or 1 and rows are long: each row goes to `row` where it lies.
template <int N>
void walk_rows(const Loop<N>& loop, const void* const* in, const int* bytes, Rows<N>& rows) {
  const Size n = loop.sizes[loop.rank - 1];
  bool step[N];
  for (int k = 0; k < N; ++k) step[k] = loop.strides[k][loop.rank - 1] == 1;
  if (loop.rank == 1) return rows.put(in, step, n);
  for_each_row(loop, [&](const Size* offsets) {
    const void* operands[N];
    for (int k = 0; k < N; ++k) operands[k] = at(in[k], offsets[k] * bytes[k]);
    rows.put(operands, step, n);
  });
}

/// Any strides: operands are gathered, across rows, into chunks.
template <int N>
void walk_chunks(const Loop<N>& loop, const void* const* in, const int* bytes, Rows<N>& rows) {
  alignas(64) char gathered[N][chunk * 8];
  const void* operands[N];
  bool step[N];
  for (int k = 0; k < N; ++k) operands[k] = gathered[k], step[k] = true;
  Size filled = 0;
  const auto flush = [&] {
    rows.put(operands, step, filled);
    filled = 0;
  };
  const Size length = loop.sizes[loop.rank - 1];
  for_each_row(loop, [&](const Size* offsets) {
    for (Size i = 0, n; i < length; i += n) {
      n = length - i < chunk - filled ? length - i : chunk - filled;
      for (int k = 0; k < N; ++k) {
        const Size stride = loop.strides[k][loop.rank - 1];
        gather(at(in[k], (offsets[k] + i * stride) * bytes[k]), stride, bytes[k], gathered[k] + filled * bytes[k], n);
      }
      filled += n;
      if (filled == chunk) flush();
    }
  });
  if (filled > 0) flush();
}

/// to[r * n + i] = from[r * row_stride + i * stride], for rows of n. Whole blocks of a broadcast value are written;
/// what is too much, the next row writes over.
template <class T>
void spread(const void* from_, Size row_stride, Size stride, void* to_, Size rows, Size n) {
  const T* from = static_cast<const T*>(from_);
  T* to = static_cast<T*>(to_);
  for (Size r = 0; r < rows; ++r, from += row_stride, to += n) {
    if (stride == 0) {
      const T value = *from;
      for (Size i = 0; i < n; i += slack)
        for (Size k = 0; k < slack; ++k) to[i + k] = value;
    } else {
      for (Size i = 0; i < n; ++i) to[i] = from[i * stride];
    }
  }
}

void spread(const void* from, Size row_stride, Size stride, int bytes, void* to, Size rows, Size n) {
  switch (bytes) {
    case 1:
      return spread<std::uint8_t>(from, row_stride, stride, to, rows, n);
    case 4:
      return spread<std::uint32_t>(from, row_stride, stride, to, rows, n);
    default:
      return spread<std::uint64_t>(from, row_stride, stride, to, rows, n);
  }
}

/// Short rows, many of them below each other: an operand that goes on from row to row is read in place, one that
/// repeats the same row is written out once, any other once for each chunk.
template <int N>
void walk_short_rows(const Loop<N>& loop, const void* const* in, const int* bytes, Rows<N>& all) {
  alignas(64) char written[N][(chunk + slack) * 8];
  const int last = loop.rank - 1, above = last - 1;
  const Size n = loop.sizes[last];
  const auto lies_ready = [&](int k) {
    const Size stride = loop.strides[k][last];
    return (stride == 0 || stride == 1) && loop.strides[k][above] == n * stride;
  };
  bool spreads = false;  // an operand for each chunk
  for (int k = 0; k < N; ++k) spreads |= !lies_ready(k) && loop.strides[k][above] != 0;
  // Meanwhile nothing is fetched or stored; while memory is waited for, that must be short. Elements of 4 bytes take
  // less of it, and longer to handle one by one.
  const Size together = (streaming && spreads && bytes[N] == 8 ? Outlet::size / 8 : chunk) / n;
  Loop<N> outer = loop;
  outer.rank = last;
  for_each_row(outer, [&](const Size* offsets) {
    for (Size r = 0, rows; r < loop.sizes[above]; r += rows) {
      rows = loop.sizes[above] - r < together ? loop.sizes[above] - r : together;
      const void* operands[N];
      bool step[N];
      for (int k = 0; k < N; ++k) {
        const Size row_stride = loop.strides[k][above], stride = loop.strides[k][last];
        const char* from = at(in[k], (offsets[k] + r * row_stride) * bytes[k]);
        const bool in_place = lies_ready(k), same = row_stride == 0;
        step[k] = !(in_place && same);
        operands[k] = in_place ? from : written[k];
        if (!in_place && (!same || r == 0)) spread(from, row_stride, stride, bytes[k], written[k], rows, n);
      }
      all.put(operands, step, rows * n);
    }
  });
}

/// How an operand lies in a loop: as one value, as the output does, or otherwise.
enum class Lie { value, output, apart };
template <int N>
Lie lie_of(const Loop<N>& loop, int k) {
  bool value = true, output = true;
  Size stride = 1;
  for (int d = loop.rank - 1; d >= 0; stride *= loop.sizes[d--]) {
    value = value && loop.strides[k][d] == 0;
    output = output && loop.strides[k][d] == stride;
  }
  return value ? Lie::value : output ? Lie::output : Lie::apart;
}

/// Short rows, few of them below each other: operands that do not lie as the output does are written out, two axes at a
/// time, into chunks.
template <int N>
void walk_small_planes(const Loop<N>& loop, const void* const* in, const int* bytes, Rows<N>& all) {
  alignas(64) char written[N][(chunk + slack) * 8];
  const int last = loop.rank - 1, above = last - 1;
  const Size n = loop.sizes[last];
  const void* operands[N];
  bool step[N];
  Lie lie[N];
  for (int k = 0; k < N; ++k) {
    lie[k] = lie_of(loop, k);
    step[k] = lie[k] != Lie::value;
    operands[k] = lie[k] == Lie::apart ? written[k] : in[k];
  }
  Size filled = 0;
  const auto flush = [&] {
    all.put(operands, step, filled);
    for (int k = 0; k < N; ++k)
      if (lie[k] == Lie::output) operands[k] = at(operands[k], filled * bytes[k]);
    filled = 0;
  };
  Loop<N> outer = loop;
  outer.rank = last;
  for_each_row(outer, [&](const Size* offsets) {
    for (Size r = 0, rows; r < loop.sizes[above]; r += rows) {
      if (chunk - filled < n) flush();
      const Size room = (chunk - filled) / n;
      rows = loop.sizes[above] - r < room ? loop.sizes[above] - r : room;
      for (int k = 0; k < N; ++k) {
        if (lie[k] != Lie::apart) continue;
        const Size row_stride = loop.strides[k][above], stride = loop.strides[k][last];
        const char* const from = at(in[k], (offsets[k] + r * row_stride) * bytes[k]);
        char* const to = written[k] + filled * bytes[k];
        if (row_stride == n * stride && stride != 0) {
          gather(from, stride, bytes[k], to, rows * n);
        } else {
          spread(from, row_stride, stride, bytes[k], to, rows, n);
        }
      }
      filled += rows * n;
    }
  });
  if (filled > 0) flush();
}

template <int N>
void walk_any(const Loop<N>& loop, const void* const* in, const int* bytes, void* out, Row row) {
  Rows<N> rows(bytes, out, row);
  const Size n = loop.sizes[loop.rank - 1];
  if (loop.rank > 1 && n < short_row && n * loop.sizes[loop.rank - 2] >= enough)
    return walk_short_rows(loop, in, bytes, rows);
  if (loop.rank > 1 && n > 0 && n < slack) return walk_small_planes(loop, in, bytes, rows);
  bool direct = loop.rank == 1 || n >= slack;
  for (int k = 0; k < N; ++k) {
    const Size stride = loop.strides[k][loop.rank - 1];
    direct = direct && (stride == 0 || stride == 1);
  }
  if (direct) {
    walk_rows(loop, in, bytes, rows);
  } else {
    walk_chunks(loop, in, bytes, rows);
  }
}

}  // namespace

void walk(const Loop<2>& loop, const void* const* in, const int* bytes, void* out, Row row) {
  walk_any(loop, in, bytes, out, row);
}
void walk(const Loop<3>& loop, const void* const* in, const int* bytes, void* out, Row row) {
  walk_any(loop, in, bytes, out, row);
}

}  // namespace xgrad::kernels::XGRAD_ISA
