#include <atomic>
#include <autograd/kernels/pieces.hpp>
#include <autograd/kernels/workers.hpp>
#include <autograd/support/system.hpp>
#include <cstdlib>
#include <exception>

/// Runs pieces of work in threads.
namespace xgrad::kernels {
namespace {

constexpr int most_threads = 1024;

std::atomic<int> thread_limit{0};  // 0: not asked for yet
std::atomic<bool> in_region{false};
/// Whether this process is a child of one that had workers. fork() copies the calling thread only, but the threads'
/// library would go on counting on the others.
std::atomic<bool> workers_lost{false};

/// The first number of OMP_NUM_THREADS, or the processors that this process may use.
int default_threads() {
  const char* const text = std::getenv("OMP_NUM_THREADS");
  const long n = text ? std::strtol(text, nullptr, 10) : 0;
  return n > 0 ? int(std::min<long>(n, most_threads)) : workers::processors();
}

/// While it lives, other threads' pieces run in those threads: `entered` says whether it is the only one.
class Region {
 public:
  Region() : entered(!in_region.exchange(true)) {}
  ~Region() {
    if (entered) in_region = false;
  }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  const bool entered;
};

/// A count of pieces in several threads. Exceptions do not pass through the threads' library, which may have been built
/// with another standard library than this.
struct Pieces {
  const xgrad::detail::FunctionRef<void(Size)> piece;
  std::atomic<bool> failed{false};
  std::exception_ptr error = nullptr;

  void run(Size i) noexcept {
    if (failed) return;
    try {
      const SubnormalsAreZero scope;
      piece(i);
    } catch (...) {
      if (!failed.exchange(true)) error = std::current_exception();
    }
  }
};

}  // namespace

void set_threads(int n) { thread_limit = n; }

int threads() {
  if (workers_lost) return 1;
  int n = thread_limit;
  if (n == 0 && thread_limit.compare_exchange_strong(n, default_threads())) n = thread_limit;
  return n;
}

void run_pieces(Size count, xgrad::detail::FunctionRef<void(Size)> piece) {
  const int n = std::min(threads(), most_threads);
  if (n > 1 && count > 1) {
    if (const Region region; region.entered) {
      [[maybe_unused]] static const bool watching = [] {
        system::around_fork(nullptr, nullptr, [] { workers_lost = true; });
        return true;
      }();
      Pieces pieces{piece};
      workers::spread(n, count, [&](Size i) { pieces.run(i); });
      if (pieces.error) std::rethrow_exception(pieces.error);
      return;
    }
  }
  const SubnormalsAreZero scope;
  for (Size i = 0; i < count; ++i) piece(i);
}

void run_ranges(Size n, Size pieces, Size align, xgrad::detail::FunctionRef<void(Size begin, Size size)> body) {
  const Size size = round_up(divide_up(n, pieces), align);
  run_pieces(divide_up(n, size), [&](Size i) { body(i * size, std::min(size, n - i * size)); });
}

}  // namespace xgrad::kernels
