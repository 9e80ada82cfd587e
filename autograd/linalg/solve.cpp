#include <autograd/linalg/triangular.hpp>
#include <autograd/ops.hpp>
#include <autograd/outputs.hpp>
#include <autograd/primitive.hpp>
#include <numbers>

/// What is made with LU factors: systems, inverses and determinants.
namespace xgrad::linalg {
namespace {

/// Of each a, stored by rows, a = l u p with a lower triangular l, an upper triangular u with ones on its diagonal, and
/// a permutation p of columns: by columns that is LAPACK's factorisation of a^T. `pivots` are the columns that change
/// places with 0, 1, ..., one after the other.
template <class T>
void factor_all(const T* a, T* lu, Size* pivots, Size count, Size n) {
  const auto& getrf = lapack::functions<T>().getrf;
  each_piece(count, 2 * n * n * n / 3, [&](Size begin, Size end) {
    std::vector<Int> found(static_cast<std::size_t>(n), 1);
    for (Size i = begin; i < end; ++i) {
      T* const to = lu + i * n * n;
      std::copy_n(a + i * n * n, n * n, to);
      if (all_finite(to, n * n)) {
        getrf(lapack::by_columns, Int(n), Int(n), to, Int(n), found.data());
      } else {
        fill_nan(to, n * n);
      }
      for (Size k = 0; k < n; ++k) pivots[i * n + k] = found[static_cast<std::size_t>(k)] - 1;
    }
  });
}

template <class T>
void check_pivots(const T* lu, const Batch& batch, Size n) {
  for (Size i = 0; i < batch.count(); ++i)
    for (Size k = 0; k < n; ++k)
      if (lu[(i * n + k) * n + k] == 0)
        xgrad::detail::fail<ValueError>(name_in(batch, i, "a"), " is singular: pivot ", k,
                                        " of its LU factors is 0; use lstsq or pinv, which need no inverse");
}

template <class T>
void substitute_factors(const T* lu, const Size* pivots, const T* b, T* x, const kernels::Loop<2>& batches, Size n,
                        Size k, bool transpose) {
  each_piece(batches.count(), 2 * n * n * k, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      const Size at = offset(batches, 0, i);
      const T* const factors = lu + at * n * n;
      T* const to = x + i * n * k;
      std::copy_n(b + offset(batches, 1, i) * n * k, n * k, to);
      const auto change_rows = [&](Size row) {
        if (const Size other = pivots[at * n + row]; other != row)
          std::swap_ranges(to + row * k, to + (row + 1) * k, to + other * k);
      };
      if (transpose) {
        for (Size row = 0; row < n; ++row) change_rows(row);
        substitute(factors, to, n, k, {.upper = true, .transpose = true, .ones_on_diagonal = true});
        substitute(factors, to, n, k, {.upper = false, .transpose = true, .ones_on_diagonal = false});
      } else {
        substitute(factors, to, n, k, {.upper = false, .transpose = false, .ones_on_diagonal = false});
        substitute(factors, to, n, k, {.upper = true, .transpose = false, .ones_on_diagonal = true});
        for (Size row = n; row-- > 0;) change_rows(row);
      }
    }
  });
}

template <class T>
void invert_factors(const T* lu, const Size* pivots, T* inverse, Size count, Size n) {
  const auto& getri = lapack::functions<T>().getri;
  each_piece(count, 4 * n * n * n / 3, [&](Size begin, Size end) {
    std::vector<Int> found(static_cast<std::size_t>(n));
    std::vector<T> work = workspace<T>(
        [&](T* at, Int size) { getri(lapack::by_columns, Int(n), inverse, Int(n), found.data(), at, size); });
    for (Size i = begin; i < end; ++i) {
      for (Size k = 0; k < n; ++k) found[static_cast<std::size_t>(k)] = Int(pivots[i * n + k] + 1);
      std::copy_n(lu + i * n * n, n * n, inverse + i * n * n);
      getri(lapack::by_columns, Int(n), inverse + i * n * n, Int(n), found.data(), work.data(), Int(work.size()));
    }
  });
}

/// The determinant, or its sign and the logarithm of its magnitude; the other pointers are null.
template <class T>
void multiply_pivots(const T* lu, const Size* pivots, T* product, T* sign, T* logarithm, Size count, Size n) {
  for (Size i = 0; i < count; ++i) {
    double all = 1, signs = 1, logarithms = 0;
    for (Size k = 0; k < n; ++k) {
      const double pivot = (pivots[i * n + k] == k ? 1 : -1) * double(lu[(i * n + k) * n + k]);
      all *= pivot;
      signs *= pivot > 0 ? 1 : pivot < 0 ? -1 : pivot;  // 0 and NaN stay
      logarithms += std::log(std::fabs(pivot));
    }
    if (product) product[i] = T(all);
    if (sign) sign[i] = T(signs);
    if (logarithm) logarithm[i] = T(logarithms);
  }
}

/// The LU factors of a, as constants that rules share.
class Factors {
 public:
  explicit Factors(const Operand& a)
      : shape_(a.shape()), lu_(a.dtype(), shape_), pivots_(i64, Shape(shape_.begin(), shape_.end() - 1)) {
    capturing::keep(a.tensor());
    if (lu_.size() == 0) return;
    for_type(a.dtype(), [&]<class T>() {
      capturing::repeat(factor_all<T>, a.array().data<T>(), lu_.data<T>(), pivots(), count(), n());
    });
  }

  void check_regular() const {
    if (lu_.size() == 0) return;
    for_type(lu_.dtype(),
             [&]<class T>() { capturing::repeat(check_pivots<T>, lu_.data<T>(), Batch(batch_of(shape_)), n()); });
  }

  /// x with a x = b, or a^T x = b.
  Array solution(const System& system, const Array& b, bool transpose) const {
    keep();
    Array x(lu_.dtype(), system.x);
    if (x.size() == 0) return x;
    for_type(lu_.dtype(), [&]<class T>() {
      capturing::repeat(substitute_factors<T>, lu_.data<T>(), pivots(), b.data<T>(), x.data<T>(), system.batches, n(),
                        system.x[-1], transpose);
    });
    return x;
  }

  Array inverse() const {
    Array y(lu_.dtype(), shape_);
    if (y.size() == 0) return y;
    for_type(lu_.dtype(), [&]<class T>() {
      capturing::repeat(invert_factors<T>, lu_.data<T>(), pivots(), y.data<T>(), count(), n());
    });
    return y;
  }

  Array determinant() const {
    Array y(lu_.dtype(), batch_of(shape_));
    for_type(lu_.dtype(), [&]<class T>() {
      capturing::repeat(multiply_pivots<T>, lu_.data<T>(), pivots(), y.data<T>(), nullptr, nullptr, count(), n());
    });
    return y;
  }

  Array log_determinant(const Array& sign) const {
    Array y(lu_.dtype(), batch_of(shape_));
    for_type(lu_.dtype(), [&]<class T>() {
      capturing::repeat(multiply_pivots<T>, lu_.data<T>(), pivots(), nullptr, sign.data<T>(), y.data<T>(), count(),
                        n());
    });
    return y;
  }

  /// Which of the matrices are singular up to rounding, (...). Not to be asked while a step is captured.
  std::vector<bool> singular() const {
    std::vector<bool> result(static_cast<std::size_t>(count()));
    for_type(lu_.dtype(), [&]<class T>() {
      const T rounding = T(n()) * std::numeric_limits<T>::epsilon();
      for (Size i = 0; i < count(); ++i) {
        T least = std::numeric_limits<T>::infinity(), largest = 0;
        for (Size k = 0; k < n(); ++k) {
          const T pivot = std::fabs(lu_.data<T>()[(i * n() + k) * n() + k]);
          least = std::min(least, pivot);
          largest = std::max(largest, pivot);
        }
        result[static_cast<std::size_t>(i)] = least <= rounding * largest;
      }
    });
    return result;
  }

 private:
  Size n() const { return shape_[-1]; }
  Size count() const { return shape_.product(0, shape_.ndim() - 2); }
  Size* pivots() const { return pivots_.data<Size>(); }
  void keep() const {
    capturing::keep(lu_);
    capturing::keep(pivots_);
  }

  Shape shape_;
  Array lu_, pivots_;
};
using SharedFactors = std::shared_ptr<const Factors>;
SharedFactors factors_of(const Operand& a) { return std::make_shared<const Factors>(a); }

/// x with a x = b, or a^T x = b, from a's factors; b is a batch of matrices.
Tensor solved(const Operand& a, const Operand& b, const SharedFactors& factors, bool transpose) {
  const OpScope scope("linalg::solve", a.place());
  const System system(scope, a, b);
  return primitive(
      "linalg::solve", {a, b}, [&] { return factors->solution(system, b.array(), transpose); },
      [a = Saved(a), factors, transpose, of = a.shape()](const Tensor& g, const Tensor& x) {
        const Tensor h = solved(a, g, factors, !transpose);
        return -sum_to(transpose ? matmul(x, h, {.transpose_b = true}) : matmul(h, x, {.transpose_b = true}), of);
      },
      [a = Saved(a), factors, transpose, of = b.shape()](const Tensor& g) {
        return sum_to(solved(a, g, factors, !transpose), of);
      });
}

/// g a^-T for a cotangent g of one number for each matrix.
Tensor along_inverse(const Tensor& g, const Operand& a, const SharedFactors& factors) {
  const Tensor inverse = solved(a, eye(a.shape()[-1], {.dtype = a.dtype()}), factors, true);
  return reshape(g, with_matrices(g.shape(), 1, 1)) * inverse;
}

Tensor regular_det(const Operand& a, const SharedFactors& factors) {
  return primitive(
      "linalg::det", {a}, [&] { return factors->determinant(); },
      [a = Saved(a), factors](const Tensor& g, const Tensor& y) { return along_inverse(g * y, a, factors); });
}

/// det(a) without an inverse of a: det(a + t) is a polynomial of degree n in the number t, so its values at n + 1 or
/// more numbers other than 0 give the one at t = 0 by Lagrange's formula, with all its derivatives by a. At Chebyshev's
/// nodes around 0 the weights stay small.
Tensor interpolated_det(const Tensor& matrices) {
  const std::int64_t n = matrices.shape()[-1], nodes = n + 2 - n % 2;
  const Dtype dtype = matrices.dtype();
  std::vector<double> t(static_cast<std::size_t>(nodes)), weight(t.size());
  double total = 0;
  for (std::size_t k = 0; k < t.size(); ++k) {
    const double angle = (2 * double(k) + 1) * std::numbers::pi / (2 * double(nodes));
    t[k] = std::cos(angle);
    weight[k] = (k % 2 ? -1 : 1) * std::sin(angle) / t[k];
    total += weight[k];
  }
  const Tensor flat = reshape(matrices, {1, -1, n, n});
  const Tensor size = max(abs(flat.detach()), {-1, -2}, true) / 4;
  const Tensor shift = from_values(t, {nodes, 1, 1, 1}).to(dtype) * where(size > 0, size, 1);
  const Tensor shifted = flat + shift * eye(n, {.dtype = dtype});
  const Tensor values = regular_det(shifted, factors_of(shifted));
  const Tensor share = from_values(weight, {nodes, 1}).to(dtype) / total;
  return reshape(sum(share * values, 0), batch_of(matrices.shape()));
}

}  // namespace

Tensor solve(const Operand& a, const Operand& b) {
  const OpScope scope("linalg::solve", a.place());
  check_square(scope, "a", a);
  check_right_side(scope, a, b);
  return with_columns(b, [&](const Operand& columns) {
    const System fits(scope, a, columns);
    const SharedFactors factors = factors_of(a);
    factors->check_regular();
    return solved(a, columns, factors, false);
  });
}

Tensor inv(const Operand& a) {
  const OpScope scope("linalg::inv", a.place());
  check_square(scope, "a", a);
  const auto forward = [&] {
    const Factors factors(a);
    factors.check_regular();
    return factors.inverse();
  };
  return primitive("linalg::inv", {a}, forward, [](const Tensor& g, const Tensor& y) {
    return -matmul(matmul(y, g, {.transpose_a = true}), y, {.transpose_b = true});
  });
}

Tensor det(const Operand& a) {
  const OpScope scope("linalg::det", a.place());
  check_square(scope, "a", a);
  const SharedFactors factors = factors_of(a);
  const Tensor plain = regular_det(a, factors);
  if (!plain.requires_grad() || capturing::active() || a.size() == 0) return plain;
  const std::vector<bool> which = factors->singular();
  if (std::find(which.begin(), which.end(), true) == which.end()) return plain;
  // The other matrices of the batch keep their own rule; each branch gets the identity in place of what is not its own.
  const Tensor singular = from_values(which, batch_of(a.shape()));
  const Tensor matrices = reshape(singular, with_matrices(singular.shape(), 1, 1));
  const Tensor identity = eye(a.shape()[-1], {.dtype = a.dtype()});
  const Tensor regular = where(matrices, identity, a);
  const Tensor smooth = interpolated_det(where(matrices, a, identity));
  return where(singular, smooth + (plain.detach() - smooth.detach()), regular_det(regular, factors_of(regular)));
}

SlogDet slogdet(const Operand& a) {
  const OpScope scope("linalg::slogdet", a.place());
  check_square(scope, "a", a);
  const SharedFactors factors = factors_of(a);
  const Array sign(a.dtype(), batch_of(a.shape()));
  const Tensor logabsdet = primitive(
      "linalg::slogdet", {a}, [&] { return factors->log_determinant(sign); },
      [a = Saved(a), factors](const Tensor& g) { return along_inverse(g, a, factors); });
  return {Tensor(sign), logabsdet};
}

Tensor matrix_power(const Operand& a, std::int64_t n) {
  const OpScope scope("linalg::matrix_power", a.place());
  check_square(scope, "a", a);
  Tensor square = n < 0 ? inv(a) : a.tensor(), result;
  for (std::uint64_t left = n < 0 ? -static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n); left > 0;) {
    if (left % 2) result = result.defined() ? matmul(result, square) : square;
    if (left /= 2) square = matmul(square, square);
  }
  return result.defined() ? result : broadcast_to(eye(a.shape()[-1], {.dtype = a.dtype()}), a.shape());
}

}  // namespace xgrad::linalg
