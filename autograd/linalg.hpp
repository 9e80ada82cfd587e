#pragma once
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

/// Linear algebra on matrices (..., m, n): whatever stands before the last two axes is a batch, and each matrix of it
/// is treated by itself. f32 and f64; derivatives are ops, so any order exists where a result is smooth.
///
/// The factorisations are LAPACK's. A program needs no LAPACK to be built or to start: the library `liblapacke.so.3`,
/// or what the environment variable XGRAD_LAPACK names, is loaded by the first call that needs it, which throws an
/// Error that says what is missing if there is none. A batch is spread over xgrad's own threads; OpenBLAS is held at
/// one thread meanwhile, so that results do not depend on their number.
///
/// What all of them share: a matrix that holds a NaN or an infinity, or on which an iteration of LAPACK does not
/// converge, gives NaN. Sizes may be 0. A matrix that is singular, or not positive definite, where that matters, throws
/// ValueError with its place in the batch; one that is nearly so gives what rounding leaves, with a relative error of
/// about its condition number times the dtype's epsilon (1e-7, 2e-16).
namespace xgrad::linalg {

/// Whether LAPACK is there. Asking loads it.
bool available();

/// The lower triangular l with a = l l^T, (..., n, n). Reads the lower triangle of a, which stands for a symmetric
/// matrix; the gradient is that of such a matrix, symmetric itself (Murray 2016, "Differentiation of the Cholesky
/// decomposition"). Throws ValueError if a is not positive definite.
Tensor cholesky(const Operand& a);

/// x with a x = b, for a (..., n, n) and b (..., n, k), or one vector b (n); batches broadcast. The LU factors of a
/// serve derivatives of every order. Throws ValueError if a is singular.
Tensor solve(const Operand& a, const Operand& b);

struct TriangularOptions {
  bool upper = false;      // read the upper triangle instead of the lower one
  bool transpose = false;  // solve a^T x = b
};
/// x with a x = b, as `solve`, where a is triangular: the other triangle is not read, and has no gradient. Throws
/// ValueError if there is a zero on the diagonal.
Tensor solve_triangular(const Operand& a, const Operand& b, TriangularOptions options = {});

/// The inverse of a, (..., n, n). `solve(a, b)` is quicker and more exact than `matmul(inv(a), b)`. Throws ValueError
/// if a is singular.
Tensor inv(const Operand& a);

/// The determinant of a, (..., n, n) -> (...). It has derivatives at singular matrices too, which take n times as long
/// there, and always in a captured step (autograd/capture.hpp).
Tensor det(const Operand& a);

struct SlogDet {
  Tensor sign, logabsdet;
};
/// The sign of the determinant, -1, 0 or 1, and the logarithm of its magnitude, which neither over- nor underflows;
/// (0, -inf) of a singular matrix. The sign has no derivative; that of the logarithm is not finite where it is -inf.
SlogDet slogdet(const Operand& a);

struct QR {
  Tensor q, r;
};
/// a = q r with orthonormal columns in q (..., m, k) and an upper triangular r (..., k, n), k = min(m, n). Signs are
/// LAPACK's, so r may have a negative diagonal. The derivative (Walter, Lehmann and Lamour 2012; Liao et al. 2019) is
/// for matrices whose first k columns are independent; that of others throws ValueError or is as large as rounding
/// makes it.
QR qr(const Operand& a);

struct Eigh {
  Tensor values, vectors;
};
/// The eigenvalues, ascending (..., n), and orthonormal eigenvectors as columns (..., n, n) of a symmetric a, of which
/// the lower triangle is read; the gradient is symmetric (Giles 2008, "Collected matrix derivative results"). Vectors
/// are unique up to their sign at best. Where eigenvalues are equal up to rounding they are not even that: a derivative
/// through the vectors is NaN there, also the second one of values. The first one through values alone is right for
/// functions that treat equal ones alike, such as their sum.
Eigh eigh(const Operand& a);

struct SVD {
  Tensor u, s, vh;
};
/// a = u diag(s) vh with the singular values s descending (..., k), orthonormal columns in u (..., m, k) and rows in vh
/// (..., k, n), k = min(m, n) (Townsend 2016, "Differentiating the singular value decomposition"). Of equal singular
/// values holds what `eigh` says of eigenvalues, and of zeros where m differs from n.
SVD svd(const Operand& a);

/// The pseudo-inverse (..., n, m) of a (..., m, n), in which singular values of at most rcond times the largest count
/// as zero; a negative rcond means max(m, n) times the dtype's epsilon. The derivative is that at constant rank (Golub
/// and Pereyra 1973).
Tensor pinv(const Operand& a, double rcond = -1);

/// The shortest x for which |a x - b| is smallest: pinv(a) b, shapes as for `solve` with a (..., m, n).
Tensor lstsq(const Operand& a, const Operand& b, double rcond = -1);

/// a a ... a, n times; the identity for n = 0, powers of the inverse for n < 0.
Tensor matrix_power(const Operand& a, std::int64_t n);

}  // namespace xgrad::linalg
#pragma GCC visibility pop
