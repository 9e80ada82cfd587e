#include <autograd/kernels/gemm.hpp>
#ifdef XGRAD_HAVE_ONEDNN
#include <autograd/support/system.hpp>
#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <oneapi/dnnl/dnnl.h>
#else
#include <dnnl.h>
#endif
#endif

/// Large products of f32 by oneDNN, where it is built in.
namespace xgrad::kernels {

#ifdef XGRAD_HAVE_ONEDNN
namespace {

/// The functions of the OpenMP that oneDNN has brought, if it is built on that; xgrad itself needs none.
struct OpenMP {
  template <class F>
  static F* find(const char* name) {
    return DNNL_CPU_RUNTIME == DNNL_RUNTIME_OMP ? reinterpret_cast<F*>(system::find_function(name)) : nullptr;
  }
  int (*const max_threads)() = find<int()>("omp_get_max_threads");
  void (*const set_threads)(int) = find<void(int)>("omp_set_num_threads");
};

/// oneDNN would use threads of its own, and may then split k, which changes bits: large products have been split
/// already (parallel.cpp).
class OneThread {
 public:
  explicit OneThread(const OpenMP& runtime) : runtime_(runtime) { runtime_.set_threads(1); }
  ~OneThread() { runtime_.set_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  const OpenMP& runtime_;
  const int before_ = runtime_.max_threads();
};

}  // namespace

bool library_product(const Gemm& s, const float* a, const float* b, float* c) {
  // Measured: it is quicker by up to a fifth where what it copies of A serves many columns. Of narrow products it is
  // slower by up to a third if A comes from memory, above all a transposed one.
  if (s.m < 48 || s.n < (s.transpose_a ? 256 : 128) || s.m * s.n * s.k < Size(1) << 20) return false;
  static const OpenMP runtime;
  if (!runtime.max_threads || !runtime.set_threads) return false;
  const OneThread hold(runtime);
  dnnl_sgemm(s.transpose_a ? 'T' : 'N', s.transpose_b ? 'T' : 'N', s.m, s.n, s.k, 1, a, s.row_a(), b, s.row_b(),
             s.accumulate ? 1 : 0, c, s.row_c());
  return true;
}

#else

bool library_product(const Gemm&, const float*, const float*, float*) { return false; }

#endif

}  // namespace xgrad::kernels
