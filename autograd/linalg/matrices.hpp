#pragma once
#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/kernels/pieces.hpp>
#include <autograd/linalg/lapack.hpp>
#include <autograd/tensor.hpp>
#include <cmath>
#include <mutex>
#include <optional>

/// Batches of matrices: their shapes, their kernels' loop, and what is said of one that does not suit.
namespace xgrad::linalg {

using kernels::Size;
using lapack::Int;

/// Throws unless an argument, called `name`, holds floating matrices (square ones).
void check_matrices(const OpScope& scope, const char* name, const Operand& x);
void check_square(const OpScope& scope, const char* name, const Operand& x);
/// Throws unless b holds matrices or one vector, of a's dtype and as many rows.
void check_right_side(const OpScope& scope, const Operand& a, const Operand& b);

/// The axes before the last two.
inline Shape batch_of(const Shape& shape) { return {shape.begin(), shape.end() - 2}; }
/// A batch of (rows, columns) matrices.
Shape with_matrices(Shape batch, std::int64_t rows, std::int64_t columns);

/// The same as a kernel's argument.
struct Batch {
  int rank = 0;
  Size sizes[kernels::max_rank] = {};

  explicit Batch(const Shape& batch);
  Size count() const;
};

/// "the matrix [1, 2] of a", or "a" where it is the only one.
std::string name_in(const Batch& batch, Size position, const char* of);

/// The first matrix of a batch that something is the matter with, as several threads may find.
class First {
 public:
  /// `detail` goes with the matrix.
  void note(Size matrix, Size detail) {
    const std::lock_guard guard(lock_);
    if (!found_ || matrix < found_->matrix) found_ = {matrix, detail};
  }
  struct Found {
    Size matrix, detail;
  };
  const std::optional<Found>& found() const { return found_; }

 private:
  std::mutex lock_;
  std::optional<Found> found_;
};

/// Calls body(begin, end) for pieces of a batch of `count` matrices, in xgrad's threads, with OpenBLAS at rest. Some 2
/// of the `operations` that a matrix takes are done in a nanosecond.
template <class Body>
void each_piece(Size count, Size operations, const Body& body) {
  const lapack::OneThread hold;
  kernels::split(count, operations * kernels::grain / 40000 + 1, 1,
                 [&](Size begin, Size size) { body(begin, begin + size); });
}

/// Calls f.operator()<T>() for the element type of a floating dtype.
template <class F>
void for_type(Dtype dtype, const F& f) {
  if (dtype == f32) {
    f.template operator()<float>();
  } else {
    f.template operator()<double>();
  }
}

template <class T>
bool all_finite(const T* x, Size n) {
  bool finite = true;
  for (Size i = 0; i < n; ++i) finite &= std::isfinite(x[i]);
  return finite;
}

template <class T>
void fill_nan(T* x, Size n) {
  std::fill_n(x, n, std::numeric_limits<T>::quiet_NaN());
}

/// An array of room for LAPACK, whose function is asked for its size: call(work, -1) writes it to work[0].
template <class T, class Call>
std::vector<T> workspace(const Call& call) {
  T size = 1;
  call(&size, -1);
  return std::vector<T>(static_cast<std::size_t>(std::max(T(1), size)));
}

/// (x + x^T) / 2.
Tensor symmetric_part(const Tensor& x);

/// 1 / x[i] for what differs from 0 by more than `rounding`; for the others 0, or NaN where `wanted`. Both broadcast.
Tensor guarded_reciprocal(const Tensor& x, const Tensor& rounding, const Tensor& wanted);
/// A mask of no element, and of each matrix of x that has an element other than 0, (..., 1, 1).
Tensor nowhere();
Tensor matrices_used(const Tensor& x);

}  // namespace xgrad::linalg
