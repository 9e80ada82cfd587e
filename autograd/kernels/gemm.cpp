#include <omp.h>
#include <algorithm>
#include <autograd/kernels/plain.hpp>
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

#ifdef XGRAD_HAVE_ONEDNN
/// oneDNN would use all of OpenMP's threads, and may then split k, which changes bits: large products have been split
/// already (parallel.cpp).
class OneThread {
 public:
  OneThread() { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = omp_get_max_threads();
};

void onednn_block(const Gemm& s, Size columns, const float* a, const float* b, float* c) {
  dnnl_sgemm(s.transpose_a ? 'T' : 'N', s.transpose_b ? 'T' : 'N', s.m, columns, s.k, 1, a, s.row_a(), b, s.row_b(),
             s.accumulate ? 1 : 0, c, s.row_c());
}

void onednn(const Gemm& s, const float* a, const float* b, float* c) {
  static const bool avx512 = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
  const OneThread hold;
  // With AVX-512 it takes 48 columns at a time and is slow with the last 16 or fewer. 64 are the width of many a layer:
  // as 32 and 32 they take 0.92 of the time, less than oneDNN's `matmul`, whose primitives have to be made and kept.
  constexpr Size half = 32;
  const bool halves = avx512 && s.n > 48 && s.n <= 2 * half && s.m >= 32;
  onednn_block(s, halves ? half : s.n, a, b, c);
  if (halves) onednn_block(s, s.n - half, a, b + (s.transpose_b ? half * s.row_b() : half), c + half);
}
#endif

/// Whether CBLAS, which counts in int, can do it.
bool cblas_counts(const Gemm& s) {
  constexpr Size most = std::numeric_limits<int>::max();
  for (const Size n : {s.m, s.n, s.k, s.row_a(), s.row_b(), s.row_c()})
    if (n > most) return false;
  return true;
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
void blas(const Gemm& s, const T* a, const T* b, T* c) {
  hold_blas_at_one_thread();
  Gemm t = s;
  // With k = 1 vectors without gaps are their own transposes, and a transposed A with a plain B is the pair that
  // OpenBLAS is quickest with.
  if (s.k == 1 && s.row_a() == (s.transpose_a ? s.m : 1)) t.transpose_a = true, t.lda = s.m;
  if (s.k == 1 && s.row_b() == (s.transpose_b ? 1 : s.n)) t.transpose_b = false, t.ldb = s.n;
  blas_gemm(t.transpose_a ? CblasTrans : CblasNoTrans, t.transpose_b ? CblasTrans : CblasNoTrans, t, a,
            blas_int(t.row_a()), b, blas_int(t.row_b()), T(t.accumulate ? 1 : 0), c, blas_int(t.row_c()));
}

void product(const Gemm& s, const double* a, const double* b, double* c) { blas(s, a, b, c); }

void product(const Gemm& s, const float* a, const float* b, float* c) {
#ifdef XGRAD_HAVE_ONEDNN
  // Measured: from 2^19 multiplications on oneDNN wins, up to 2^16 OpenBLAS with AVX-512. Between them they differ by a
  // tenth, but OpenBLAS with its AVX2 kernels takes twice as long: the crossover leans towards oneDNN. For a single row
  // they take four times as long. Of up to 8 columns oneDNN computes 16, and takes up to ten times as long.
  const Size crossover = Size(1) << (s.m == 1 ? 15 : 17);
  const bool few_columns = s.n > 1 && s.n <= 8 && cblas_counts(s);
  if (s.m * s.n * s.k >= crossover && !few_columns) return onednn(s, a, b, c);
#endif
  blas(s, a, b, c);
}

template <class T>
void gemm(const Gemm& s, const void* a, const void* b, void* c) {
  if (s.m == 0 || s.n == 0) return;
  if (s.k > 0) {
    product(s, static_cast<const T*>(a), static_cast<const T*>(b), static_cast<T*>(c));
  } else if (!s.accumulate) {
    for (Size i = 0; i < s.m; ++i) std::fill_n(static_cast<T*>(c) + i * s.row_c(), s.n, T(0));
  }
}

template <class T>
void gemm_batch(const Gemm& each, const Loop<3>& batch, const void* a_, const void* b_, void* c_) {
  const T *a = static_cast<const T*>(a_), *b = static_cast<const T*>(b_);
  T* c = static_cast<T*>(c_);
  if (batch.count() == 0) {
    Size matrices = 1;
    for (int d = 0; d < batch.rank; ++d) matrices *= batch.strides[2][d] != 0 ? batch.sizes[d] : 1;
    std::fill_n(c, matrices * each.m * each.n, T(0));
  }
  for_each_product(batch, [&](const Size* at, bool accumulate) {
    Gemm shape = each;
    shape.accumulate |= accumulate;
    gemm<T>(shape, a + at[0] * each.m * each.k, b + at[1] * each.k * each.n, c + at[2] * each.m * each.n);
  });
}

template <class T>
void fill(Table& t, Dtype d) {
  t.gemm[int(d)] = gemm<T>;
  t.gemm_batch[int(d)] = gemm_batch<T>;
}

}  // namespace

void fill_gemm(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

bool gemm_takes(Dtype dtype, const Gemm& s) {
#ifdef XGRAD_HAVE_ONEDNN
  if (dtype == f32) return true;  // what CBLAS cannot count is past the crossover
#else
  static_cast<void>(dtype);
#endif
  return s.m == 0 || s.n == 0 || s.k == 0 || cblas_counts(s);
}

}  // namespace xgrad::kernels
