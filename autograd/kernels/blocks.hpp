#pragma once
#include <autograd/dtype.hpp>
#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/pieces.hpp>
#include <autograd/kernels/windows.hpp>

/// How matrix products and convolutions are cut into pieces. The inner dimension k of a product never is: blocks of C
/// are independent.
namespace xgrad::kernels {

/// The multiplications in a piece, at least: 20 us or more.
constexpr Size multiplications(int dtype) { return Size(1) << (dtype == int(f32) ? 20 : 19); }

inline Size pieces_of(const Gemm& s, int dtype) { return s.m * s.n * s.k / multiplications(dtype); }
inline Size pieces_of(const Convolution& c, int dtype) {
  return c.images * c.outputs * c.group_channels() * c.kernel_size() * c.out_size() / multiplications(dtype);
}

/// C as blocks of whole rows or of whole columns.
class Blocks {
 public:
  struct Block {
    Gemm shape;
    Size a, b, c;  // where it begins in each matrix
  };

  Blocks(const Gemm& shape, Size wanted) : shape_(shape) {
    if (wanted < 2) return;
    // The other operand is copied once a block; a transposed B costs most. Narrow products wait for memory and gain
    // nothing from blocks.
    constexpr Size narrow = 8;
    const Size rows = shape.n < narrow ? 1 : std::min(wanted, shape.m / (shape.transpose_b ? 256 : 64));
    const Size columns = shape.m < narrow ? 1 : std::min(wanted, shape.n / 256);
    by_rows_ = rows >= columns;
    const Size length = by_rows_ ? shape.m : shape.n, pieces = by_rows_ ? rows : columns;
    if (pieces < 2) return;
    size_ = round_up(divide_up(length, pieces), 16);
    count_ = divide_up(length, size_);
  }

  Size count() const { return count_; }

  Block operator[](Size i) const {
    Block block{shape_, 0, 0, 0};
    Gemm& s = block.shape;
    s.lda = shape_.row_a(), s.ldb = shape_.row_b(), s.ldc = shape_.row_c();
    const Size first = i * size_;
    if (by_rows_) {
      s.m = std::min(size_, shape_.m - first);
      block.a = s.transpose_a ? first : first * s.lda;
      block.c = first * s.ldc;
    } else {
      s.n = std::min(size_, shape_.n - first);
      block.b = s.transpose_b ? first * s.ldb : first;
      block.c = first;
    }
    return block;
  }

 private:
  Gemm shape_;
  bool by_rows_ = true;
  Size size_ = 0, count_ = 1;
};

/// The batch with the axes along which products are summed behind all others, of which there are `kept`.
inline Loop<3> summed_last(const Loop<3>& batch, int& kept) {
  Loop<3> ordered;
  kept = 0;
  for (const bool summed : {false, true}) {
    for (int d = 0; d < batch.rank; ++d) {
      if ((batch.strides[2][d] == 0) != summed) continue;
      ordered.sizes[ordered.rank] = batch.sizes[d];
      for (int k = 0; k < 3; ++k) ordered.strides[k][ordered.rank] = batch.strides[k][d];
      ++ordered.rank;
      kept += !summed;
    }
  }
  return ordered;
}

}  // namespace xgrad::kernels
