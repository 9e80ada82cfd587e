#pragma once
#include <autograd/linalg/triangular.hpp>
#include <memory>

namespace xgrad::linalg {

/// The LU factors of a batch of matrices, as constants that rules share.
class Factors {
 public:
  explicit Factors(const Operand& a);

  /// Throws unless each matrix is regular.
  void check_regular() const;
  /// x with a x = b, or a^T x = b.
  Array solution(const System& system, const Array& b, bool transpose) const;
  Array inverse() const;
  Array determinant() const;
  /// The logarithm of its magnitude; `sign` gets its sign.
  Array log_determinant(const Array& sign) const;
  /// Which of the matrices are singular up to rounding: boolean (...).
  Array singular() const;

 private:
  kernels::Size n() const { return shape_[-1]; }
  kernels::Size count() const { return shape_.product(0, shape_.ndim() - 2); }
  kernels::Size* pivots() const { return pivots_.data<kernels::Size>(); }
  void keep() const;

  Shape shape_;
  Array lu_, pivots_;
};
using SharedFactors = std::shared_ptr<const Factors>;
inline SharedFactors factors_of(const Operand& a) { return std::make_shared<const Factors>(a); }

/// x with a x = b, or a^T x = b, from a's factors; b is a batch of matrices.
Tensor solved(const Operand& a, const Operand& b, const SharedFactors& factors, bool transpose);

}  // namespace xgrad::linalg
