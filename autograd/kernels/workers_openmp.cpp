#include <algorithm>
#include <autograd/kernels/workers.hpp>
#include <cfenv>
#ifdef _OPENMP
#include <omp.h>
#endif

/// Threads of OpenMP.
namespace xgrad::kernels::workers {

// Without OpenMP either, the calling thread does all pieces.
#ifdef _OPENMP

int processors() { return omp_get_num_procs(); }

void spread(int threads, Size count, xgrad::detail::FunctionRef<void(Size)> piece) {
  std::fenv_t callers;
  std::fegetenv(&callers);
  // OpenMP starts all threads of a team; those that processors cannot serve, and pieces do not ask for, are left out.
  const int team = int(std::min<Size>(threads, std::max<Size>(count, processors())));
#pragma omp parallel num_threads(team)
  {
    std::fenv_t own;  // the runtime's threads may work for others too
    std::fegetenv(&own);
    std::fesetenv(&callers);
#pragma omp for schedule(dynamic)
    for (Size i = 0; i < count; ++i) piece(i);
    std::fesetenv(&own);
  }
}

#else

int processors() { return 1; }

void spread(int, Size count, xgrad::detail::FunctionRef<void(Size)> piece) {
  for (Size i = 0; i < count; ++i) piece(i);
}

#endif

}  // namespace xgrad::kernels::workers
