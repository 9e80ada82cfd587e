#include <autograd/linalg/factors.hpp>

/// LAPACK's LU factors, and what their kernels compute from them.
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

template <class T>
void find_singular(const T* lu, bool* singular, Size count, Size n) {
  const T rounding = T(n) * std::numeric_limits<T>::epsilon();
  for (Size i = 0; i < count; ++i) {
    T least = std::numeric_limits<T>::infinity(), largest = 0;
    for (Size k = 0; k < n; ++k) {
      const T pivot = std::fabs(lu[(i * n + k) * n + k]);
      least = std::min(least, pivot);
      largest = std::max(largest, pivot);
    }
    singular[i] = least <= rounding * largest;
  }
}

}  // namespace

void Factors::keep() const {
  capturing::keep(lu_);
  capturing::keep(pivots_);
}

Factors::Factors(const Operand& a)
    : shape_(a.shape()), lu_(a.dtype(), shape_), pivots_(i64, Shape(shape_.begin(), shape_.end() - 1)) {
  capturing::keep(a.tensor());
  if (lu_.size() == 0) return;
  for_type(a.dtype(), [&]<class T>() {
    capturing::repeat(factor_all<T>, a.array().data<T>(), lu_.data<T>(), pivots(), count(), n());
  });
}

void Factors::check_regular() const {
  if (lu_.size() == 0) return;
  for_type(lu_.dtype(),
           [&]<class T>() { capturing::repeat(check_pivots<T>, lu_.data<T>(), Batch(batch_of(shape_)), n()); });
}

Array Factors::solution(const System& system, const Array& b, bool transpose) const {
  keep();
  Array x(lu_.dtype(), system.x);
  if (x.size() == 0) return x;
  for_type(lu_.dtype(), [&]<class T>() {
    capturing::repeat(substitute_factors<T>, lu_.data<T>(), pivots(), b.data<T>(), x.data<T>(), system.batches, n(),
                      system.x[-1], transpose);
  });
  return x;
}

Array Factors::inverse() const {
  Array y(lu_.dtype(), shape_);
  if (y.size() == 0) return y;
  for_type(lu_.dtype(), [&]<class T>() {
    capturing::repeat(invert_factors<T>, lu_.data<T>(), pivots(), y.data<T>(), count(), n());
  });
  return y;
}

Array Factors::determinant() const {
  Array y(lu_.dtype(), batch_of(shape_));
  for_type(lu_.dtype(), [&]<class T>() {
    capturing::repeat(multiply_pivots<T>, lu_.data<T>(), pivots(), y.data<T>(), nullptr, nullptr, count(), n());
  });
  return y;
}

Array Factors::log_determinant(const Array& sign) const {
  Array y(lu_.dtype(), batch_of(shape_));
  for_type(lu_.dtype(), [&]<class T>() {
    capturing::repeat(multiply_pivots<T>, lu_.data<T>(), pivots(), nullptr, sign.data<T>(), y.data<T>(), count(), n());
  });
  return y;
}

Array Factors::singular() const {
  keep();
  Array y(boolean, batch_of(shape_));
  for_type(lu_.dtype(),
           [&]<class T>() { capturing::repeat(find_singular<T>, lu_.data<T>(), y.data<bool>(), count(), n()); });
  return y;
}

}  // namespace xgrad::linalg
