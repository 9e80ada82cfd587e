#include <omp.h>
#include <atomic>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/pieces.hpp>
#include <exception>

namespace xgrad::kernels {
namespace {

std::atomic<int> thread_limit{0};  // 0: not asked for yet
std::atomic<bool> in_region{false};

}  // namespace

void set_threads(int n) { thread_limit = n; }

int threads() {
  int n = thread_limit;
  if (n == 0 && thread_limit.compare_exchange_strong(n, omp_get_max_threads())) n = thread_limit;
  return n;
}

void run_pieces(Size count, void (*piece)(const void*, Size), const void* context) {
  const int team = int(std::min<Size>(count, threads()));
  if (team == 1 || omp_in_parallel() || in_region.exchange(true)) {
    for (Size i = 0; i < count; ++i) piece(context, i);
    return;
  }
  std::exception_ptr error;
#pragma omp parallel for num_threads(team) schedule(dynamic)
  for (Size i = 0; i < count; ++i) {
    try {
      piece(context, i);
    } catch (...) {
#pragma omp critical(xgrad_piece_failed)
      error = std::current_exception();
    }
  }
  in_region = false;
  if (error) std::rethrow_exception(error);
}

}  // namespace xgrad::kernels
