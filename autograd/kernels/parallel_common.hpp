#pragma once
#include <autograd/kernels/blocks.hpp>
#include <autograd/kernels/decorate.hpp>
#include <autograd/kernels/stream.hpp>

/// What the parts of parallel.cpp share.
namespace xgrad::kernels {

/// The table whose kernels do the pieces.
inline const Table* serial_ = nullptr;

inline const char* at(const void* p, Size bytes) { return p ? static_cast<const char*>(p) + bytes : nullptr; }
inline char* at(void* p, Size bytes) { return p ? static_cast<char*>(p) + bytes : nullptr; }

constexpr Size size_of(int dtype) { return Size(xgrad::size_of(Dtype(dtype))); }

/// The work in an element, in bytes moved, is for kernels that have no cheap way through the processor this much for
/// each nanosecond that they take.
inline constexpr Size per_nanosecond = grain / 20000;

/// Whether so many elements are one piece.
constexpr bool is_small(Size count, Size work) { return count * work / grain < 2; }

/// Calls body(loop, offsets, first) for the pieces of a loop, `first` being the place in a contiguous output.
template <int N, class Body>
void split_loop(const Loop<N>& loop, Size work, const Body& body) {
  constexpr Size begin[N] = {};
  const Size wanted = loop.count() * work / grain;
  if (wanted < 2) return body(loop, begin, 0);
  const Cut<N> cut(loop, loop.rank, wanted);
  run_pieces(cut.count(), [&](Size i) { cut.piece(i, body); });
}

/// Whether a contiguous result is to be streamed. One in the place of an operand is not: its lines have just been read.
template <class... In>
bool streams(const void* y, Size bytes, const In*... operands) {
  return outgrows_caches(bytes) && (... && (y != operands));
}

}  // namespace xgrad::kernels
