#pragma once
#include <cstddef>
#include <cstdint>

/// LAPACK, which is loaded when it is first needed: a program that has no use for it neither needs it installed, nor
/// starts the threads that OpenBLAS makes as soon as it is loaded.
namespace xgrad::lapack {

using Int = std::int32_t;

/// LAPACKE's functions for elements T, float or double, without its checks and copies, and trsm of BLAS. All are called
/// on matrices stored by columns: what is stored by rows is to them the transpose. Workspaces and results are LAPACK's.
template <class T>
struct Functions {
  Int (*potrf)(int layout, char triangle, Int n, T* a, Int lda);
  Int (*getrf)(int layout, Int m, Int n, T* a, Int lda, Int* pivots);
  Int (*getri)(int layout, Int n, T* a, Int lda, const Int* pivots, T* work, Int size);
  Int (*gelqf)(int layout, Int m, Int n, T* a, Int lda, T* tau, T* work, Int size);
  Int (*orglq)(int layout, Int m, Int n, Int k, T* a, Int lda, const T* tau, T* work, Int size);
  Int (*syevd)(int layout, char job, char triangle, Int n, T* a, Int lda, T* w, T* work, Int size, Int* integers,
               Int integers_size);
  Int (*gesdd)(int layout, char job, Int m, Int n, T* a, Int lda, T* s, T* u, Int ldu, T* vt, Int ldvt, T* work,
               Int size, Int* integers);
  /// Fortran's, with the lengths of its strings at the end.
  void (*trsm)(const char* side, const char* triangle, const char* transposed, const char* diagonal, const Int* m,
               const Int* n, const T* alpha, const T* a, const Int* lda, T* b, const Int* ldb, std::size_t, std::size_t,
               std::size_t, std::size_t);
};
inline constexpr int by_columns = 102;  // LAPACK_COL_MAJOR

/// Throws Error, in the name of the op in progress, if LAPACK is missing.
template <class T>
const Functions<T>& functions();
extern template const Functions<float>& functions();
extern template const Functions<double>& functions();

/// Whether there is one.
bool found();

/// While one lives, OpenBLAS computes in the thread that calls it: its own threads would wait, spinning, where xgrad's
/// work, and results would depend on their number. Its setting is the process's, so the last scope puts it back.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
};

}  // namespace xgrad::lapack
