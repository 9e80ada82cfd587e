#include <omp.h>
#include <autograd/kernels/gemm.hpp>
#include <cstddef>
#include <cstring>
#include <limits>
#if __has_include(<cblas.h>)
#include <cblas.h>
#else
#include <openblas/cblas.h>
#endif
#ifdef XGRAD_HAVE_ONEDNN
#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <oneapi/dnnl/dnnl.h>
#else
#include <dnnl.h>
#endif
#endif

// Weak, so that any BLAS will do.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
extern "C" [[gnu::weak]] void openblas_set_num_threads(int);
#pragma GCC diagnostic pop

namespace xgrad::kernels {
namespace {

/// OpenBLAS' own pool would compete with OpenMP's for the cores: it is held at one thread, once.
void hold_blas_at_one_thread() {
  static const bool held = [] {
    if (openblas_set_num_threads) openblas_set_num_threads(1);
    return true;
  }();
  static_cast<void>(held);
}

int blas_int(Size n) { return static_cast<int>(n); }

void blas_gemm(CBLAS_TRANSPOSE a_flag, CBLAS_TRANSPOSE b_flag, const Gemm& s, const float* a, int lda, const float* b,
               int ldb, float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, a_flag, b_flag, blas_int(s.m), blas_int(s.n), blas_int(s.k), 1, a, lda, b, ldb, beta, c,
              ldc);
}
void blas_gemm(CBLAS_TRANSPOSE a_flag, CBLAS_TRANSPOSE b_flag, const Gemm& s, const double* a, int lda, const double* b,
               int ldb, double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, a_flag, b_flag, blas_int(s.m), blas_int(s.n), blas_int(s.k), 1, a, lda, b, ldb, beta, c,
              ldc);
}

template <class T>
void product(const Gemm& s, const T* a, const T* b, T* c) {
  hold_blas_at_one_thread();
  // With k = 1 the flags say nothing, and a transposed A with a plain B is the pair that OpenBLAS is quickest with.
  const bool a_flag = s.transpose_a || s.k == 1, b_flag = s.transpose_b && s.k != 1;
  blas_gemm(a_flag ? CblasTrans : CblasNoTrans, b_flag ? CblasTrans : CblasNoTrans, s, a, blas_int(a_flag ? s.m : s.k),
            b, blas_int(b_flag ? s.k : s.n), T(s.accumulate ? 1 : 0), c, blas_int(s.n));
}

/// Whether there is nothing to multiply; c is zeroed where that is the result.
template <class T>
bool empty(const Gemm& s, T* c) {
  if (s.m > 0 && s.n > 0 && s.k > 0) return false;
  if (s.m > 0 && s.n > 0 && !s.accumulate) std::memset(c, 0, std::size_t(s.m) * std::size_t(s.n) * sizeof(T));
  return true;
}

}  // namespace

void gemm(const Gemm& s, const float* a, const float* b, float* c) {
  if (empty(s, c)) return;
#ifdef XGRAD_HAVE_ONEDNN
  // Measured: from 2^19 multiplications on oneDNN always wins, up to 2^16 OpenBLAS with AVX-512. Between them they
  // differ by a tenth, but OpenBLAS with its AVX2 kernels takes twice as long: the crossover leans towards oneDNN.
  constexpr Size crossover = Size(1) << 17;
  if (s.m * s.n * s.k >= crossover) {
    dnnl_sgemm(s.transpose_a ? 'T' : 'N', s.transpose_b ? 'T' : 'N', s.m, s.n, s.k, 1, a, s.transpose_a ? s.m : s.k, b,
               s.transpose_b ? s.k : s.n, s.accumulate ? 1 : 0, c, s.n);
    return;
  }
#endif
  product(s, a, b, c);
}

void gemm(const Gemm& s, const double* a, const double* b, double* c) {
  if (empty(s, c)) return;
  product(s, a, b, c);
}

bool gemm_takes(Dtype dtype, const Gemm& s) {
  constexpr Size most = std::numeric_limits<int>::max();
#ifdef XGRAD_HAVE_ONEDNN
  if (dtype == f32) return true;  // a product that large is past the crossover
#else
  static_cast<void>(dtype);
#endif
  return s.m == 0 || s.n == 0 || s.k == 0 || (s.m <= most && s.n <= most && s.k <= most);
}

void set_threads(int n) { omp_set_num_threads(n); }
int threads() { return omp_get_max_threads(); }

}  // namespace xgrad::kernels
