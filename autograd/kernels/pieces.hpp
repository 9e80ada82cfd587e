#pragma once
#include <algorithm>
#include <autograd/kernels/loop.hpp>
#include <autograd/kernels/subnormals.hpp>
#include <autograd/support/function_ref.hpp>

/// How work is cut into pieces (parallel.hpp says by what rules), and how many threads take them.
namespace xgrad::kernels {

/// How many threads work is spread over, in the whole process. At first, and after set_threads(0), it is the number in
/// OMP_NUM_THREADS, or that of the processors that the process may use; see autograd/threads.hpp.
void set_threads(int n);
int threads();

/// Calls piece(i) for each i < count, in any order and in several threads, which round as this one does and take
/// subnormal numbers for zero. An exception arrives here; pieces that have not begun by then are left out.
void run_pieces(Size count, xgrad::detail::FunctionRef<void(Size)> piece);

/// The work in a piece, at least: a kernel that only moves memory handles so many bytes in 20 us or more.
inline constexpr Size grain = Size(1) << 19;

inline Size divide_up(Size n, Size by) { return (n + by - 1) / by; }
inline Size round_up(Size n, Size to) { return divide_up(n, to) * to; }

/// Calls body(begin, size) for about so many pieces of [0, n), which begin at multiples of `align`.
void run_ranges(Size n, Size pieces, Size align, xgrad::detail::FunctionRef<void(Size begin, Size size)> body);

/// Calls body(begin, size) for the pieces of [0, n), each element of which is `work`. Pieces begin at multiples of
/// `align`.
template <class Body>
void split(Size n, Size work, Size align, const Body& body) {
  const Size pieces = std::min(n, n * work / grain);
  if (pieces < 2) return body(0, n);
  run_ranges(n, pieces, align, body);
}

/// A loop cut along one axis and at every position of the axes before it.
template <int Arrays>
class Cut {
 public:
  /// About `wanted` pieces, by cutting among the first `axes` axes, of which there is at least one.
  Cut(const Loop<Arrays>& loop, int axes, Size wanted) : loop_(loop) {
    while (axis_ + 1 < axes && before_ * loop.sizes[axis_] < wanted) before_ *= loop.sizes[axis_++];
    for (int d = axis_ + 1; d < loop.rank; ++d) after_ *= loop.sizes[d];
    const Size length = loop.sizes[axis_];
    // Whole vectors in the innermost axis, whole blocks of a transposition in others.
    const Size align = axis_ + 1 == loop.rank ? 64 : 16;
    size_ = divide_up(length, std::min(length, divide_up(wanted, before_)));
    if (size_ > align) size_ = round_up(size_, align);
    pieces_ = divide_up(length, size_);
  }

  Size count() const { return before_ * pieces_; }

  /// Calls body(loop, offsets, first) for piece i: its part of the loop, where it begins in each array, and how many
  /// elements of the whole loop come before it.
  template <class Body>
  void piece(Size i, const Body& body) const {
    const Size begin = i % pieces_ * size_;
    Size position = i / pieces_, offsets[Arrays] = {};
    const Size first = (position * loop_.sizes[axis_] + begin) * after_;
    for (int d = axis_ - 1; d >= 0; --d) {
      const Size index = position % loop_.sizes[d];
      position /= loop_.sizes[d];
      for (int a = 0; a < Arrays; ++a) offsets[a] += index * loop_.strides[a][d];
    }
    Loop<Arrays> part{};
    part.rank = loop_.rank - axis_;
    for (int a = 0; a < Arrays; ++a) {
      offsets[a] += begin * loop_.strides[a][axis_];
      std::copy_n(loop_.strides[a] + axis_, part.rank, part.strides[a]);
    }
    std::copy_n(loop_.sizes + axis_, part.rank, part.sizes);
    part.sizes[0] = std::min(size_, part.sizes[0] - begin);
    body(part, offsets, first);
  }

 private:
  Loop<Arrays> loop_;
  int axis_ = 0;
  Size before_ = 1, after_ = 1, size_, pieces_;
};

}  // namespace xgrad::kernels
