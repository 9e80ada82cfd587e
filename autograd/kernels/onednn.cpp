#include <omp.h>
#include <autograd/kernels/gemm.hpp>
#ifdef XGRAD_HAVE_ONEDNN
#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <oneapi/dnnl/dnnl.h>
#else
#include <dnnl.h>
#endif
#endif

namespace xgrad::kernels {

#ifdef XGRAD_HAVE_ONEDNN
namespace {

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

void columns(const Gemm& s, Size n, const float* a, const float* b, float* c) {
  dnnl_sgemm(s.transpose_a ? 'T' : 'N', s.transpose_b ? 'T' : 'N', s.m, n, s.k, 1, a, s.row_a(), b, s.row_b(),
             s.accumulate ? 1 : 0, c, s.row_c());
}

}  // namespace

bool library_product(const Gemm& s, const float* a, const float* b, float* c) {
  // Measured: from 2^20 multiplications on it is quicker by up to a tenth, where it has whole registers of columns.
  if (s.m <= 8 || s.n <= 16 || s.m * s.n * s.k < Size(1) << 20) return false;
  static const bool avx512 = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
  const OneThread hold;
  // With AVX-512 it takes 48 columns at a time and is slow with the last 16 or fewer. 64 are the width of many a layer:
  // as 32 and 32 they take 0.92 of the time, less than oneDNN's `matmul`, whose primitives have to be made and kept.
  constexpr Size half = 32;
  const bool halves = avx512 && s.n > 48 && s.n <= 2 * half;
  columns(s, halves ? half : s.n, a, b, c);
  if (halves) columns(s, s.n - half, a, b + (s.transpose_b ? half * s.row_b() : half), c + half);
  return true;
}

#else

bool library_product(const Gemm&, const float*, const float*, float*) { return false; }

#endif

}  // namespace xgrad::kernels
